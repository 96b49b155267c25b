"""Adafactor at eight learning rates around its default, see `benchmarks.discrimination`."""

from benchmarks.discrimination import around
from submissions import adafactor as method

submission = around(method.submission)
