"""Our own speed, as ratios measured in one run. Each module is a program that takes ``--json``."""
