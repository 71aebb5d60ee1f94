"""Train one network: on labels, or on the logits of a teacher; rows may have weights."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tensorflow as tf
from keras import tree
from numpy.typing import NDArray

from training.configured_keras import keras
from training.data.preparation import PreparedData
from training.data.rows import Rows, RowStore, by_chunk
from training.data.splits.balance import balanced
from training.data.splits.split import Split, TrainingSplit
from training.learning.batches import Batches, DistillationBatches, Epochs
from training.learning.descent import Loss, Schedule
from training.learning.loop import Epoch, Objective, ValidationMetrics, fit
from training.learning.views import TeacherViews
from training.modalities import modality_of
from training.modalities.fronts import Front, arrays_of, parted
from training.modalities.modality import Modality
from training.task import SettledNetwork
from weir.catalog.inputs import Input
from weir.engine.arrays import Floats

_CHUNK = 512
"""rows that a float network answers in one call"""
TEMPERATURE = 2.0
"""by which the logits of teacher and student are divided in a distillation"""


@dataclass(frozen=True)
class TrainingTarget:
    """What one network learns: rows, and the target output of each."""

    train: TrainingSplit
    validation: Split
    outputs: int
    inputs: tuple[Input, ...]
    """what a row is"""
    teacher: TeacherViews | None = None
    """what another network says of the training rows, to learn from in the place of the labels"""
    weights: Floats | None = None
    """of the training rows, `(rows,)`, 1 on average; None: all alike"""
    fitted_on: TrainingSplit | None = None
    """rows of which statistics of the inputs are fitted; None: the training rows"""

    @classmethod
    def all_labels(cls, data: PreparedData) -> "TrainingTarget":
        """Make the target of a network that knows all labels of a data set."""
        return cls(data.train, data.validation, len(data.label_names), data.inputs)

    @property
    def modality(self) -> Modality:
        """What training knows of this kind of input. Raises `BadInput` for a kind that it does not know."""
        return modality_of(self.inputs)

    def labels_only(self) -> "TrainingTarget":
        """Leave the teacher and the weights out."""
        return replace(self, teacher=None, weights=None)

    def subset(self, outputs: NDArray[np.intp], count: int) -> "TrainingTarget":
        """Map labels to other outputs: `outputs[label]` is a label's output, or -1, and then its rows are left out."""

        def mapped(split: TrainingSplit) -> TrainingSplit:
            targets = outputs[split.labels]
            return replace(split, labels=targets.astype(np.int64)).taken(np.flatnonzero(targets >= 0))

        return replace(
            self,
            train=mapped(self.train),
            validation=mapped(self.validation).read(),
            outputs=count,
            fitted_on=self.fitted_on or self.train,  # so that experts can begin with the weights of a generalist
        )

    def untrained(self, spec: SettledNetwork, seed: int) -> keras.Model:
        """Build an untrained network for it. Raises `BadInput` for an unknown architecture."""
        return self.modality.build(spec, self.outputs, seed, (self.fitted_on or self.train).excerpt())


@dataclass(frozen=True)
class Trained:
    """A trained network and the curve of its training."""

    model: keras.Model
    history: list[Epoch]
    made_of: str
    """digest of everything that it was made of: data, seed, description, libraries"""


def train(
    spec: SettledNetwork,
    target: TrainingTarget,
    seed: int,
    on_epoch: Callable[[int, int], None],
    start: keras.Model | None = None,
) -> tuple[keras.Model, list[Epoch]]:
    """Train a network, from random weights or from those of `start`.

    The same seed, data and start give the same network on the same machine. `on_epoch(done, of)` is called with the
    progress.

    Raises:
        BadInput: no such architecture.
        Diverged: the loss is no longer finite.
    """
    tf.config.experimental.enable_op_determinism()
    model = target.untrained(spec, seed)
    if start is not None:
        model.set_weights(start.get_weights())
    front, rest = parted(model)
    validation, predicting = front(arrays_of(target.validation.inputs)), _predicting(rest, spec)
    history = fit(
        Objective(
            [rest],
            _label_loss(rest, target, spec) if target.teacher is None else _teacher_loss(rest, target),
            lambda: ValidationMetrics.of(_in_chunks(predicting, validation), target.validation.labels),
        ),
        _batches(target, spec, seed, front),
        Schedule.of(spec),
        on_epoch,
    )
    return model, history


def _predicting(model: keras.Model, spec: SettledNetwork) -> Callable[..., tf.Tensor]:
    """Compile the answers of a network where its steps are as short as a call."""
    predicting: Callable[..., tf.Tensor] = model
    if spec.steps_per_execution > 1:
        predicting = tf.function(model, reduce_retracing=True)
    return predicting


def logits(model: keras.Model, rows: Rows) -> Floats:
    """Run a float network on rows `(n, …)`: logits `(n, outputs)`."""
    front, rest = parted(model)
    if not isinstance(rows, RowStore):
        return _in_chunks(rest, front(arrays_of(rows)))
    return by_chunk(lambda chunk: _in_chunks(rest, front(arrays_of(chunk))), rows)


def _in_chunks(network: Callable[..., tf.Tensor], inputs: Any) -> Floats:  # noqa: ANN401 (as Keras takes them)
    """Run a network on some rows at a time."""
    count = len(tree.flatten(inputs)[0])
    parts = [
        network(tree.map_structure(lambda array, of=slice(start, start + _CHUNK): array[of], inputs), training=False)
        for start in range(0, count, _CHUNK)
    ]
    return np.concatenate([np.asarray(part, np.float32) for part in parts])


def _batches(target: TrainingTarget, spec: SettledNetwork, seed: int, front: Front) -> Epochs:
    if target.teacher is None:
        return Batches(target.train, target.modality, spec, seed, front)
    return DistillationBatches(target.teacher, spec, seed, front)


def _label_loss(model: keras.Model, target: TrainingTarget, spec: SettledNetwork) -> Loss:
    """Cross-entropy with the labels, smoothed and balanced as the network's description has it."""
    labels, weights = tf.constant(target.train.labels), _weights(target)
    if spec.balanced:
        weights *= tf.constant(balanced(target.train.labels))
        weights /= tf.reduce_mean(weights)
    smooth = spec.label_smoothing

    def loss(inputs: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        outputs = model(inputs, training=True)
        each = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.gather(labels, rows), outputs)
        if smooth:
            each = (1 - smooth) * each - smooth * tf.reduce_mean(tf.nn.log_softmax(outputs), axis=1)
        return tf.reduce_mean(each * tf.gather(weights, rows))

    return loss


def _teacher_loss(model: keras.Model, target: TrainingTarget) -> Loss:
    """Divergence (KL) of the probabilities from the teacher's, both softened by the same temperature T, times T².

    Hinton, Vinyals & Dean 2015, arXiv 1503.02531.
    """
    weights = _weights(target)

    def loss(inputs: tf.Tensor, rows: tf.Tensor, teacher: tf.Tensor) -> tf.Tensor:
        mine, theirs = (tf.nn.log_softmax(one / TEMPERATURE) for one in (model(inputs, training=True), teacher))
        each = tf.reduce_sum(tf.exp(theirs) * (theirs - mine), axis=1)
        return TEMPERATURE**2 * tf.reduce_mean(each * tf.gather(weights, rows))

    return loss


def _weights(target: TrainingTarget) -> tf.Tensor:
    """Return the weight of every training row, `(rows,)`."""
    return tf.constant(np.ones(len(target.train.labels), np.float32) if target.weights is None else target.weights)
