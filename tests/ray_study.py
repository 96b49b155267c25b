"""A program: studies on a Ray cluster of two nodes on this machine, one of which is killed.

    python ray_study.py DIRECTORY SUBMISSION...

Leaves the records in DIRECTORY/lost (not timed; a node is killed when a trial runs on each) and in
DIRECTORY/timed (the first submission alone, timed, on the node that is left), and events of the
first in DIRECTORY/events.json.
"""

import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import tiny

import algoperf_lite
from algoperf_lite.cli import invoke
from algoperf_lite.executors.ray import RayExecutor

NODE = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 80_000_000}
SETTINGS = {"quick": True, "max_steps": 40}


def main(directory, submissions):
    """Run both studies, see the module; what the second exits with."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    with TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as logs:
        cluster = Cluster(initialize_head=True, head_node_args={**NODE, "temp_dir": logs})
        try:
            lose_a_node(directory, submissions, cluster, cluster.add_node(**NODE))
            words = ["-w", tiny.__file__, "-s", submissions[0], "--results", directory / "timed"]
            words += ["--quick", "--max-steps", "40", "--devices", "1"]
            words += ["--executor", "ray", "--ray-address", cluster.address]
            return invoke(["run", *map(str, words)])
        finally:
            cluster.shutdown()


def lose_a_node(directory, submissions, cluster, node):
    """A study in which a node is killed as soon as trials run on both."""
    events = []

    def observe(event):
        events.append(event)
        if event["event"] == "start" and sum(e["event"] == "start" for e in events) == 2:
            cluster.remove_node(node, allow_graceful=False)

    executor = RayExecutor(cluster.address, devices=1)
    try:
        algoperf_lite.run([tiny.__file__], submissions, directory / "lost", timed=False,
                          executor=executor, observe=observe, **SETTINGS)  # fmt: skip
    finally:
        executor.close()
    (directory / "events.json").write_text(json.dumps(events))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
