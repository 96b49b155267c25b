"""The way to AlgoPerf and back: its submissions run here, ours and their records are taken there.

AlgoPerf (Dahl et al. 2023, arXiv 2306.07179) is what this benchmark follows; its submissions are
modules of a few functions that are called once per step and jit for themselves. See
docs/algoperf.md.
"""
