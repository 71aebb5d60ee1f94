"""Prediction sets that hold the label as often as promised: split conformal prediction."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from weir.catalog.promises import PredictionSets, Quantile

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


def prediction_sets(posterior: Floats, labels: Labels, alphas: Sequence[float]) -> PredictionSets:
    """Find, for each alpha, the probability from which a label is in the set; over all rows, and for each label.

    The sets of a further row hold its label with a chance of at least `1 - alpha`, on average over these rows and that
    one (Vovk, Gammerman & Shafer 2005; the score `1 - p(label)`: Sadinle, Lei & Wasserman 2019, arXiv 1609.00451).

    Args:
        posterior: what the cascade says of rows that nothing else has seen, `(rows, labels)`.
        labels: the right label of each, `(rows,)`.
        alphas: promised shares of sets without the label, 0 to 1.
    """
    of_label = posterior[np.arange(len(labels)), labels]
    names = range(posterior.shape[1])
    return PredictionSets(
        rows=len(labels),
        quantiles=tuple(
            Quantile(
                alpha=alpha,
                least=_least(of_label, alpha),
                least_per_label=tuple(_least(of_label[labels == label], alpha) for label in names),
            )
            for alpha in sorted(alphas)
        ),
    )


def _least(of_label: Floats, alpha: float) -> float:
    """Take the `ceil((n + 1) (1 - alpha))`-th largest probability; 0, which lets all labels in, when n is too small."""
    rank = math.ceil(round((len(of_label) + 1) * (1 - alpha), 9))
    return 0.0 if rank > len(of_label) else float(np.sort(of_label)[::-1][rank - 1])
