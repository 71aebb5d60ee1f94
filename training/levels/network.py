"""A network that may become a level: how it is judged, and how it can be trained further."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.export.quantized import Quantized
from training.fitting.calibration import nll
from training.learning.networks import Trained, TrainingTarget
from training.task import SettledNetwork
from weir.catalog.levels import Classifier
from weir.engine.arrays import Floats, Labels
from weir.engine.confidence import softmax


@dataclass(frozen=True)
class NetworkPredictions:
    """What levels are judged by: a network's logits on the validation rows, its temperature and its time."""

    logits: Floats
    """`(rows, outputs)`; of the float network, or of its artifact once it is quantized"""
    temperature: float
    """calibrates them, as learned on validation rows"""
    time_us: float
    """microseconds per row of the artifact, or of one of the same architecture"""

    @property
    def probabilities(self) -> Floats:
        """Calibrated probabilities of the validation rows, `(rows, outputs)`."""
        return softmax(self.logits, self.temperature)

    def accuracy(self, labels: Labels) -> float:
        """Return the accuracy of a network that knows all labels, 0 to 1."""
        return float((self.logits.argmax(axis=1) == labels).mean())

    def loss(self, labels: Labels) -> float:
        """Return the calibrated negative log-likelihood of a network that knows all labels, in nats."""
        return nll(self.probabilities, labels)


@dataclass(frozen=True)
class TrainableNetwork:
    """A network that was trained here, what it learned, and its predictions."""

    spec: SettledNetwork
    trained: Trained
    target: TrainingTarget
    predictions: NetworkPredictions
    quantized: Quantized | None = None
    """the artifact that will serve, once it is made"""

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether it is correct on each validation row, `(rows,)`: on the label, or on the group if it is a router."""
        correct: NDArray[np.bool_] = self.predictions.logits.argmax(axis=1) == self.target.validation.labels
        return correct

    def timed(self, time_us: float) -> "TrainableNetwork":
        """Set its time per row."""
        return replace(self, predictions=replace(self.predictions, time_us=time_us))


def classifier(network: TrainableNetwork) -> Classifier[TrainableNetwork]:
    """Make a level of a network that knows all labels; no row exits there until thresholds are certified."""
    return Classifier(
        name=network.spec.name, network=network, temperature=network.predictions.temperature, threshold=None
    )
