"""The TFDS builder that our datasets share: arrays in, array_record files of row blocks out.

TFDS spends about as long on a record of one row as on one of a thousand, so a record holds
`ROWS_PER_RECORD` rows and `algoperf_lite.dataset` joins them again. Nothing here needs TensorFlow.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow_datasets as tfds


class BlockBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """A dataset given by `arrays`; subclasses define that, `FEATURES` and `VERSION`.

    Generators must give the same bits on every machine: draw integers from
    ``np.random.Generator(np.random.PCG64(seed))``, quantise, and let no result hang on the last bit
    of a math library.

    Attributes:
        FEATURES: feature name to (shape of one row, dtype).
        ROWS_PER_RECORD: rows in one record; must divide the number of rows of every split.
    """

    FEATURES: Mapping[str, tuple[tuple[int, ...], Any]]
    ROWS_PER_RECORD: int = 100
    # TFDS looks for checksums of downloads beside this path, through a package that it does not
    # itself require (importlib_resources); nothing here is downloaded.
    code_path = None

    def arrays(self) -> Mapping[str, Mapping[str, np.ndarray]]:
        """``{split: {feature: array of N rows}}`` for train, validation and test."""
        raise NotImplementedError

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            name: tfds.features.Tensor(shape=(self.ROWS_PER_RECORD, *shape), dtype=dtype)
            for name, (shape, dtype) in self.FEATURES.items()
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.__doc__,
            features=tfds.features.FeaturesDict(features),
            disable_shuffling=True,  # the generator's order is the dataset's order
        )

    def _split_generators(self, dl_manager: Any) -> Mapping[str, Iterator]:
        del dl_manager  # nothing is downloaded
        return {split: self._generate_examples(rows) for split, rows in self.arrays().items()}

    def _generate_examples(self, rows: Mapping[str, np.ndarray]) -> Iterator:
        count = len(next(iter(rows.values())))
        if count % self.ROWS_PER_RECORD:
            raise ValueError(f"{count} rows do not divide into blocks of {self.ROWS_PER_RECORD}")
        for start in range(0, count, self.ROWS_PER_RECORD):
            stop = start + self.ROWS_PER_RECORD
            yield start, {name: array[start:stop] for name, array in rows.items()}
