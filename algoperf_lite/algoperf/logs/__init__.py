"""Our records as the logs that AlgoPerf's own scorer reads, and scores as ours does."""

from algoperf_lite.algoperf.logs.export import Export, export_logs

__all__ = ["Export", "export_logs"]
