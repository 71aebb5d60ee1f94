"""How much the buckets of texts count: the less, the more texts have them."""

import numpy as np
from numpy.typing import NDArray

from training.modalities.text.hashing import Buckets
from weir.engine.arrays import Floats


def inverse_document_frequency(texts: Buckets, buckets: int) -> Floats:
    """Return `ln((1 + texts) / (1 + texts with it)) + 1` of every bucket, `(buckets,)`; 0 of bucket 0.

    Smoothed as scikit-learn's `TfidfTransformer` does it: a bucket that no text has counts most, and none is infinite.
    `texts` is `(texts, parts)`, 0 where there is no part.
    """
    weights: Floats = (np.log((1 + len(texts)) / (1 + document_frequency(texts, buckets))) + 1).astype(np.float32)
    weights[0] = 0
    return weights


def document_frequency(texts: Buckets, buckets: int) -> NDArray[np.int64]:
    """Count the texts that have each bucket, `(buckets,)`."""
    ordered = np.sort(texts, axis=1)
    first = np.diff(ordered, axis=1, prepend=-1) != 0
    return np.bincount(ordered[first], minlength=buckets)
