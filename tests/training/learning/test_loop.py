"""training.learning.loop."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from tests.training.pictures import picture
from training.data.splits.split import Split
from training.learning.batches import Batches
from training.learning.descent import Loss, Schedule
from training.learning.loop import Diverged, Objective, ValidationMetrics, fit
from training.modalities.picture.architectures import build
from training.modalities.picture.modality import PictureModality
from training.task import BestBy, SettledNetwork

RANDOM = np.random.default_rng(0)
ROWS = Split(RANDOM.uniform(0, 1, (64, 4, 4)).astype(np.float32), RANDOM.integers(0, 3, 64))
SPEC = SettledNetwork(name="n", architecture="mlp", epochs=1, batch_size=16, shift=1)
FINE = ValidationMetrics(1.0, None, 1.0)


def _networks(count: int = 1) -> list[keras.Model]:
    return [build("mlp", picture(4, 4, white=1.0), 3, seed) for seed in range(count)]


def _batches() -> Batches:
    return Batches(ROWS, PictureModality(picture(4, 4, white=1.0)), SPEC, 0)


def _course(epochs: int = 1, *, patience: int | None = None, weight_decay: float = 0.0) -> Schedule:
    return Schedule("both", epochs, 0.01, weight_decay, patience)


def _together(networks: Sequence[keras.Model]) -> Loss:
    """Return the loss of the summed logits of several networks."""

    def loss(images: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        logits = tf.add_n([network(images, training=True) for network in networks])
        labels = tf.gather(tf.constant(ROWS.labels), rows)
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))

    return loss


def _nothing(networks: Sequence[keras.Model]) -> Loss:
    """Return a loss that does not depend on any weight."""
    variables = [variable for network in networks for variable in network.trainable_variables]
    return lambda *_: tf.add_n([tf.reduce_sum(0 * variable) for variable in variables])


def _weights(network: keras.Model) -> list[NDArray[np.float32]]:
    return [weight.copy() for weight in network.get_weights()]


def _judging(losses: Sequence[ValidationMetrics]) -> Callable[[], ValidationMetrics]:
    """Return one after the other."""
    return iter(losses).__next__


def test_it_lowers_a_loss_over_several_networks_at_once() -> None:
    """The weights of each network change, and the loss of their sum falls."""
    networks = _networks(2)
    before = [_weights(network) for network in networks]
    progress: list[tuple[int, int]] = []
    history = fit(
        Objective(
            networks,
            _together(networks),
            _judging([ValidationMetrics(1 / epoch, None, 1 / epoch) for epoch in (1, 2, 3)]),
        ),
        _batches(),
        _course(3),
        lambda *epoch: progress.append(epoch),
    )
    assert history[0].loss > history[1].loss > history[2].loss
    assert [epoch.val_loss for epoch in history] == [1, 1 / 2, 1 / 3]
    for network, weights in zip(networks, before, strict=True):
        assert any((now != was).any() for now, was in zip(network.get_weights(), weights, strict=True))
    assert progress == [(1, 3), (2, 3), (3, 3), (3, 3)]


def test_the_same_seed_gives_the_same_weights() -> None:
    """The weights of every network are the same bit for bit."""

    def descended() -> list[NDArray[np.float32]]:
        tf.config.experimental.enable_op_determinism()
        keras.utils.set_random_seed(0)
        networks = _networks(2)
        objective = Objective(
            networks, _together(networks), _judging([ValidationMetrics(1 / n, None, 1 / n) for n in (1, 2)])
        )
        fit(objective, _batches(), _course(2), lambda *_: None)
        return [weight for network in networks for weight in network.get_weights()]

    for one, two in zip(descended(), descended(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_weights_of_the_best_epoch_are_kept() -> None:
    """The best epoch has the least calibrated loss, which need not be the least loss, nor the last epoch."""
    networks = _networks(2)
    seen: list[list[NDArray[np.float32]]] = []
    judge = _judging(
        [ValidationMetrics(3.0, None, 2.0), ValidationMetrics(9.0, None, 1.0), ValidationMetrics(2.0, None, 1.5)]
    )

    def judged() -> ValidationMetrics:
        seen.append([weight for network in networks for weight in _weights(network)])
        return judge()

    fit(Objective(networks, _together(networks), judged), _batches(), _course(3), lambda *_: None)
    kept = [weight for network in networks for weight in network.get_weights()]
    assert all((one == two).all() for one, two in zip(kept, seen[1], strict=True))
    assert any((one != two).any() for one, two in zip(kept, seen[2], strict=True))


def test_without_a_better_epoch_the_weights_stay() -> None:
    """Where no epoch has a finite calibrated loss, the weights from before stay."""
    networks = _networks()
    before = _weights(networks[0])
    objective = Objective(networks, _together(networks), lambda: ValidationMetrics(1.0, None, math.inf))
    fit(objective, _batches(), _course(2), lambda *_: None)
    assert all((now == was).all() for now, was in zip(networks[0].get_weights(), before, strict=True))


@pytest.mark.parametrize(
    ("patience", "epochs"), [(1, 2), (2, 5), (3, 6), (None, 8)], ids=["one", "two", "three", "without end"]
)
def test_patience_ends(patience: int | None, epochs: int) -> None:
    """Training stops after so many epochs in a row without a better one, and reports complete progress."""
    networks = _networks()
    judge = _judging([ValidationMetrics(1.0, None, loss) for loss in (3.0, 3.0, 2.0, 2.5, 2.0, 2.1, 2.2, 2.3)])
    progress: list[tuple[int, int]] = []
    objective = Objective(networks, _nothing(networks), judge)
    history = fit(objective, _batches(), _course(8, patience=patience), lambda *epoch: progress.append(epoch))
    assert len(history) == epochs
    assert progress[-1] == (8, 8)


@pytest.mark.parametrize(
    ("factor", "judged", "losses"),
    [
        (math.inf, FINE, r"inf in epoch 1, and 1\.0 on validation rows"),
        (math.nan, FINE, r"nan in epoch 1, and 1\.0 on validation rows"),
        (0.0, ValidationMetrics(math.nan, 0, math.inf), r"0\.0 in epoch 1, and nan on validation rows"),
    ],
    ids=["infinite", "no number", "validation rows overflow"],
)
def test_a_loss_that_is_no_longer_finite_is_an_error(factor: float, judged: ValidationMetrics, losses: str) -> None:
    """The error names what was trained, and a remedy."""
    networks = _networks()
    nothing = _nothing(networks)
    advice = r"; a smaller learning_rate than 0\.01 may help"
    with pytest.raises(Diverged, match="training both diverged: the loss is " + losses + advice):
        fit(
            Objective(networks, lambda *batch: nothing(*batch) + factor, lambda: judged),
            _batches(),
            _course(),
            lambda *_: None,
        )


def test_the_learning_rate_falls_to_zero_along_a_cosine() -> None:
    """The learning rate follows a cosine over the steps of all epochs."""
    networks = _networks()
    objective = Objective(networks, _nothing(networks), lambda: FINE)
    history = fit(objective, _batches(), _course(4), lambda *_: None)
    expected = [0.01 * (1 + math.cos(math.pi * done / 4)) / 2 for done in (1, 2, 3, 4)]
    assert [epoch.learning_rate for epoch in history] == pytest.approx(expected, abs=1e-8)


def test_weights_decay_by_their_share_at_every_step() -> None:
    """The decay is `w -= rate * decay * w`, apart from the gradient (Loshchilov & Hutter 2019, arXiv 1711.05101)."""
    networks = _networks()
    before = _weights(networks[0])
    objective = Objective(networks, _nothing(networks), lambda: FINE)
    fit(objective, _batches(), _course(1, weight_decay=0.5), lambda *_: None)
    rates = [0.01 * (1 + math.cos(math.pi * step / 4)) / 2 for step in range(4)]
    left = math.prod(1 - rate * 0.5 for rate in rates)
    for now, was in zip(networks[0].get_weights(), before, strict=True):
        np.testing.assert_allclose(now, was * left, rtol=1e-5)


@pytest.mark.parametrize(("best_by", "kept"), [("loss", 1), ("accuracy", 2)])
def test_the_best_epoch_may_be_that_of_the_highest_accuracy(best_by: BestBy, kept: int) -> None:
    """Of epochs that are as accurate, it is that of the lower calibrated loss."""
    networks = _networks()
    judged = [(0.6, 2.0), (0.5, 1.0), (0.7, 1.5), (0.7, 1.6)]
    seen: list[list[NDArray[np.float32]]] = []
    judge = _judging([ValidationMetrics(loss, accuracy, loss) for accuracy, loss in judged])

    def judged_now() -> ValidationMetrics:
        seen.append(_weights(networks[0]))
        return judge()

    course = replace(_course(4), best_by=best_by)
    fit(Objective(networks, _together(networks), judged_now), _batches(), course, lambda *_: None)
    assert all((now == was).all() for now, was in zip(networks[0].get_weights(), seen[kept], strict=True))


def test_the_average_of_the_weights_is_judged_and_kept() -> None:
    """What validation saw is what the networks have in the end."""
    networks = _networks()
    seen: list[list[NDArray[np.float32]]] = []

    def judged() -> ValidationMetrics:
        seen.append(_weights(networks[0]))
        return ValidationMetrics(1 / len(seen), None, 1 / len(seen))

    course = replace(_course(3), average=0.9)
    fit(Objective(networks, _together(networks), judged), _batches(), course, lambda *_: None)
    assert all((now == was).all() for now, was in zip(networks[0].get_weights(), seen[2], strict=True))


def test_logits_are_judged_as_they_are_and_calibrated() -> None:
    """The metrics are loss, accuracy, and the loss under the best temperature, which does not depend on scale."""
    logits = RANDOM.normal(size=(200, 3)).astype(np.float32)
    labels = np.where(RANDOM.uniform(size=200) < 0.7, logits.argmax(axis=1), 0)
    one, loud = ValidationMetrics.of(logits, labels), ValidationMetrics.of(10 * logits, labels)
    shares = np.exp(logits.astype(np.float64)) / np.exp(logits.astype(np.float64)).sum(axis=1, keepdims=True)
    assert one.loss == pytest.approx(-np.log(shares[np.arange(200), labels]).mean(), rel=1e-5)
    assert one.accuracy == loud.accuracy == (logits.argmax(axis=1) == labels).mean()
    assert one.calibrated_loss <= one.loss < loud.loss
    assert loud.calibrated_loss == pytest.approx(one.calibrated_loss, rel=1e-3)


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_logits_that_overflow_are_judged_the_worst(value: float) -> None:
    """Logits that are not finite have no loss, and an infinite calibrated loss."""
    judged = ValidationMetrics.of(np.array([[value, 0]], np.float32), np.array([0]))
    assert math.isnan(judged.loss)
    assert judged.calibrated_loss == math.inf
