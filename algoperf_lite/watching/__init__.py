"""What is going on in a results directory, seen from outside: `algoperf-lite watch`.

The run that is watched is timed on the same processor. So a look costs one `stat` of each declared
trial, and only files that have changed since the last look are read.

    from algoperf_lite.watching import Watcher
    situation = Watcher("results/run").look()
    situation.state, len(situation.ended), situation.seconds_left
"""

from algoperf_lite.watching.follow import follow
from algoperf_lite.watching.situation import Ended, Running, Situation
from algoperf_lite.watching.watcher import Watcher

__all__ = ["Ended", "Running", "Situation", "Watcher", "follow"]
