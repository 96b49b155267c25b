"""CIFAR-10 photographs classified by ResNet-18 with batch norm.

Stands for AlgoPerf's ImageNet ResNet-50 on real photographs, and is its development workload.

The source of the data is the TFDS catalog's ``cifar10`` (Krizhevsky 2009, "Learning multiple layers
of features from tiny images"): 32x32 photographs in 10 classes, 45,000 to train on, 5,000 to
validate on and 10,000 to test on. ``algoperf-lite prepare cifar10_resnet`` downloads 170 MB, once.
Training images are shifted and mirrored anew at every step.

The model has 11,173,962 parameters: ResNet-18 with a stem for small images (a 3x3 convolution, no
pooling). It is meant for a GPU.

What it stresses in an optimizer: what `digits_resnet` does, on a network and on data of the size
for which the usual learning rates of such networks were found.

The target, accuracy 0.85 on validation, is the one that AlgoPerf states for its development
workload. It is provisional, like the step hint (20 epochs): nobody measured them on this workload.

    algoperf-lite run -w cifar10_resnet -s nadamw --quick
"""

from __future__ import annotations

from functools import partial
from typing import Any

import flax.linen as nn

from algoperf_lite.workload import Metric, Target, Workload
from workloads.datasets.catalog import CIFAR10
from workloads.images import OfBytes, crop_and_flip
from workloads.losses import softmax_cross_entropy, top1

# Of the training images, as AlgoPerf has them.
MEAN = (0.49139968, 0.48215827, 0.44653124)
DEVIATION = (0.24703233, 0.24348505, 0.26158768)


class ResNet(nn.Module):
    """A residual network of basic blocks for small images.

    He et al. 2015, https://arxiv.org/abs/1512.03385.

    Attributes:
        width: channels of the first stage; each further stage has twice as many.
        stages: residual blocks of each stage; all stages but the first halve the image.
        classes: outputs.
    """

    width: int = 64
    stages: tuple[int, ...] = (2, 2, 2, 2)
    classes: int = 10

    @nn.compact
    def __call__(self, inputs: Any, train: bool = False, dropout_rate: Any = None) -> Any:
        """Logits ``[B, classes]`` of images ``[B, H, W, C]``; there is no dropout."""
        del dropout_rate
        conv = partial(nn.Conv, use_bias=False, kernel_init=nn.initializers.he_normal())
        norm = partial(nn.BatchNorm, use_running_average=not train, momentum=0.9)
        x = nn.relu(norm()(conv(self.width, (3, 3))(inputs)))
        for stage, blocks in enumerate(self.stages):
            width = self.width * 2**stage
            for block in range(blocks):
                stride = 2 if stage and not block else 1
                y = nn.relu(norm()(conv(width, (3, 3), stride)(x)))
                y = norm()(conv(width, (3, 3))(y))
                if x.shape != y.shape:
                    x = norm()(conv(width, (1, 1), stride)(x))
                x = nn.relu(x + y)
        return nn.Dense(self.classes, name="head")(x.mean((1, 2)))


workload = Workload(
    name="cifar10_resnet",
    dataset=CIFAR10,
    model=OfBytes(ResNet(), MEAN, DEVIATION),
    loss=softmax_cross_entropy,
    loss_kind="softmax_cross_entropy",
    target=Target(
        "accuracy",
        0.85,
        "maximize",
        provisional="not measured here; AlgoPerf's target for its development workload cifar",
    ),
    batch_size=128,
    step_hint=7000,
    eval_every=350,
    eval_batch_size=500,
    metrics=(Metric("accuracy", top1),),
    augment=crop_and_flip,
    tier="catalog",
)

variants = ()
