"""One loop for every training: gradient descent of any loss over any number of networks."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from training.configured_keras import keras
from training.fitting.calibration import lowest_loss, nll
from training.learning.batches import Epochs
from training.learning.descent import Descent, Loss, Schedule
from training.task import BestBy
from weir.engine.arrays import Floats, Labels
from weir.engine.confidence import softmax
from weir.errors import Failed


class Epoch(msgspec.Struct, frozen=True, kw_only=True):
    """Metrics of one pass over the training rows."""

    loss: float
    """mean over the batches"""
    val_loss: float
    """of the validation rows: negative log-likelihood of the labels, in nats, without teacher and weights; of several
    networks the overall loss"""
    val_accuracy: float | None
    """of one network, 0 to 1"""
    learning_rate: float


class Diverged(Failed):
    """Training ran off to infinity."""


@dataclass(frozen=True)
class ValidationMetrics:
    """Metrics of networks on the validation rows, as they are at the end of an epoch."""

    loss: float
    accuracy: float | None
    calibrated_loss: float
    """loss under the best temperature, of calibrated probabilities"""

    @classmethod
    def of(cls, logits: Floats, labels: Labels) -> "ValidationMetrics":
        """Measure logits `(rows, outputs)` against labels `(rows,)`."""
        if not np.isfinite(logits).all():
            return cls(math.nan, 0.0, math.inf)
        loss = nll(softmax(logits), labels)
        return cls(loss, float((logits.argmax(axis=1) == labels).mean()), lowest_loss(logits, labels))


@dataclass(frozen=True)
class Objective:
    """A loss over the weights of some networks, and how the networks are measured after an epoch."""

    networks: Sequence[keras.Model]
    loss: Loss
    judge: Callable[[], ValidationMetrics]


def fit(objective: Objective, batches: Epochs, course: Schedule, on_epoch: Callable[[int, int], None]) -> list[Epoch]:
    """Minimise a loss over the trainable weights of all networks (AdamW), and restore their best weights.

    The best weights are those of the epoch with the lowest calibrated validation loss, or as the schedule has it.
    `on_epoch(done, of)` is called with the progress.

    Raises:
        Diverged: a loss is no longer finite.
    """
    descent = Descent(objective.networks, objective.loss, course, course.epochs * len(batches))
    history: list[Epoch] = []
    best, since, kept = _WORST, 0, _weights(objective.networks)
    for done in range(1, course.epochs + 1):
        mean = float(np.mean(descent.losses(batches.epoch())))
        with descent.averaged():
            judged = objective.judge()
            _check_finite(mean, judged, done, course)
            rank = _rank(judged, course.best_by)
            since += 1
            if rank > best:
                best, since, kept = rank, 0, _weights(objective.networks)
        rate = descent.learning_rate
        history.append(Epoch(loss=mean, val_loss=judged.loss, val_accuracy=judged.accuracy, learning_rate=rate))
        on_epoch(done, course.epochs)
        if course.patience is not None and since >= course.patience:
            break
    for network, weights in zip(objective.networks, kept, strict=True):
        network.set_weights(weights)
    on_epoch(course.epochs, course.epochs)
    return history


def _check_finite(mean: float, judged: ValidationMetrics, done: int, course: Schedule) -> None:
    """Raise `Diverged` if the loss of an epoch, or of validation rows after it, is no longer finite."""
    if not (math.isfinite(mean) and math.isfinite(judged.loss)):
        losses = f"the loss is {mean} in epoch {done}, and {judged.loss} on validation rows"
        advice = f"a smaller learning_rate than {course.learning_rate} may help"
        raise Diverged(f"training {course.name} diverged", f"{losses}; {advice}")


def _rank(judged: ValidationMetrics, best_by: BestBy) -> tuple[float, float]:
    """Rank the weights of an epoch: the higher, the better."""
    accuracy = judged.accuracy if best_by == "accuracy" and judged.accuracy is not None else 0.0
    return (accuracy, -judged.calibrated_loss) if math.isfinite(judged.calibrated_loss) else _WORST


_WORST = (-math.inf, -math.inf)


def _weights(networks: Sequence[keras.Model]) -> list[list[Floats]]:
    return [network.get_weights() for network in networks]
