"""training.modalities.text.document_frequency."""

import numpy as np
from sklearn.feature_extraction.text import TfidfTransformer

from training.modalities.text.document_frequency import document_frequency, inverse_document_frequency

RANDOM = np.random.default_rng(0)


def test_texts_are_counted_once_for_each_bucket() -> None:
    """A bucket that a text has twice counts once; bucket 0 is counted where there is an empty place."""
    texts = np.array([[3, 3, 1, 0], [3, 2, 0, 0], [1, 1, 1, 1]], np.int32)
    assert document_frequency(texts, 5).tolist() == [2, 2, 1, 2, 0]


def test_weights_are_those_of_scikit_learn() -> None:
    """The smoothed inverse document frequency is its own; bucket 0 weighs nothing."""
    texts = RANDOM.integers(0, 40, (30, 12)).astype(np.int32)
    counts = np.array([np.bincount(row, minlength=50) for row in texts])
    expected = TfidfTransformer().fit(counts).idf_
    weights = inverse_document_frequency(texts, 50)
    assert weights.dtype == np.float32
    assert weights[0] == 0
    np.testing.assert_allclose(weights[1:], expected[1:], rtol=1e-6)
