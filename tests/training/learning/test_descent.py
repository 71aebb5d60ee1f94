"""training.learning.descent."""

from collections.abc import Iterator

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from training.learning.descent import Descent, Loss, Schedule, chunks
from training.task import SettledNetwork

INPUTS = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)


def _model() -> keras.Model:
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.BatchNormalization()])


def _square(model: keras.Model) -> Loss:
    return lambda inputs: tf.reduce_mean(tf.square(model(inputs, training=True) - 1))


def _nothing(model: keras.Model) -> Loss:
    return lambda _: tf.add_n([tf.reduce_sum(0 * variable) for variable in model.trainable_variables])


def _batches(count: int, size: int = 8) -> Iterator[tuple[NDArray[np.float32]]]:
    for number in range(count):
        start = number * size % len(INPUTS)
        yield (INPUTS[start : start + size],)


def test_the_schedule_of_a_network_has_all_its_settings() -> None:
    """None is left at its default."""
    spec = SettledNetwork(
        name="n",
        architecture="mlp",
        epochs=3,
        learning_rate=0.5,
        patience=4,
        weight_decay=0.25,
        warm_up=0.125,
        beta_2=0.75,
        average=0.875,
        decays="kernels",
        best_by="accuracy",
        steps_per_execution=7,
    )
    assert Schedule.of(spec) == Schedule("n", 3, 0.5, 0.25, 4, 0.125, 0.75, 0.875, "kernels", "accuracy", 7)


def test_the_learning_rate_rises_and_falls() -> None:
    """Linearly in the first steps, and along a cosine to zero in the others."""
    model = _model()
    descent = Descent([model], _nothing(model), Schedule("n", 1, 0.1, warm_up=0.25), 40)
    rates = []
    for batch in _batches(40):
        descent.losses([batch])
        rates.append(descent.learning_rate)
    rising = [0.1 * step / 10 for step in range(1, 11)]
    falling = [0.1 * (1 + np.cos(np.pi * step / 30)) / 2 for step in range(1, 31)]
    assert rates == pytest.approx([*rising, *falling], abs=1e-7)


def test_kernels_alone_decay() -> None:
    """Biases and the scale of a normalisation stay where the loss leaves them."""
    model = _model()
    before = [variable.numpy() for variable in model.trainable_variables]
    schedule = Schedule("n", 1, 0.1, weight_decay=0.5, decays="kernels")
    Descent([model], _nothing(model), schedule, 4).losses(_batches(2))
    changed = [(now.numpy() != was).any() for now, was in zip(model.trainable_variables, before, strict=True)]
    assert [len(variable.shape) for variable in model.trainable_variables] == [2, 1, 1, 1]
    assert changed == [True, False, False, False]


def test_the_average_of_the_weights_is_used_where_it_is_asked_for() -> None:
    """It moves by its decay, less at first; afterwards the networks have their own weights again."""
    model = _model()
    expected = [variable.numpy() for variable in model.trainable_variables]
    descent = Descent([model], _square(model), Schedule("n", 1, 0.1, average=0.3), 6)
    for step, batch in enumerate(_batches(6), 1):
        descent.losses([batch])
        kept = min(0.3, (1 + step) / (10 + step))
        own = [variable.numpy() for variable in model.trainable_variables]
        expected = [kept * average + (1 - kept) * now for average, now in zip(expected, own, strict=True)]
    with descent.averaged():
        for variable, average in zip(model.trainable_variables, expected, strict=True):
            np.testing.assert_allclose(variable.numpy(), average, atol=1e-5)
    for variable, now in zip(model.trainable_variables, own, strict=True):
        np.testing.assert_array_equal(variable.numpy(), now)


def test_steps_in_one_call_are_steps() -> None:
    """Losses and weights are those of single calls, up to rounding, whatever the size of the batches."""

    def descended(together: int) -> tuple[list[float], list[NDArray[np.float32]]]:
        model = _model()
        descent = Descent([model], _square(model), Schedule("n", 1, 0.05, steps_per_execution=together), 12)
        losses = descent.losses([*_batches(9), (INPUTS[:3],), *_batches(2)])
        return losses, model.get_weights()

    (one, weights), (four, others) = descended(1), descended(4)
    assert len(one) == 12
    assert four == pytest.approx(one, rel=1e-4)
    for weight, other in zip(weights, others, strict=True):
        np.testing.assert_allclose(weight, other, atol=1e-5)


def test_batches_of_one_size_are_taken_together() -> None:
    """In their order, and at most so many."""
    sizes = [8, 8, 8, 8, 8, 3, 8]
    found = [[len(batch[0]) for batch in chunk] for chunk in chunks([(np.zeros(size),) for size in sizes], 3)]
    assert found == [[8, 8, 8], [8, 8], [3], [8]]
