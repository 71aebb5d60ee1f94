"""Fine-tune all levels of a ladder at once, on the overall loss of the fused posterior.

`L = sum_k w_k L_k + L_fused`: `L_k` is a level's own cross-entropy, and `L_fused = -ln q(y)` that of the fused
posterior, whose exits are soft: level k keeps the share `g_k = sigmoid((c_k - threshold_k) / softness)` of what reaches
it, the last all, and `q = sum_k g_k prod_{j<k} (1 - g_j) q_k`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import keras
import numpy as np
import tensorflow as tf

from training.data.split import Split
from training.learning.batches import Batches
from training.learning.loop import Course, Epoch, Judged, Objective, descend
from training.learning.networks import TrainingTarget
from training.task import NetworkSpec
from weir.catalog.manifest import Fusion, Kind
from weir.engine.hierarchy import Hierarchy

_SOFTNESS = 0.05
_OWN = 0.5
"""w_k, the weight of each level's own loss"""
_LEAST = 1e-7


@dataclass(frozen=True)
class JointLevel:
    """One level as the gradient sees it."""

    kind: Kind
    threshold: float
    """above 1: no row leaves here"""
    network: keras.Model | None = None
    temperature: float = 1.0
    fusion: Fusion = "replace"
    weights: tuple[float, float] = (1.0, 1.0)
    experts: Mapping[int, keras.Model] = field(default_factory=dict)
    temperatures: Mapping[int, float] = field(default_factory=dict)
    """of the experts"""
    before_weights: Mapping[int, float] = field(default_factory=dict)

    @property
    def networks(self) -> list[keras.Model]:
        """Every network of the level."""
        return [*([self.network] if self.network is not None else []), *self.experts.values()]


@dataclass(frozen=True)
class Joint:
    """Levels that learn together."""

    levels: Sequence[JointLevel]
    hierarchy: Hierarchy | None
    labels: int

    @property
    def networks(self) -> list[keras.Model]:
        """Every network, level by level."""
        return [network for level in self.levels for network in level.networks]

    def loss(self, images: tf.Tensor, right: tf.Tensor, *, training: bool = True) -> tf.Tensor:
        """Take the overall loss of a batch: pictures `(n, height, width)`, right labels `(n,)` -> a scalar."""
        batch = _Batch(images, right, training=training)
        fused = tf.zeros_like(right, tf.float32)
        reach = tf.ones_like(fused)
        posterior: tf.Tensor | None = None
        for number, level in enumerate(self.levels):
            posterior = self._posterior(level, posterior, batch)
            leaves = tf.ones_like(reach)
            if number < len(self.levels) - 1:
                sure = tf.reduce_max(posterior, axis=1)
                may_leave = 1.0 if level.threshold <= 1 else 0.0
                leaves = may_leave * tf.sigmoid((sure - level.threshold) / _SOFTNESS)
            fused += reach * leaves * tf.gather(posterior, right, batch_dims=1)
            reach *= 1 - leaves
        return _OWN * tf.add_n(batch.own) + tf.reduce_mean(-_log(fused))

    def _posterior(self, level: JointLevel, before: tf.Tensor | None, batch: "_Batch") -> tf.Tensor:
        """Fuse a level's word with the posterior so far, `(n, labels)`, and add its own loss to the batch's."""
        if level.kind == "experts":
            return self._refined(level, self._prior(batch) if before is None else before, batch)
        assert level.network is not None, "a level that does not refine has a network"
        logits = level.network(batch.inputs, training=batch.training)
        word = tf.nn.softmax(logits / level.temperature)
        targets = batch.right
        if level.kind == "router":
            assert self.hierarchy is not None, "a router has groups"
            targets = tf.gather(tf.constant(self.hierarchy.group_of), batch.right)
            word = tf.gather(word, self.hierarchy.group_of, axis=1) * self.hierarchy.conditional
        batch.own.append(tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)))
        if level.fusion == "pool" and before is not None:
            return tf.nn.softmax(level.weights[0] * _log(before) + level.weights[1] * _log(word))
        return word

    def _prior(self, batch: "_Batch") -> tf.Tensor:
        assert self.hierarchy is not None, "experts have groups"
        return tf.tile(tf.constant([self.hierarchy.prior], tf.float32), (tf.shape(batch.right)[0], 1))

    def _refined(self, level: JointLevel, before: tf.Tensor, batch: "_Batch") -> tf.Tensor:
        assert self.hierarchy is not None, "experts have groups"
        columns = tf.unstack(before, num=self.labels, axis=1)
        for group, expert in level.experts.items():
            members = list(self.hierarchy.members[group])
            part = tf.gather(before, members, axis=1)
            logits = expert(batch.inputs, training=batch.training)
            batch.own.append(_within(logits, batch.right, members, self.labels))
            logs = logits / level.temperatures.get(group, 1.0) + level.before_weights.get(group, 0.0) * _log(part)
            fine = tf.reduce_sum(part, axis=1, keepdims=True) * tf.nn.softmax(logs)
            for place, label in enumerate(members):
                columns[label] = fine[:, place]
        return tf.stack(columns, axis=1)


@dataclass(frozen=True)
class _Batch:
    """Rows, and the losses of the levels that spoke so far."""

    inputs: tf.Tensor
    right: tf.Tensor
    training: bool
    own: list[tf.Tensor] = field(default_factory=list)


def _log(probabilities: tf.Tensor) -> tf.Tensor:
    return tf.math.log(tf.maximum(probabilities, _LEAST))


def _within(logits: tf.Tensor, right: tf.Tensor, members: Sequence[int], labels: int) -> tf.Tensor:
    """Mean cross-entropy of an expert over the rows of its group; the others do not count."""
    outputs = np.full(labels, -1, np.int64)
    outputs[list(members)] = np.arange(len(members))
    targets = tf.gather(tf.constant(outputs), right)
    inside = tf.cast(targets >= 0, tf.float32)
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(targets, 0), logits)
    return tf.reduce_sum(each * inside) / tf.maximum(tf.reduce_sum(inside), 1.0)


def fine_tune(
    joint: Joint, lesson: TrainingTarget, spec: NetworkSpec, seed: int, on_epoch: Callable[[int, int], None]
) -> list[tuple[keras.Model, list[Epoch]]]:
    """Fine-tune every network of a ladder, in place; each comes back with the curve of the overall loss.

    Args:
        joint: the levels; their networks are changed.
        lesson: rows to learn from, and rows that choose the best epoch.
        spec: epochs, learning rate, and how rows are batched and changed.
        seed: of the order of the rows.
        on_epoch: is told `(epochs done, of)`.

    Raises:
        Diverged: the loss is no longer finite.
    """
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)
    right = tf.constant(lesson.train.labels)
    count = len(lesson.train.labels)
    objective = Objective(
        joint.networks,
        lambda images, variants: joint.loss(images, tf.gather(right, variants % count)),
        lambda: _judged(joint, lesson.validation),
    )
    course = Course(spec.name, spec.epochs, spec.learning_rate, spec.weight_decay)
    history = descend(objective, Batches(lesson.train, spec, seed), course, on_epoch)
    return [(network, history) for network in joint.networks]


def _judged(joint: Joint, validation: Split, chunk: int = 512) -> Judged:
    """Take the overall loss of validation rows."""
    labels = validation.labels
    parts = [slice(start, start + chunk) for start in range(0, len(labels), chunk)]
    values = [
        float(joint.loss(tf.constant(validation.inputs[rows]), tf.constant(labels[rows]), training=False))
        for rows in parts
    ]
    sizes = [len(labels[rows]) for rows in parts]
    loss = float(np.average(values, weights=sizes))
    return Judged(loss, None, loss if np.isfinite(loss) else float("inf"))
