"""One loop for every training: gradient descent of any loss over any number of networks."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import msgspec
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.fitting.calibration import nll, temperature
from training.modalities.picture.augmentation import Batches
from weir.engine.confidence import softmax
from weir.errors import Failed

Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""a batch as `Batches` makes it, pictures `(n, height, width)` and which they are `(n,)` -> its loss, a scalar"""


class Epoch(msgspec.Struct, frozen=True, kw_only=True):
    """What one pass over the training rows came to."""

    loss: float
    """mean over the batches"""
    val_loss: float
    """the same loss of the validation rows: negative log-likelihood in nats, of several networks the overall loss"""
    val_accuracy: float | None
    """of one network, 0 to 1"""
    learning_rate: float


class Diverged(Failed):
    """Training ran off to infinity."""


@dataclass(frozen=True)
class Judged:
    """What validation rows say of networks as they are now."""

    loss: float
    accuracy: float | None
    calibrated_loss: float
    """loss under the best temperature: what is left once probabilities are calibrated"""

    @classmethod
    def of(cls, logits: NDArray[np.float32], labels: NDArray[np.int64]) -> "Judged":
        """Judge logits `(rows, outputs)` of rows whose right outputs are known, `(rows,)`."""
        if not np.isfinite(logits).all():
            return cls(math.nan, 0.0, math.inf)
        loss = nll(softmax(logits), labels)
        calibrated = nll(softmax(logits, temperature(logits, labels)), labels)
        return cls(loss, float((logits.argmax(axis=1) == labels).mean()), calibrated)


@dataclass(frozen=True)
class Objective:
    """What is to be lowered, over which networks, and how their state is judged."""

    networks: Sequence[keras.Model]
    loss: Loss
    judge: Callable[[], Judged]


@dataclass(frozen=True)
class Course:
    """How long and how fast to descend."""

    name: str
    """of what is trained, for messages"""
    epochs: int
    learning_rate: float
    """at the start; it falls to nothing along a cosine"""
    weight_decay: float = 0.0
    patience: int | None = None
    """epochs without a better calibrated validation loss after which training stops; None: it never does"""


def descend(
    objective: Objective, batches: Batches, course: Course, on_epoch: Callable[[int, int], None]
) -> list[Epoch]:
    """Lower a loss over the trainable weights of all networks (AdamW), and leave them with their best weights.

    Weights are best at the epoch whose calibrated validation loss is least. `on_epoch(done, of)` is told the progress.

    Raises:
        Diverged: a loss is no longer finite.
    """
    step, optimizer = _step(objective, course, course.epochs * len(batches))
    history: list[Epoch] = []
    best, since, kept = math.inf, 0, _weights(objective.networks)
    for done in range(1, course.epochs + 1):
        mean = float(np.mean([step(images, rows) for images, rows in batches.epoch()]))
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


def _weights(networks: Sequence[keras.Model]) -> list[list[NDArray[np.float32]]]:
    return [network.get_weights() for network in networks]


def _step(objective: Objective, course: Course, steps: int) -> tuple[Callable[..., float], keras.Optimizer]:
    """Compile one step of descent: a batch in, its loss out."""
    variables = [variable for network in objective.networks for variable in network.trainable_variables]
    falling = keras.optimizers.schedules.CosineDecay(course.learning_rate, steps)
    optimizer = keras.optimizers.AdamW(falling, weight_decay=course.weight_decay)
    optimizer.build(variables)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator] # tensorflow has no types
    def descent(images: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            value = objective.loss(images, rows)
        optimizer.apply(tape.gradient(value, variables), variables)
        return value

    return (lambda images, rows: float(descent(tf.constant(images), tf.constant(rows)))), optimizer
