"""Fine-tune all levels of a ladder jointly, on the overall loss of the fused posterior.

`L = sum_k w_k L_k + L_fused`: `L_k` is a level's own cross-entropy, and `L_fused = -ln q(y)` that of the fused
posterior, whose exits are soft: level k keeps the share `g_k = sigmoid((c_k - threshold_k) / softness)` of what reaches
it, the last all, and `q = sum_k g_k prod_{j<k} (1 - g_j) q_k`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
from keras import tree
from numpy.typing import NDArray

from training.configured_keras import keras
from training.data.splits.split import Split
from training.learning.batches import Batches
from training.learning.descent import Schedule
from training.learning.loop import Epoch, Objective, ValidationMetrics, fit
from training.learning.networks import TrainingTarget
from training.modalities.fronts import arrays_of
from training.task import SettledNetwork
from weir.catalog.levels import Experts, Level, Router
from weir.engine.cascade import Cascade

_SOFTNESS = 0.05
"""width of a soft exit, in confidence"""
_OWN = 0.5
"""w_k, the weight of each level's own loss"""
_LEAST = 1e-7
"""stands for a probability of zero where its logarithm is needed"""


@dataclass(frozen=True)
class Joint:
    """A cascade whose networks are trained together."""

    cascade: Cascade[keras.Model]
    """its thresholds set the soft exits"""
    labels: int
    """how many labels there are"""

    @property
    def networks(self) -> list[keras.Model]:
        """Every network, level by level."""
        return self.cascade.networks

    def loss(self, inputs: tf.Tensor, targets: tf.Tensor, *, training: bool = True) -> tf.Tensor:
        """Return the overall loss of a batch, a scalar: inputs `(n, …)`, correct labels `(n,)`."""
        batch = _Batch(inputs, targets, training=training)
        fused = tf.zeros_like(targets, tf.float32)
        reach = tf.ones_like(fused)
        posterior: tf.Tensor | None = None
        for number, level in enumerate(self.cascade.levels):
            posterior = self._posterior(level, posterior, batch)
            exits = tf.ones_like(reach)
            if number < len(self.cascade.levels) - 1:
                exits = _soft_exits(tf.reduce_max(posterior, axis=1), level.threshold)
            fused += reach * exits * tf.gather(posterior, targets, batch_dims=1)
            reach *= 1 - exits
        return _OWN * tf.add_n(batch.own) + tf.reduce_mean(-_log(fused))

    def _posterior(self, level: Level[keras.Model], before: tf.Tensor | None, batch: "_Batch") -> tf.Tensor:
        """Fuse a level with the posterior so far, `(n, labels)`, and add its own loss to the batch's."""
        if isinstance(level, Experts):
            return self._refined(level, self._prior(batch) if before is None else before, batch)
        logits = _run(level.network, batch)
        probabilities = tf.nn.softmax(logits / level.temperature)
        targets = batch.targets
        if isinstance(level, Router):
            hierarchy = self.cascade.hierarchy
            targets = tf.gather(tf.constant(hierarchy.group_of), targets)
            probabilities = tf.gather(probabilities, hierarchy.group_of, axis=1) * hierarchy.conditional
        batch.own.append(tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)))
        if level.fusion == "pool" and before is not None:
            return tf.nn.softmax(level.weights[0] * _log(before) + level.weights[1] * _log(probabilities))
        return probabilities

    def _prior(self, batch: "_Batch") -> tf.Tensor:
        """Return the prior as the posterior of every row, `(n, labels)`."""
        prior = tf.constant([self.cascade.hierarchy.prior], tf.float32)
        return tf.tile(prior, (tf.shape(batch.targets)[0], 1))

    def _refined(self, level: Experts[keras.Model], before: tf.Tensor, batch: "_Batch") -> tf.Tensor:
        """Refine the posterior within each group that has an expert, `(n, labels)`."""
        columns = tf.unstack(before, num=self.labels, axis=1)
        hierarchy = self.cascade.hierarchy
        for group, expert in level.experts.items():
            members = list(hierarchy.members_of(group))
            part = tf.gather(before, members, axis=1)
            logits = _run(expert.network, batch)
            batch.own.append(_expert_loss(logits, batch.targets, members, self.labels))
            logs = logits / expert.temperature + expert.before_weight * _log(part)
            refined = tf.reduce_sum(part, axis=1, keepdims=True) * tf.nn.softmax(logs)
            for place, label in enumerate(members):
                columns[label] = refined[:, place]
        return tf.stack(columns, axis=1)


def _soft_exits(confidences: tf.Tensor, threshold: float | None) -> tf.Tensor:
    """Return the share of each row that exits at a level, `(n,)`; zero where the threshold is None."""
    if threshold is None:
        return tf.zeros_like(confidences)
    return tf.sigmoid((confidences - threshold) / _SOFTNESS)


@dataclass(frozen=True)
class _Batch:
    """A batch of rows, and the levels' own losses on it so far."""

    inputs: tf.Tensor | dict[str, tf.Tensor]
    """of the only input, or of each by its name"""
    targets: tf.Tensor
    training: bool
    own: list[tf.Tensor] = field(default_factory=list)


def _log(probabilities: tf.Tensor) -> tf.Tensor:
    return tf.math.log(tf.maximum(probabilities, _LEAST))


def _expert_loss(logits: tf.Tensor, targets: tf.Tensor, members: Sequence[int], labels: int) -> tf.Tensor:
    """Return the mean cross-entropy of an expert over the rows of its group; other rows do not count."""
    output_of = np.full(labels, -1, np.int64)
    output_of[list(members)] = np.arange(len(members))
    outputs = tf.gather(tf.constant(output_of), targets)
    inside = tf.cast(outputs >= 0, tf.float32)
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(outputs, 0), logits)
    return tf.reduce_sum(each * inside) / tf.maximum(tf.reduce_sum(inside), 1.0)


def fine_tune(
    joint: Joint, target: TrainingTarget, spec: SettledNetwork, seed: int, on_epoch: Callable[[int, int], None]
) -> list[tuple[keras.Model, list[Epoch]]]:
    """Fine-tune all networks of a cascade in place; return each with the curve of the overall loss.

    Args:
        joint: the levels; their networks are changed.
        target: rows to learn from, and rows that choose the best epoch.
        spec: epochs, learning rate, and how rows are batched and changed.
        seed: of the order of the rows.
        on_epoch: called with `(epochs done, of)`.

    Raises:
        Diverged: the loss is no longer finite.
    """
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)
    labels = tf.constant(target.train.labels)
    objective = Objective(
        joint.networks,
        lambda inputs, rows: joint.loss(inputs, tf.gather(labels, rows)),
        lambda: _judged(joint, target.validation),
    )
    course = Schedule(
        spec.name, spec.epochs, spec.learning_rate, spec.weight_decay, beta_2=spec.beta_2, decays=spec.decays
    )
    history = fit(objective, Batches(target.train, target.modality, spec, seed), course, on_epoch)
    return [(network, history) for network in joint.networks]


def _run(network: keras.Model, batch: "_Batch") -> tf.Tensor:
    """Run a network on a batch: of several inputs it takes those that it reads."""
    inputs = batch.inputs
    if isinstance(inputs, dict):
        read = [inputs[tensor.name] for tensor in network.inputs]
        inputs = read[0] if len(read) == 1 else read
    return network(inputs, training=batch.training)


def _constant(rows: NDArray[Any]) -> Any:  # noqa: ANN401 (a tensor, or one for each input)
    return tree.map_structure(tf.constant, arrays_of(rows))


def _judged(joint: Joint, validation: Split, chunk: int = 512) -> ValidationMetrics:
    """Compute the overall loss of the validation rows, `chunk` rows at a time."""
    labels = validation.labels
    parts = [slice(start, start + chunk) for start in range(0, len(labels), chunk)]
    values = [
        float(joint.loss(_constant(validation.inputs[rows]), tf.constant(labels[rows]), training=False))
        for rows in parts
    ]
    sizes = [len(labels[rows]) for rows in parts]
    loss = float(np.average(values, weights=sizes))
    return ValidationMetrics(loss, None, loss if np.isfinite(loss) else float("inf"))
