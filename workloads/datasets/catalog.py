"""Datasets of the TFDS catalog: real data, downloaded and prepared by ``algoperf-lite prepare``.

The builders are TFDS's own, which check each archive's sha256. The order of the rows is fixed by
TFDS too (it sorts by a hash of each row's key), so that a slice of the training split is a fixed
random sample: the validation splits are such slices. No fingerprint is stated, as nobody measured
one yet; the first load writes down what it found, see `Dataset.fingerprint`.
"""

from collections.abc import Mapping

import numpy as np

from algoperf_lite.workload import Dataset

# The 65 characters of tiny_shakespeare; a character's place is its token.
CHARACTERS = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CONTEXT = 64  # predicted characters in a window
UNKNOWN = 255


def bytes_and_labels(features: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Images stay bytes, uint8 ``[N, H, W, C]``, which models scale; labels become int32."""
    return {"inputs": features["image"], "targets": features["label"].astype(np.int32)}


def character_windows(features: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Texts cut into windows that do not overlap; a rest shorter than a window is left out.

    Args:
        features: ``{"text": bytes [N]}``, each row a whole text.

    Returns:
        Tokens of `CONTEXT` characters and of those after them, each uint8 ``[M, CONTEXT]``.

    Raises:
        ValueError: a text holds a character that is not one of `CHARACTERS`.
    """
    table = np.full(256, UNKNOWN, np.uint8)
    table[np.frombuffer(CHARACTERS.encode(), np.uint8)] = np.arange(len(CHARACTERS))
    inputs, targets = [], []
    for text in features["text"]:
        tokens = table[np.frombuffer(text, np.uint8)]
        if (tokens == UNKNOWN).any():
            place = int(np.argmax(tokens == UNKNOWN))
            raise ValueError(f"character {text[place : place + 1]!r} is not one of the 65 known")
        length = (len(tokens) - 1) // CONTEXT * CONTEXT
        inputs.append(tokens[:length].reshape(-1, CONTEXT))
        targets.append(tokens[1 : length + 1].reshape(-1, CONTEXT))
    return {"inputs": np.concatenate(inputs), "targets": np.concatenate(targets)}


CIFAR10 = Dataset(
    name="cifar10",
    builder="tensorflow_datasets.image_classification.cifar:Cifar10",
    fingerprint=None,
    preprocess=bytes_and_labels,
    splits={"train": "train[:90%]", "validation": "train[90%:]", "test": "test"},
)

FASHION_MNIST = Dataset(
    name="fashion_mnist",
    builder="tensorflow_datasets.image_classification.mnist:FashionMNIST",
    fingerprint=None,
    preprocess=bytes_and_labels,
    splits={"train": "train[:90%]", "validation": "train[90%:]", "test": "test"},
)

TINY_SHAKESPEARE = Dataset(
    name="tiny_shakespeare",
    builder="tensorflow_datasets.datasets.tiny_shakespeare.tiny_shakespeare_dataset_builder:Builder",
    fingerprint=None,
    preprocess=character_windows,
)
