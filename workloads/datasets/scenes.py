"""Patches of two photographs and what an undersampled Fourier transform leaves of them.

The source is the two photographs that scikit-learn ships, ``china.jpg`` (by danielbuechele) and
``flower.jpg`` (by vultilion), both from Flickr under CC BY 2.0, 640x427 pixels, as grey levels.
They are cut into bands of columns that belong to training, validation or test (`BANDS`), and a
patch of 32x32 pixels lies within one band, so no pixel is in two splits. Patches of little contrast
(sky, blurred background) are left out.

An example imitates accelerated magnetic resonance imaging (fastMRI, Zbontar et al. 2018,
https://arxiv.org/abs/1811.08839): of the 32 columns of a patch's Fourier transform the lowest
frequencies are kept, a few others drawn at random for each example, and the rest set to zero; the
input is the magnitude of the inverse transform, the target the patch.

Bits. Keeping columns of the transform along one axis is a circular convolution along that axis, so
it is done in int64 with a table of cosines in units of 1 / `ONE`; the magnitude is one float64
square root of an integer below 2**53, which IEEE arithmetic rounds correctly, and is stored in
units of 1 / `UNIT` grey level. What remains is the decoder of the JPEG files. They are decoded to
their luma alone, without upsampling or colour conversion: that takes Huffman codes, which the
standard fixes, and the inverse cosine transform, which it does not. Releases of libjpeg-turbo,
which Pillow's wheels hold, do it in the same integer arithmetic, with SIMD instructions or without:
Pillow 10.1, 11.0 and 13.0 (libjpeg-turbo 3.0.0, 3.0.4 and 3.2.0) on x86-64, and the last also with
``JSIMD_FORCENONE=1``, gave the same bits. A Pillow built on another decoder may not; the dataset's
fingerprint then says so.

Shape letters: N patches of H = W = 32 pixels.
"""

from collections.abc import Iterator, Mapping
from importlib import resources
from typing import ClassVar

import numpy as np

from workloads.datasets.blocks import BlockBuilder
from workloads.datasets.draws import generator

SIDE = 32
PERIOD = 160  # columns; both photographs hold 4 periods
BANDS = {"train": (0, 96), "validation": (96, 128), "test": (128, 160)}  # columns of a period
STRIDE = {"train": (5, 8), "validation": (9, 1), "test": (9, 1)}  # rows, columns between patches
ROWS = {"train": 2400, "validation": 120, "test": 120}
SEEDS = {"train": 1, "validation": 2, "test": 3}
CONTRAST = 16  # least standard deviation of a patch, in grey levels
CENTRE = 8  # columns of lowest frequency kept in every example: -4 to 3
RANDOM = 8  # of the others kept, drawn for each example
ONE = 1 << 12  # a cosine of 1 in the integer table
UNIT = 16  # stored magnitudes are in units of 1 / UNIT grey level


def photographs() -> list[np.ndarray]:
    """Luma of the two photographs, each bytes of shape (427, 640)."""
    from PIL import Image  # noqa: PLC0415  (read only when the dataset is prepared)

    decoded = []
    for name in ("china.jpg", "flower.jpg"):
        with resources.files("sklearn.datasets.images").joinpath(name).open("rb") as file:
            image = Image.open(file)
            image.draft("L", image.size)  # the decoder then gives luma, without colour conversion
            decoded.append(np.asarray(image))
    return decoded


def corners(split: str, height: int, width: int) -> Iterator[tuple[int, int]]:
    """Top rows and left columns of the patches of a split, all within its bands."""
    down, right = STRIDE[split]
    first, last = BANDS[split]
    for period in range(0, width - PERIOD + 1, PERIOD):
        for left in range(period + first, period + last - SIDE + 1, right):
            for top in range(0, height - SIDE + 1, down):
                yield top, left


def patches(split: str) -> np.ndarray:
    """All patches of a split with enough contrast, bytes of shape (N, H, W)."""
    found = []
    for image in photographs():
        at = corners(split, *image.shape)
        found += [image[top : top + SIDE, left : left + SIDE] for top, left in at]
    stacked = np.stack(found)
    sums, squares = (stacked.astype(np.int64) ** p for p in (1, 2))
    sums, squares = sums.sum((1, 2)), squares.sum((1, 2))
    count = SIDE * SIDE
    return stacked[count * squares - sums**2 >= (count * CONTRAST) ** 2]


def masks(rows: int, rng: np.random.Generator) -> np.ndarray:
    """Which columns of the transform are kept.

    Args:
        rows: number of masks N.
        rng: where the integers come from.

    Returns:
        Booleans of shape (N, W); column k is frequency k, and k - W for k >= W / 2.
    """
    others = np.arange(CENTRE // 2, SIDE - CENTRE // 2)
    ranks = np.argsort(rng.integers(0, 2**62, (rows, len(others))), axis=1, kind="stable")
    kept = np.ones((rows, SIDE), bool)
    kept[:, others] = ranks < RANDOM
    return kept


def zero_filled(images: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Magnitude of the inverse transform of masked transforms, in integers.

    Args:
        images: bytes of shape (N, H, W).
        kept: columns of the transform to keep, of shape (N, W).

    Returns:
        uint16 of shape (N, H, W), in units of 1 / `UNIT` grey level.
    """
    at = np.arange(SIDE)
    # Rounded at 2**-12, where no cosine of the table lies near a tie.
    cosine = np.rint(ONE * np.cos(2 * np.pi * at / SIDE)).astype(np.int64)
    power = np.multiply.outer(at, at) % SIDE
    lag = (at - at[:, None]) % SIDE  # of source column m (rows) and result column n (columns)
    parts = []
    for table in (cosine, np.roll(cosine, SIDE // 4)):  # real part: cosine; imaginary part: sine
        kernel_NxW = kept.astype(np.int64) @ table[power]
        parts.append(images.astype(np.int64) @ kernel_NxW[:, lag])
    magnitude = np.sqrt((parts[0] ** 2 + parts[1] ** 2).astype(np.float64))
    return np.floor(magnitude / (SIDE * ONE // UNIT) + 0.5).astype(np.uint16)


class Scenes(BlockBuilder, skip_registration=True):
    """Patches of photographs (bytes) and their zero-filled reconstructions, 32x32 pixels each."""

    VERSION = "1.0.0"
    FEATURES: ClassVar = {
        "image": ((SIDE, SIDE), np.uint8),
        "zero_filled": ((SIDE, SIDE), np.uint16),
    }
    ROWS_PER_RECORD = 40

    def arrays(self) -> Mapping[str, Mapping[str, np.ndarray]]:
        """See `BlockBuilder.arrays`."""
        splits = {}
        for split, rows in ROWS.items():
            rng = generator(SEEDS[split])
            images = patches(split)
            order = np.argsort(rng.integers(0, 2**62, len(images)), kind="stable")[:rows]
            images = images[order]
            splits[split] = {
                "image": images,
                "zero_filled": zero_filled(images, masks(len(images), rng)),
            }
        return splits
