"""Mean average precision is scikit-learn's, with ties and missing labels."""

import math

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from workloads.average_precision import average_precisions, mean_average_precision


def by_scikit_learn(scores, labels):
    """OGB's loop: known examples only, NaN where a class is absent."""
    values = []
    for score, label in zip(scores.T, labels.T, strict=True):
        known = label >= 0
        both = {0, 1} <= set(label[known].tolist())
        values.append(average_precision_score(label[known], score[known]) if both else math.nan)
    return np.array(values)


@pytest.mark.parametrize("levels", [1, 2, 7, 10**6])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_that_of_scikit_learn_with_ties_and_missing_labels(levels, seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(-levels, levels, (200, 12)).astype(np.float32)
    labels = (rng.random((200, 12)) < np.linspace(0.01, 0.6, 12)).astype(np.int8)
    labels[rng.random(labels.shape) < 0.4] = -1
    expected = by_scikit_learn(scores, labels)
    np.testing.assert_allclose(average_precisions(scores, labels), expected, rtol=1e-12)
    mean = mean_average_precision({"scores": scores, "labels": labels})
    assert mean == pytest.approx(np.nanmean(expected), rel=1e-12)


def test_labels_without_both_classes_do_not_count():
    scores = np.array([[0.9, 1.0, 2.0, 3.0], [0.1, 2.0, 1.0, 1.0]], np.float32)
    labels = np.array([[1, 1, 0, -1], [0, 1, 0, -1]], np.int8)
    assert np.isnan(average_precisions(scores, labels)).tolist() == [False, True, True, True]
    assert mean_average_precision({"scores": scores, "labels": labels}) == 1.0


def test_without_any_defined_label_it_is_nan():
    parts = {"scores": np.zeros((3, 2), np.float32), "labels": np.zeros((3, 2), np.int8)}
    assert math.isnan(mean_average_precision(parts))


def test_scores_of_missing_labels_do_not_matter():
    labels = np.array([[1], [-1], [0], [1]], np.int8)
    values = [
        average_precisions(np.array([[3.0], [missing], [2.0], [1.0]]), labels)[0]
        for missing in (-np.inf, 0.0, 1.0, 2.0, 3.0, np.inf)
    ]
    assert values == [values[0]] * 6
    assert values[0] == pytest.approx((1 + 2 / 3) / 2)
