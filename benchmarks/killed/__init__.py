"""The smallest workload and submission that have all that a checkpoint must bring back."""
