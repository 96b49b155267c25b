"""The workloads: one module per family, defining `workload` (the base) and `variants` (a tuple)."""
