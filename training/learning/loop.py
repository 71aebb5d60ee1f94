"""One loop for every training: gradient descent of any loss over any number of networks."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import tensorflow as tf

from training.configured_keras import keras
from training.fitting.calibration import nll, temperature
from training.learning.batches import Epochs
from weir.engine.arrays import Floats, Labels
from weir.engine.confidence import softmax
from weir.errors import Failed

Loss = Callable[..., tf.Tensor]
"""a batch as `Epochs` make it -> its loss, a scalar"""


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
        calibrated = nll(softmax(logits, temperature(logits, labels)), labels)
        return cls(loss, float((logits.argmax(axis=1) == labels).mean()), calibrated)


@dataclass(frozen=True)
class Objective:
    """A loss over the weights of some networks, and how the networks are measured after an epoch."""

    networks: Sequence[keras.Model]
    loss: Loss
    judge: Callable[[], ValidationMetrics]


@dataclass(frozen=True)
class Schedule:
    """The schedule of a gradient descent."""

    name: str
    """names what is trained, in messages"""
    epochs: int
    learning_rate: float
    """at the start; it falls to zero along a cosine"""
    weight_decay: float = 0.0
    patience: int | None = None
    """epochs without a lower calibrated validation loss after which training stops; None: it runs all epochs"""


def fit(objective: Objective, batches: Epochs, course: Schedule, on_epoch: Callable[[int, int], None]) -> list[Epoch]:
    """Minimise a loss over the trainable weights of all networks (AdamW), and restore their best weights.

    The best weights are those of the epoch with the lowest calibrated validation loss. `on_epoch(done, of)` is called
    with the progress.

    Raises:
        Diverged: a loss is no longer finite.
    """
    step, optimizer = _step(objective, course, course.epochs * len(batches))
    history: list[Epoch] = []
    best, since, kept = math.inf, 0, _weights(objective.networks)
    for done in range(1, course.epochs + 1):
        mean = float(np.mean([step(*batch) for batch in batches.epoch()]))
        judged = objective.judge()
        if not (math.isfinite(mean) and math.isfinite(judged.loss)):
            losses = f"the loss is {mean} in epoch {done}, and {judged.loss} on validation rows"
            advice = f"a smaller learning_rate than {course.learning_rate} may help"
            raise Diverged(f"training {course.name} diverged", f"{losses}; {advice}")
        rate = float(optimizer.learning_rate)
        history.append(Epoch(loss=mean, val_loss=judged.loss, val_accuracy=judged.accuracy, learning_rate=rate))
        on_epoch(done, course.epochs)
        since += 1
        if judged.calibrated_loss < best:
            best, since, kept = judged.calibrated_loss, 0, _weights(objective.networks)
        if course.patience is not None and since >= course.patience:
            break
    for network, weights in zip(objective.networks, kept, strict=True):
        network.set_weights(weights)
    on_epoch(course.epochs, course.epochs)
    return history


def _weights(networks: Sequence[keras.Model]) -> list[list[Floats]]:
    return [network.get_weights() for network in networks]


def _step(objective: Objective, course: Schedule, steps: int) -> tuple[Callable[..., float], keras.Optimizer]:
    """Compile one step of gradient descent: a batch in, its loss out."""
    variables = [variable for network in objective.networks for variable in network.trainable_variables]
    schedule = keras.optimizers.schedules.CosineDecay(course.learning_rate, steps)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=course.weight_decay)
    optimizer.build(variables)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator] # tensorflow has no types
    def descent(*batch: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            value = objective.loss(*batch)
        optimizer.apply(tape.gradient(value, variables), variables)
        return value

    return (lambda *batch: float(descent(*map(tf.constant, batch)))), optimizer
