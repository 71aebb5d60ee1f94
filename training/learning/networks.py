"""Train one network: on labels, or also on what a teacher says; all rows alike, or some with more weight."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.data.preparation import Prepared
from training.data.split import Split
from training.learning.loop import Course, Epoch, Judged, Loss, Objective, descend
from training.modalities.picture.architectures import build
from training.modalities.picture.augmentation import Batches
from training.task import NetworkSpec
from weir.engine.confidence import softmax

Floats = NDArray[np.float32]

_CHUNK = 512
"""rows that a float network answers in one call"""
_SOFTNESS = 3.0
"""temperature of a distillation"""
_BY_TEACHER = 0.7
"""weight of what the teacher says in a distillation; the labels have the rest"""


@dataclass(frozen=True)
class TrainingTarget:
    """What one network learns: rows, and which of its outputs is right for each."""

    train: Split
    validation: Split
    outputs: int
    input_shape: tuple[int, int]
    value_range: tuple[float, float]
    teacher: Floats | None = None
    """logits of another network, whose word counts too: of the training rows, and of their mirror images after them,
    `(2 rows, outputs)`"""
    weights: Floats | None = None
    """of the training rows, `(rows,)`, 1 on average; None: all alike"""

    @classmethod
    def whole(cls, data: Prepared) -> "TrainingTarget":
        """Take all labels of a data set."""
        return cls(data.train, data.validation, len(data.label_names), data.input_shape, data.value_range)

    def plain(self) -> "TrainingTarget":
        """Take the labels alone, all rows alike."""
        return replace(self, teacher=None, weights=None)

    def part(self, outputs: NDArray[np.intp], count: int) -> "TrainingTarget":
        """Take other outputs: `outputs[label]` is the one for a label, or -1, and then its rows are left out."""

        def taken(split: Split) -> Split:
            right = outputs[split.labels]
            return Split(split.inputs[right >= 0], right[right >= 0].astype(np.int64))

        return replace(self, train=taken(self.train), validation=taken(self.validation), outputs=count)

    def blank(self, spec: NetworkSpec, seed: int) -> keras.Model:
        """Build a network for it that has learned nothing yet. Raises `BadInput` for an unknown architecture."""
        return build(spec.architecture, self.input_shape, self.outputs, self.value_range, seed)


@dataclass(frozen=True)
class Trained:
    """A network and how it came about."""

    model: keras.Model
    history: list[Epoch]
    made_of: str
    """digest of everything that made it what it is"""


def train(
    spec: NetworkSpec,
    lesson: TrainingTarget,
    seed: int,
    on_epoch: Callable[[int, int], None],
    start: keras.Model | None = None,
) -> tuple[keras.Model, list[Epoch]]:
    """Train a network, from random weights or from those that `start` has.

    The same seed, data and start give the same network on the same machine. `on_epoch(done, of)` is told the progress.

    Raises:
        BadInput: no such architecture.
        Diverged: the loss is no longer finite.
    """
    tf.config.experimental.enable_op_determinism()
    model = lesson.blank(spec, seed)
    if start is not None:
        model.set_weights(start.get_weights())
    validation = lesson.validation
    history = descend(
        Objective(
            [model], _loss(model, lesson), lambda: Judged.of(logits(model, validation.inputs), validation.labels)
        ),
        Batches(lesson.train, spec, seed),
        Course(spec.name, spec.epochs, spec.learning_rate, spec.weight_decay, spec.patience),
        on_epoch,
    )
    return model, history


def teaching(model: keras.Model, images: Floats) -> Floats:
    """Ask a teacher about rows `(n, height, width)` and then about their mirror images, giving `(2 n, outputs)`."""
    return np.concatenate([logits(model, images), logits(model, images[:, :, ::-1])])


def logits(model: keras.Model, images: Floats) -> Floats:
    """Run a float network on rows `(n, height, width)`, giving logits `(n, outputs)`."""
    parts = [model(images[start : start + _CHUNK], training=False) for start in range(0, len(images), _CHUNK)]
    return np.concatenate([np.asarray(part, np.float32) for part in parts])


def _loss(model: keras.Model, lesson: TrainingTarget) -> Loss:
    """Cross-entropy with the labels; with a teacher also with its softened word on the same picture.

    Hinton, Vinyals & Dean 2015, arXiv 1503.02531. The teacher's word is on the picture as it was before it was moved,
    but mirrored where it was.
    """
    count = len(lesson.train.labels)
    right = tf.constant(lesson.train.labels)
    weights = tf.constant(np.ones(count, np.float32) if lesson.weights is None else lesson.weights)
    soft = None if lesson.teacher is None else tf.constant(softmax(lesson.teacher, _SOFTNESS))

    def loss(images: tf.Tensor, variants: tf.Tensor) -> tf.Tensor:
        said, rows = model(images, training=True), variants % count
        each = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.gather(right, rows), said)
        if soft is not None:
            by_teacher = tf.nn.softmax_cross_entropy_with_logits(tf.gather(soft, variants), said / _SOFTNESS)
            each = (1 - _BY_TEACHER) * each + _BY_TEACHER * _SOFTNESS**2 * by_teacher
        return tf.reduce_mean(each * tf.gather(weights, rows))

    return loss
