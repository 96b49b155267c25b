"""Mean average precision over many yes-or-no labels, some of them missing.

OGB's metric for ogbg-molpcba (Hu et al. 2020, https://arxiv.org/abs/2005.00687) and AlgoPerf's: the
average precision of each label over the examples for which it is known, averaged over the labels
that have at least one known positive and one known negative.
"""

import math
from collections.abc import Mapping

import numpy as np


def average_precisions(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Average precision of each label, as scikit-learn's ``average_precision_score`` defines it.

    It is the sum over distinct scores, from high to low, of the precision at that score times the
    recall gained there, so that examples of equal score count together.

    Args:
        scores: higher for a likelier positive, shape (N, K).
        labels: 1 positive, 0 negative, below 0 missing, shape (N, K).

    Returns:
        float64 of shape (K,), NaN for a label without a known positive or without a known negative.
    """
    order = np.argsort(-scores, axis=0)
    scores = np.take_along_axis(scores, order, axis=0)
    labels = np.take_along_axis(labels, order, axis=0)
    hits, known = (labels > 0).cumsum(axis=0), (labels >= 0).cumsum(axis=0)
    precision = hits / np.maximum(known, 1)
    # A row takes the precision at the last row of equal score.
    rows = np.arange(len(scores))[:, None]
    is_last = np.concatenate([scores[1:] != scores[:-1], np.ones_like(scores[:1], bool)])
    last = np.where(is_last, rows, len(scores))
    last = np.minimum.accumulate(last[::-1], axis=0)[::-1]
    precision = np.take_along_axis(precision, last, axis=0)
    positives = hits[-1]
    sums = np.where(labels > 0, precision, 0.0).sum(axis=0)
    defined = (positives > 0) & (positives < known[-1])
    return np.where(defined, sums / np.maximum(positives, 1), math.nan)


def mean_average_precision(parts: Mapping[str, np.ndarray]) -> float:
    """`algoperf_lite.workload.Metric.finish`: the mean of `average_precisions` where defined.

    Args:
        parts: ``scores`` and ``labels`` of every example, shape (N, K); see `average_precisions`.

    Returns:
        A value in [0, 1]; NaN if no label has it defined.
    """
    values = average_precisions(parts["scores"], parts["labels"])
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else math.nan
