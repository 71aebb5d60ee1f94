"""training.learning.loop."""

import math
from collections.abc import Callable, Sequence

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from training.data.split import Split
from training.learning.loop import Course, Diverged, Judged, Loss, Objective, descend
from training.modalities.picture.architectures import build
from training.modalities.picture.augmentation import Batches
from training.task import NetworkSpec

RANDOM = np.random.default_rng(0)
ROWS = Split(RANDOM.uniform(0, 1, (64, 4, 4)).astype(np.float32), RANDOM.integers(0, 3, 64))
SPEC = NetworkSpec(name="n", architecture="mlp", epochs=1, batch_size=16, shift=1)
FINE = Judged(1.0, None, 1.0)


def _networks(count: int = 1) -> list[keras.Model]:
    return [build("mlp", (4, 4), 3, (0.0, 1.0), seed) for seed in range(count)]


def _batches() -> Batches:
    return Batches(ROWS, SPEC, 0)


def _course(epochs: int = 1, *, patience: int | None = None, weight_decay: float = 0.0) -> Course:
    return Course("both", epochs, 0.01, weight_decay, patience)


def _together(networks: Sequence[keras.Model]) -> Loss:
    """Take the loss of what several networks say when their logits are added."""

    def loss(images: tf.Tensor, variants: tf.Tensor) -> tf.Tensor:
        said = tf.add_n([network(images, training=True) for network in networks])
        right = tf.gather(tf.constant(ROWS.labels), variants)
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(right, said))

    return loss


def _nothing(networks: Sequence[keras.Model]) -> Loss:
    """Take a loss that no weight changes."""
    variables = [variable for network in networks for variable in network.trainable_variables]
    return lambda *_: tf.add_n([tf.reduce_sum(0 * variable) for variable in variables])


def _weights(network: keras.Model) -> list[NDArray[np.float32]]:
    return [weight.copy() for weight in network.get_weights()]


def _judging(losses: Sequence[Judged]) -> Callable[[], Judged]:
    """Say one after the other."""
    return iter(losses).__next__


def test_it_lowers_a_loss_over_several_networks_at_once() -> None:
    """Each of them changes, and what they say together gets better."""
    networks = _networks(2)
    before = [_weights(network) for network in networks]
    told: list[tuple[int, int]] = []
    history = descend(
        Objective(networks, _together(networks), _judging([Judged(1 / epoch, None, 1 / epoch) for epoch in (1, 2, 3)])),
        _batches(),
        _course(3),
        lambda *epoch: told.append(epoch),
    )
    assert history[0].loss > history[1].loss > history[2].loss
    assert [epoch.val_loss for epoch in history] == [1, 1 / 2, 1 / 3]
    for network, weights in zip(networks, before, strict=True):
        assert any((now != was).any() for now, was in zip(network.get_weights(), weights, strict=True))
    assert told == [(1, 3), (2, 3), (3, 3), (3, 3)]


def test_the_same_seed_gives_the_same_weights() -> None:
    """Of every network, to the bit."""

    def descended() -> list[NDArray[np.float32]]:
        tf.config.experimental.enable_op_determinism()
        keras.utils.set_random_seed(0)
        networks = _networks(2)
        objective = Objective(networks, _together(networks), _judging([Judged(1 / n, None, 1 / n) for n in (1, 2)]))
        descend(objective, _batches(), _course(2), lambda *_: None)
        return [weight for network in networks for weight in network.get_weights()]

    for one, two in zip(descended(), descended(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_weights_of_the_best_epoch_are_kept() -> None:
    """Best is the least calibrated loss: not the least loss, nor the last epoch."""
    networks = _networks(2)
    seen: list[list[NDArray[np.float32]]] = []
    judge = _judging([Judged(3.0, None, 2.0), Judged(9.0, None, 1.0), Judged(2.0, None, 1.5)])

    def judged() -> Judged:
        seen.append([weight for network in networks for weight in _weights(network)])
        return judge()

    descend(Objective(networks, _together(networks), judged), _batches(), _course(3), lambda *_: None)
    kept = [weight for network in networks for weight in network.get_weights()]
    assert all((one == two).all() for one, two in zip(kept, seen[1], strict=True))
    assert any((one != two).any() for one, two in zip(kept, seen[2], strict=True))


def test_without_a_better_epoch_the_weights_stay() -> None:
    """A loss that is infinite once it is calibrated is no better than none."""
    networks = _networks()
    before = _weights(networks[0])
    objective = Objective(networks, _together(networks), lambda: Judged(1.0, None, math.inf))
    descend(objective, _batches(), _course(2), lambda *_: None)
    assert all((now == was).all() for now, was in zip(networks[0].get_weights(), before, strict=True))


@pytest.mark.parametrize(
    ("patience", "epochs"), [(1, 2), (2, 5), (3, 6), (None, 8)], ids=["one", "two", "three", "without end"]
)
def test_patience_ends(patience: int | None, epochs: int) -> None:
    """After so many epochs without a better one in a row; the progress is then complete."""
    networks = _networks()
    judge = _judging([Judged(1.0, None, loss) for loss in (3.0, 3.0, 2.0, 2.5, 2.0, 2.1, 2.2, 2.3)])
    told: list[tuple[int, int]] = []
    objective = Objective(networks, _nothing(networks), judge)
    history = descend(objective, _batches(), _course(8, patience=patience), lambda *epoch: told.append(epoch))
    assert len(history) == epochs
    assert told[-1] == (8, 8)


@pytest.mark.parametrize(
    ("factor", "judged", "told"),
    [
        (math.inf, FINE, r"inf in epoch 1, and 1\.0 on validation rows"),
        (math.nan, FINE, r"nan in epoch 1, and 1\.0 on validation rows"),
        (0.0, Judged(math.nan, 0, math.inf), r"0\.0 in epoch 1, and nan on validation rows"),
    ],
    ids=["infinite", "no number", "validation rows overflow"],
)
def test_a_loss_that_is_no_longer_finite_is_an_error(factor: float, judged: Judged, told: str) -> None:
    """It names what was trained, and what may help."""
    networks = _networks()
    nothing = _nothing(networks)
    advice = r"; a smaller learning_rate than 0\.01 may help"
    with pytest.raises(Diverged, match="training both diverged: the loss is " + told + advice):
        descend(
            Objective(networks, lambda *batch: nothing(*batch) + factor, lambda: judged),
            _batches(),
            _course(),
            lambda *_: None,
        )


def test_the_learning_rate_falls_to_nothing_along_a_cosine() -> None:
    """A step at a time, over all epochs."""
    networks = _networks()
    objective = Objective(networks, _nothing(networks), lambda: FINE)
    history = descend(objective, _batches(), _course(4), lambda *_: None)
    expected = [0.01 * (1 + math.cos(math.pi * done / 4)) / 2 for done in (1, 2, 3, 4)]
    assert [epoch.learning_rate for epoch in history] == pytest.approx(expected, abs=1e-8)


def test_weights_decay_by_their_share_at_every_step() -> None:
    """`w -= rate * decay * w`, apart from what the gradient does (Loshchilov & Hutter 2019, arXiv 1711.05101)."""
    networks = _networks()
    before = _weights(networks[0])
    objective = Objective(networks, _nothing(networks), lambda: FINE)
    descend(objective, _batches(), _course(1, weight_decay=0.5), lambda *_: None)
    rates = [0.01 * (1 + math.cos(math.pi * step / 4)) / 2 for step in range(4)]
    left = math.prod(1 - rate * 0.5 for rate in rates)
    for now, was in zip(networks[0].get_weights(), before, strict=True):
        np.testing.assert_allclose(now, was * left, rtol=1e-5)


def test_logits_are_judged_as_they_are_and_calibrated() -> None:
    """By their loss, the share that is right, and the loss under the best temperature, which forgives a scale."""
    logits = RANDOM.normal(size=(200, 3)).astype(np.float32)
    labels = np.where(RANDOM.uniform(size=200) < 0.7, logits.argmax(axis=1), 0)
    one, loud = Judged.of(logits, labels), Judged.of(10 * logits, labels)
    shares = np.exp(logits.astype(np.float64)) / np.exp(logits.astype(np.float64)).sum(axis=1, keepdims=True)
    assert one.loss == pytest.approx(-np.log(shares[np.arange(200), labels]).mean(), rel=1e-5)
    assert one.accuracy == loud.accuracy == (logits.argmax(axis=1) == labels).mean()
    assert one.calibrated_loss <= one.loss < loud.loss
    assert loud.calibrated_loss == pytest.approx(one.calibrated_loss, rel=1e-3)


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_logits_that_overflow_are_judged_the_worst(value: float) -> None:
    """No epoch is worse."""
    found = Judged.of(np.array([[value, 0]], np.float32), np.array([0]))
    assert math.isnan(found.loss)
    assert found.calibrated_loss == math.inf
