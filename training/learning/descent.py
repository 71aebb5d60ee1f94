"""Steps of gradient descent: AdamW, its learning rate over the steps, and the moving average of the weights."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from keras import tree
from numpy.typing import NDArray

from training.configured_keras import keras
from training.task import BestBy, Decays, SettledNetwork

Array = NDArray[Any]

Loss = Callable[..., tf.Tensor]
"""a batch as `Epochs` make it -> its loss, a scalar"""


@dataclass(frozen=True)
class Schedule:
    """The schedule of a gradient descent; `training.modalities.recipe.Recipe` says what its settings mean."""

    name: str
    """names what is trained, in messages"""
    epochs: int
    learning_rate: float
    """at its highest; it falls to zero along a cosine"""
    weight_decay: float = 0.0
    patience: int | None = None
    """epochs without a better one after which training stops; None: it runs all epochs"""
    warm_up: float = 0.0
    beta_2: float = 0.999
    average: float | None = None
    decays: Decays = "everything"
    best_by: BestBy = "loss"
    steps_per_execution: int = 1

    @classmethod
    def of(cls, spec: SettledNetwork) -> "Schedule":
        """Take the schedule of a network."""
        return cls(
            spec.name,
            spec.epochs,
            spec.learning_rate,
            spec.weight_decay,
            spec.patience,
            warm_up=spec.warm_up,
            beta_2=spec.beta_2,
            average=spec.average,
            decays=spec.decays,
            best_by=spec.best_by,
            steps_per_execution=spec.steps_per_execution,
        )


class Descent:
    """Minimises a loss over the trainable weights of some networks, one batch a step."""

    def __init__(self, networks: Sequence[keras.Model], loss: Loss, course: Schedule, steps: int) -> None:
        """Prepare so many steps."""
        variables = [variable for network in networks for variable in network.trainable_variables]
        self._optimizer = _optimizer(course, steps, variables)
        self._variables = variables
        self._averages = [] if course.average is None else [tf.Variable(variable.value) for variable in variables]
        self._step = self._compiled(loss, course.average or 0.0)
        self._steps, self._together = _repeated(self._step), course.steps_per_execution

    def losses(self, batches: Iterable[tuple[Any, ...]]) -> list[float]:
        """Take a step on each batch, and return its loss before the step."""
        if self._together == 1:
            return [float(self._step(*tree.map_structure(tf.constant, batch))) for batch in batches]
        parts = (tree.map_structure(_stacked, *chunk) for chunk in chunks(batches, self._together))
        return [loss for part in parts for loss in self._steps(*part).numpy()]

    @property
    def learning_rate(self) -> float:
        """Of the next step."""
        return float(self._optimizer.learning_rate)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Give the networks the average of their weights, if there is one, and then their own again."""
        own = [variable.numpy() for variable in self._variables] if self._averages else []
        for variable, average in zip(self._variables, self._averages, strict=False):
            variable.assign(average)
        yield
        for variable, value in zip(self._variables, own, strict=False):
            variable.assign(value)

    def _compiled(self, loss: Loss, decay: float) -> Callable[..., tf.Tensor]:
        variables, averages, optimizer = self._variables, self._averages, self._optimizer

        @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator] # tensorflow has no types
        def descent(*batch: tf.Tensor) -> tf.Tensor:
            with tf.GradientTape() as tape:
                value = loss(*batch)
            optimizer.apply(tape.gradient(value, variables), variables)
            if averages:
                done = tf.cast(optimizer.iterations, tf.float32)
                # so that the first steps count little, as in tf.train.ExponentialMovingAverage
                kept = tf.minimum(decay, (1 + done) / (10 + done))
                for average, variable in zip(averages, variables, strict=True):
                    average.assign(kept * average + (1 - kept) * variable.value)
            return value

        compiled: Callable[..., tf.Tensor] = descent
        return compiled


def _stacked(*arrays: Array) -> tf.Tensor:
    return tf.constant(np.stack(arrays))


def _repeated(step: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
    """Take a step on each of several batches, one behind the other in each argument, in one call; return all losses."""

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator] # tensorflow has no types
    def steps(*chunk: tf.Tensor) -> tf.Tensor:
        count = tf.shape(tree.flatten(chunk)[0])[0]
        losses = tf.TensorArray(tf.float32, count)
        for number in tf.range(count):
            tf.autograph.experimental.set_loop_options(parallel_iterations=1)
            batch = tree.map_structure(lambda part, of=number: part[of], chunk)
            losses = losses.write(number, step(*batch))
        return losses.stack()

    repeated: Callable[..., tf.Tensor] = steps
    return repeated


def chunks(batches: Iterable[tuple[Any, ...]], count: int) -> Iterator[list[tuple[Any, ...]]]:
    """Divide batches into runs of at most `count`, all of as many rows."""
    for _, alike in itertools.groupby(batches, key=lambda batch: len(tree.flatten(batch)[0])):
        while chunk := list(itertools.islice(alike, count)):
            yield chunk


def _optimizer(course: Schedule, steps: int, variables: Sequence[keras.Variable]) -> keras.Optimizer:
    optimizer = keras.optimizers.AdamW(_rates(course, steps), weight_decay=course.weight_decay, beta_2=course.beta_2)
    if course.decays == "kernels":
        optimizer.exclude_from_weight_decay([variable for variable in variables if len(variable.shape) < _MATRIX])
    optimizer.build(variables)
    return optimizer


_MATRIX = 2
"""dimensions that a matrix or a kernel has at least"""


def _rates(course: Schedule, steps: int) -> keras.optimizers.schedules.CosineDecay:
    """Fall along a cosine to zero, after a linear rise if there is one."""
    rising = round(course.warm_up * steps)
    if not rising:
        return keras.optimizers.schedules.CosineDecay(course.learning_rate, steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - rising), warmup_target=course.learning_rate, warmup_steps=rising
    )
