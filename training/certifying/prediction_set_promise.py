"""The promise `alphas`: prediction sets that hold the label as often as promised, by split conformal prediction."""

import math
from collections.abc import Sequence

import numpy as np

from training.certifying.final_posterior import FinalPredictions
from weir.catalog.promises import PredictionSets, Quantile
from weir.engine.arrays import Floats


def certify_sets(rows: FinalPredictions, alphas: Sequence[float]) -> PredictionSets:
    """Find, for each alpha, the probability from which a label is in the set; over all rows, and for each label.

    The set of a further row holds its label with a chance of at least `1 - alpha`, on average over these rows and that
    one (Vovk, Gammerman & Shafer 2005; the score `1 - p(label)`: Sadinle, Lei & Wasserman 2019, arXiv 1609.00451).

    Args:
        rows: the cascade's predictions for certification rows, which nothing else has used.
        alphas: promised shares of sets without the label, 0 to 1.
    """
    posterior, labels = rows.predictions.probabilities, rows.labels
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
    """Return the `ceil((n + 1) (1 - alpha))`-th largest probability; 0, which lets all labels in, for a small n."""
    rank = math.ceil(round((len(of_label) + 1) * (1 - alpha), 9))
    return 0.0 if rank > len(of_label) else float(np.sort(of_label)[::-1][rank - 1])
