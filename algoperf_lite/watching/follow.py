"""Looking again and again, at a bounded cost."""

import time
from collections import deque
from collections.abc import Callable
from statistics import median

from algoperf_lite.watching.situation import Situation

SHARE = 0.005
"""Most of one processor that looking and showing may take, once it has started."""


def follow(
    look: Callable[[], Situation],
    show: Callable[[Situation], None],
    every: float = 2.0,
    forever: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> Situation:
    """Look and show until all declared trials are there.

    Args:
        look: `Watcher.look`.
        show: called with what each look found.
        every: seconds between looks; more where looks are dear, so that they take at most `SHARE`
            of a processor. A look is dear if two of the last three were: the first one reads all
            that is there, and others may read much once.
        forever: go on when all is done: more may be declared.
        sleep: waits that many seconds.

    Returns:
        What the last look found.
    """
    costs = deque([0.0, 0.0, 0.0], maxlen=3)
    while True:
        began = time.process_time()
        situation = look()
        show(situation)
        if situation.state == "complete" and not forever:
            return situation
        costs.append(time.process_time() - began)
        sleep(max(every, median(costs) / SHARE))
