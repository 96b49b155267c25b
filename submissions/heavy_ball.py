"""SGD with heavy-ball momentum, gradient clipping, weight decay, linear warmup and cosine decay.

Polyak 1964, https://doi.org/10.1016/0041-5553(64)90137-5, one of AlgoPerf's baselines
(https://arxiv.org/abs/2306.07179): `nesterov` without the look-ahead, at the same default point and
in the same search space, so that the two differ in that alone.

    algoperf-lite run -s heavy_ball -w digits_resnet --quick
"""

from dataclasses import replace
from functools import partial

from submissions import nesterov

submission = replace(nesterov.submission, optimizer=partial(nesterov.nesterov, look_ahead=False))
