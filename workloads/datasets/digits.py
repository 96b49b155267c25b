"""The UCI digits as a dataset: few clean images to train on, distorted ones to validate on.

The source is the test part of "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak
1998, UCI Machine Learning Repository, https://doi.org/10.24432/C50P49) as scikit-learn ships it:
1,797 images of 8x8 pixels with ink 0 to 16, by 13 writers. scikit-learn is read only when the
dataset is prepared.
"""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from workloads.augment import DIGITS
from workloads.datasets.blocks import BlockBuilder

IMAGES_PER_SPLIT = 599  # a third of them
COPIES = 2  # fixed distortions of each validation and test image
SEED = 20260701


class Digits(BlockBuilder, skip_registration=True):
    """UCI digits, 8x8 bytes: 599 clean training images, 1,198 distorted ones to validate and test.

    The source images are permuted and cut in three, so no image is in two splits. Training images
    are clean and augmented on the device; each validation and test image is stored as two fixed
    distortions by `workloads.augment.Distortion.fixed`, which doubles the examples that the mean
    loss is taken over.
    """

    VERSION = "1.0.0"
    FEATURES: ClassVar = {"image": ((8, 8), np.uint8), "label": ((), np.int32)}
    ROWS_PER_RECORD = IMAGES_PER_SPLIT

    def arrays(self) -> Mapping[str, Mapping[str, np.ndarray]]:
        """See `BlockBuilder.arrays`."""
        from sklearn.datasets import load_digits  # noqa: PLC0415  (half a second)

        source = load_digits()
        rng = np.random.Generator(np.random.PCG64(SEED))
        order = np.argsort(rng.integers(0, 2**62, len(source.target)), kind="stable")
        ink, label = source.images.astype(np.int64)[order], source.target.astype(np.int32)[order]
        train, validation, test = (
            slice(n * IMAGES_PER_SPLIT, (n + 1) * IMAGES_PER_SPLIT) for n in range(3)
        )
        splits = {"train": {"image": DIGITS.coded(ink[train]), "label": label[train]}}
        for name, part in (("validation", validation), ("test", test)):
            copies = [DIGITS.fixed(ink[part], rng) for _ in range(COPIES)]
            splits[name] = {"image": np.concatenate(copies), "label": np.tile(label[part], COPIES)}
        return splits


def preprocess(features: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Bytes to model inputs, float32 ``[N, 8, 8, 1]``; labels stay int32."""
    return {"inputs": DIGITS.model_inputs(features["image"]), "targets": features["label"]}
