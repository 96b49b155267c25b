"""Fashion-MNIST images of clothes classified by a small convolutional network.

Stands for no workload of AlgoPerf's but for the first network of many a course; the smallest real
images of this tier.

The source of the data is the TFDS catalog's ``fashion_mnist`` (Xiao et al. 2017,
https://arxiv.org/abs/1708.07747): grey images of 28x28 pixels in 10 classes, 54,000 to train on,
6,000 to validate on and 10,000 to test on. ``algoperf-lite prepare fashion_mnist_cnn`` downloads
31 MB, once.

The model has 421,642 parameters: two 3x3 convolutions, each followed by pooling, and a hidden layer
with dropout.

What it stresses in an optimizer: no normalisation layers, so the learning rate must fit the scale
of the initialisation, and a hidden layer that holds 95% of the parameters.

The target, accuracy 0.91 on validation, is provisional, like the step hint (10 epochs): nobody
measured them. The benchmark table of the dataset's authors
(https://github.com/zalandoresearch/fashion-mnist) lists 0.876 to 0.932 on test for networks with
two convolutions.

    algoperf-lite run -w fashion_mnist_cnn -s nadamw --quick
"""

from __future__ import annotations

from typing import Any

import flax.linen as nn

from algoperf_lite.workload import Metric, Target, Workload
from workloads.datasets.catalog import FASHION_MNIST
from workloads.dropout import dropout
from workloads.images import OfBytes
from workloads.losses import softmax_cross_entropy, top1


class CNN(nn.Module):
    """Convolutions with pooling, then one hidden layer.

    Attributes:
        widths: channels of each convolution.
        hidden: units of the hidden layer.
        classes: outputs.
        own_dropout_rate: of the hidden units in training, where none is given.
    """

    widths: tuple[int, ...] = (32, 64)
    hidden: int = 128
    classes: int = 10
    own_dropout_rate: float = 0.25

    @nn.compact
    def __call__(self, inputs: Any, train: bool = False, dropout_rate: Any = None) -> Any:
        """Logits ``[B, classes]`` of images ``[B, H, W, C]``; draws from the stream "dropout"."""
        x = inputs
        for width in self.widths:
            x = nn.relu(nn.Conv(width, (3, 3))(x))
            x = nn.max_pool(x, (2, 2), strides=(2, 2))
        x = nn.relu(nn.Dense(self.hidden, name="hidden_units")(x.reshape(x.shape[0], -1)))
        rate = self.own_dropout_rate if dropout_rate is None else dropout_rate
        x = dropout(self, x, rate if train else 0)
        return nn.Dense(self.classes, name="head")(x)


workload = Workload(
    name="fashion_mnist_cnn",
    dataset=FASHION_MNIST,
    model=OfBytes(CNN(), (0.286,), (0.353,)),
    loss=softmax_cross_entropy,
    loss_kind="softmax_cross_entropy",
    target=Target(
        "accuracy",
        0.91,
        "maximize",
        provisional="not measured here; within the 0.876 to 0.932 that"
        " github.com/zalandoresearch/fashion-mnist lists for networks with two convolutions",
    ),
    batch_size=128,
    step_hint=4200,
    eval_every=210,
    eval_batch_size=500,
    metrics=(Metric("accuracy", top1),),
    tier="catalog",
)

variants = ()
