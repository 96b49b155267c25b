"""AdamW with linear warmup and cosine decay.

Adam (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980) with decoupled weight decay (Loshchilov
and Hutter 2019, https://arxiv.org/abs/1711.05101): `nadamw` without the Nesterov step, at the same
default point and in the same search space, so that the two differ in that alone.

    algoperf-lite run -s adamw -w zipf_lm --quick
"""

from dataclasses import replace
from functools import partial

from submissions import nadamw

submission = replace(nadamw.submission, optimizer=partial(nadamw.nadamw, nesterov=False))
