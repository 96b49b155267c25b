"""Language modelling of Shakespeare's characters by a small decoder-only transformer.

Stands for the decoder-only model of AlgoPerf's version 0.6, on real text.

The source of the data is the TFDS catalog's ``tiny_shakespeare`` (Karpathy 2015,
https://karpathy.github.io/2015/05/21/rnn-effectiveness/): 1.1 million characters of plays, 65
different ones, of which the first 90% are trained on and the two halves of the rest are for
validation and test. ``algoperf-lite prepare shakespeare_gpt`` downloads 1.1 MB, once. A text is cut
into windows of 64 predicted characters; one epoch is 490 steps.

The model has 808,960 parameters: the decoder of `workloads.zipf_lm` with 4 blocks of width 128.

What it stresses in an optimizer: what `zipf_lm` does, on a text so short that it is read four
times; depth, and few outputs, instead of many rare tokens.

The target, 1.75 nats per character on validation, is provisional, like the step hint: nobody
measured them. nanoGPT (https://github.com/karpathy/nanoGPT) reports 1.88 for a model of this size
after 1.5 million characters, where the step hint has 4.1 million, and 1.47 for one of 10.7 million
parameters.

    algoperf-lite run -w shakespeare_gpt -s nadamw --quick
"""

from algoperf_lite.workload import Metric, Target, Workload
from workloads.datasets.catalog import CHARACTERS, TINY_SHAKESPEARE
from workloads.losses import softmax_cross_entropy, top1
from workloads.zipf_lm import Decoder

workload = Workload(
    name="shakespeare_gpt",
    dataset=TINY_SHAKESPEARE,
    model=Decoder(vocabulary=len(CHARACTERS), width=128, depth=4, hidden=512),
    loss=softmax_cross_entropy,
    loss_kind="softmax_cross_entropy",
    target=Target(
        "loss",
        1.75,
        "minimize",
        provisional="not measured here; between the 1.88 and 1.47 that github.com/karpathy/nanoGPT"
        " reports for its smaller and larger model",
    ),
    batch_size=32,
    step_hint=2000,
    eval_every=125,
    eval_batch_size=100,
    metrics=(Metric("accuracy", top1),),
    tier="catalog",
)

variants = ()
