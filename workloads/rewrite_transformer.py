"""Translation of a made language with reordering, agreement and idioms.

Stands for AlgoPerf's WMT workload (an encoder-decoder transformer, scored by BLEU), trained on
fresh sentences: none comes twice within twice the step hint.

* Data: the source is `workloads.datasets.rewrite`; 64,000 training pairs of 8 to 16 source tokens
  (vocabulary 174) and up to 16 target tokens (vocabulary 281). Every sentence has one right
  translation, so loss can go to 0 and BLEU to 100. 128 validation pairs.
* Model: `workloads.encoder_decoder`, pre-LN, 2 + 2 blocks of width 64 with 4 heads, 215,552
  parameters. Without dropout unless a submission asks for it, since nothing is seen twice.
* Stresses: the attention to the source, which has to form before most words can be learned, on
  tokens of unequal frequency; large steps break it, and the frequencies hold momentum back.
* Loss: cross-entropy in nats per target token. The target is on BLEU, by sacrebleu over token ids
  as words, of greedy translations. Beside it stand `accuracy`, teacher-forced, and
  `exact_accuracy`, that of the greedy tokens each at its place.

    algoperf-lite run -w rewrite_transformer -s nadamw --quick

The reference, `nadamw` at its default point, reaches the target at step 945 of the step hint's
1,400 (median of 10 seeds; range 910 to 1,120, coefficient of variation 7%), in 6.0 s (5.4 to 7.0)
on 2 CPU cores. Evaluation takes 6% of the training time. Measured by ``algoperf-lite run --suite
lite -s nadamw --quick --studies 10`` and ``python -m benchmarks.trials``; `docs/workloads.md` has
other methods, and the variants.

Variants, after AlgoPerf's: `post_ln` normalises after the branches; `attention_temp` multiplies
attention scores by 4; `glu_tanh` has a gated MLP with tanh.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from algoperf_lite.workload import Dataset, Metric, Target, Workload
from workloads import translation
from workloads.datasets import rewrite
from workloads.encoder_decoder import EncoderDecoder


def teacher_forcing(rows: dict[str, np.ndarray]) -> dict[str, Any]:
    """Inputs are the source and all target tokens but the last; targets are all but the first."""
    target = rows["target"]
    decoder_in = np.ascontiguousarray(target[:, :-1])
    return {
        "inputs": {"source": rows["source"], "decoder_in": decoder_in},
        "targets": np.ascontiguousarray(target[:, 1:]),
    }


workload = Workload(
    name="rewrite_transformer",
    dataset=Dataset(
        name="rewrite",
        builder="workloads.datasets.rewrite:Rewrite",
        fingerprint="e3cbe7c76f0038ec5577e0a7d798e40649e00dcbd15d55399f64473ab803ea50",
        preprocess=teacher_forcing,
    ),
    model=EncoderDecoder(
        source_vocabulary=rewrite.SOURCE_VOCABULARY,
        target_vocabulary=rewrite.TARGET_VOCABULARY,
        bos=rewrite.BOS,
        eos=rewrite.EOS,
    ),
    loss=translation.token_cross_entropy,
    loss_kind="softmax_cross_entropy",
    target=Target("bleu", 94.5, "maximize"),
    batch_size=16,
    step_hint=1400,
    eval_every=70,
    eval_batch_size=128,
    metrics=(
        translation.bleu(rewrite.EOS),
        Metric("accuracy", translation.token_accuracy),
        Metric("exact_accuracy", translation.exact_accuracy),
    ),
)

variants = (
    workload.with_variant(
        "post_ln",
        model=replace(workload.model, post_ln=True),
        target=Target("bleu", 96.0, "maximize"),
    ),
    workload.with_variant(
        "attention_temp",
        model=replace(workload.model, attention_temperature=4.0),
        target=Target("bleu", 94.5, "maximize"),
    ),
    workload.with_variant(
        "glu_tanh",
        model=replace(workload.model, activation="tanh", glu=True),
        target=Target("bleu", 94.5, "maximize"),
    ),
)
