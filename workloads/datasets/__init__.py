"""TFDS builders for the data that the project makes or ships."""
