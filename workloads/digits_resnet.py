"""Handwritten digits, few and badly distorted, classified by a small ResNet with batch norm.

Stands for AlgoPerf's ImageNet ResNet-50: convolutions, batch norm, augmentation on the device.

The source of the data is the UCI digits that scikit-learn ships (`workloads.datasets.digits`):
1,797 real images of 8x8 pixels, a third for each split. The 599 training images get a fresh random
zoom, shift, occlusion and noise at every step (`workloads.augment`). Validation and test hold two
fixed distortions of each of their 599 images.

The model has 112,106 parameters: two stages of 32 and 64 channels, each a convolution and a
residual block of two.

What it stresses in an optimizer: batch norm makes the loss indifferent to the scale of the kernels
before it, so the effective size of a step depends on how the weights grow. A wide range of learning
rates works, SGD with momentum comes close to the best, and the validation loss is rough until the
learning rate decays. Methods that evaluate averaged weights (schedule-free) meet running statistics
that were collected at other weights.

The target is on the loss, which is smooth; accuracy is not: it takes steps of 1 / 1,198, and near
the target fails to gain from one evaluation to the next in one case of five. Overfitting
does not show within the step hint.

    algoperf-lite run -w digits_resnet -s nadamw --quick

Variants: the activations `silu` and `gelu`, and `large_bn_init`, where the last batch norm of each
residual branch starts at a scale of 8, as in AlgoPerf.

The reference, `nadamw` at its default point, reaches the target at step 360 of the step hint's 480
(median of 10 seeds; range 330 to 420, coefficient of variation 7%), in 8.9 s (7.8 to 10.1) on 2 CPU
cores. Evaluation takes 5% of the training time. Measured by ``algoperf-lite run --suite lite -s
nadamw --quick --studies 10`` and ``python -m benchmarks.trials``; `docs/workloads.md` has other
methods, and the variants.

Loss on validation after 480 steps and steps to the target, at default points (nadamw 10 seeds, the
others 3; medians):

    method                final loss   steps to target
    nesterov                  0.2245               330
    schedule_free_adamw       0.2514               240
    nadamw                    0.2648               360
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import flax.linen as nn

from algoperf_lite.workload import Dataset, Metric, Target, Workload
from workloads.augment import DIGITS
from workloads.datasets.digits import preprocess
from workloads.losses import softmax_cross_entropy, top1

ACTIVATIONS = {"relu": nn.relu, "silu": nn.silu, "gelu": nn.gelu}


class ResNet(nn.Module):
    """A residual network for small images.

    Each stage is a convolution, strided in all but the first, then a residual block of two
    convolutions; every convolution is followed by batch norm. He et al. 2015,
    https://arxiv.org/abs/1512.03385.

    Attributes:
        widths: channels of each stage.
        classes: outputs.
        activation: ``"relu"``, ``"silu"`` or ``"gelu"``.
        bn_init_scale: initial scale of the last batch norm of each residual branch.
    """

    widths: tuple[int, ...] = (32, 64)
    classes: int = 10
    activation: str = "relu"
    bn_init_scale: float = 1.0

    @nn.compact
    def __call__(self, inputs: Any, train: bool = False, dropout_rate: float | None = None) -> Any:
        """Logits ``[B, classes]`` of images ``[B, H, W, C]``; there is no dropout."""
        del dropout_rate
        act = ACTIVATIONS[self.activation]
        conv = partial(
            nn.Conv, kernel_size=(3, 3), use_bias=False, kernel_init=nn.initializers.he_normal()
        )
        norm = partial(nn.BatchNorm, use_running_average=not train, momentum=0.9)
        x = inputs
        for stage, width in enumerate(self.widths):
            x = act(norm()(conv(width, strides=min(stage + 1, 2))(x)))
            y = act(norm()(conv(width)(x)))
            y = norm(scale_init=nn.initializers.constant(self.bn_init_scale))(conv(width)(y))
            x = act(x + y)
        return nn.Dense(self.classes)(x.mean((1, 2)))


workload = Workload(
    name="digits_resnet",
    dataset=Dataset(
        name="digits",
        builder="workloads.datasets.digits:Digits",
        fingerprint="34ce0cd4e26c73aded353090d87104eda52864d06134b2056b66b3ae0ff73d70",
        preprocess=preprocess,
    ),
    model=ResNet(),
    loss=softmax_cross_entropy,
    loss_kind="softmax_cross_entropy",
    target=Target("loss", 0.30, "minimize"),
    batch_size=128,
    step_hint=480,
    eval_every=30,
    eval_batch_size=200,
    metrics=(Metric("accuracy", top1),),
    augment=DIGITS.augment,
)

variants = (
    workload.with_variant(
        "silu",
        model=replace(workload.model, activation="silu"),
        target=Target("loss", 0.28, "minimize"),
    ),
    workload.with_variant(
        "gelu",
        model=replace(workload.model, activation="gelu"),
        target=Target("loss", 0.29, "minimize"),
    ),
    workload.with_variant(
        "large_bn_init",
        model=replace(workload.model, bn_init_scale=8.0),
        target=Target("loss", 0.28, "minimize"),
    ),
)
