"""The submissions: one module per training algorithm, each defining `submission`."""
