"""training.learning.joint: its loss beside one that is computed row by row, and beside the engine."""

import math
from collections.abc import Iterable

import keras
import msgspec
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from tests.training.pictures import picture
from training.data.splits.split import Split
from training.learning import joint
from training.learning.joint import Joint, fine_tune
from training.learning.networks import TrainingTarget, logits
from training.modalities.picture.architectures import build
from training.task import SettledNetwork
from weir.catalog.levels import Classifier, Expert, Experts, Level, Router
from weir.engine.arrays import Floats
from weir.engine.cascade import Cascade, Threshold
from weir.engine.hierarchy import Hierarchy
from weir.engine.levels import NetworkFunction

Doubles = NDArray[np.float64]

RANDOM = np.random.default_rng(0)
LABELS = 5
HIERARCHY = Hierarchy(("a", "b", "c"), ((0, 3), (1, 2), (4,)), (0.1, 0.2, 0.3, 0.25, 0.15))
ROWS = Split(RANDOM.uniform(0, 255, (40, 5, 5)).astype(np.float32), RANDOM.integers(0, LABELS, 40))


def _network(seed: int, outputs: int = LABELS) -> keras.Model:
    """Build a network whose probabilities are neither 0 or 1 nor all the same."""
    model = build("mlp", picture(5, 5), outputs, seed)
    *body, kernel, bias = model.get_weights()
    model.set_weights([*body, 4 * kernel, bias + np.random.default_rng(seed).normal(size=bias.shape)])
    return model


def _classifier(seed: int, threshold: Threshold, temperature: float = 1.0) -> Classifier[keras.Model]:
    return Classifier(name="classifier", network=_network(seed), temperature=temperature, threshold=threshold)


def _pooling(seed: int, threshold: Threshold) -> Classifier[keras.Model]:
    return msgspec.structs.replace(_classifier(seed, threshold, 1.5), fusion="pool", weights=(0.7, 1.2))


def _router(threshold: Threshold) -> Router[keras.Model]:
    return Router(name="router", network=_network(7, 3), temperature=0.8, threshold=threshold)


def _pooled_router(threshold: Threshold) -> Router[keras.Model]:
    return msgspec.structs.replace(_router(threshold), fusion="pool", weights=(0.6, 0.9))


def _experts(threshold: Threshold) -> Experts[keras.Model]:
    """Make experts of two of the three groups, one of them pooled with the level before."""
    experts = {
        "a": Expert(network=_network(8, 2), temperature=1.3, before_weight=0.4),
        "b": Expert(network=_network(9, 2), temperature=0.6),
    }
    return Experts(name="experts", experts=experts, threshold=threshold)


def _cascade(*levels: Level[keras.Model]) -> Cascade[keras.Model]:
    return Cascade(levels, HIERARCHY)


CASCADES = {
    "one level": _cascade(_classifier(0, None)),
    "levels that replace": _cascade(_classifier(0, 0.5), _classifier(1, 0.45, 2.0), _classifier(2, None)),
    "levels that pool": _cascade(_classifier(0, 0.5), _pooling(1, 0.6), _pooling(2, None)),
    "experts after a generalist": _cascade(_classifier(0, 0.55), _experts(0.5), _classifier(2, None, 0.7)),
    "experts after a router": _cascade(_router(0.3), _experts(0.45), _pooling(2, None)),
    "a router that pools": _cascade(_classifier(0, 0.5), _pooled_router(0.4), _classifier(2, None)),
    "experts on the prior": _cascade(_experts(0.2), _classifier(1, None)),
    "experts last": _cascade(_classifier(0, 0.5), _experts(None)),
    "a level at which no row exits": _cascade(_classifier(0, 0.5), _classifier(1, None), _pooling(2, None)),
}

cascades = pytest.mark.parametrize("cascade", CASCADES.values(), ids=CASCADES.keys())


def _softmax(outputs: Doubles) -> Doubles:
    powers = np.exp(outputs - outputs.max())
    shares: Doubles = powers / powers.sum()
    return shares


class _Expected:
    """The overall loss of one row after the other, in double precision, by the formulas."""

    def __init__(self, cascade: Cascade[keras.Model], rows: Split) -> None:
        self._cascade, self._labels = cascade, rows.labels
        self._logits = {id(network): logits(network, rows.inputs).astype(np.float64) for network in cascade.networks}

    @property
    def loss(self) -> float:
        """Half of every level's own loss, and that of the fused posterior."""
        return self.own / 2 + self.fused_loss

    @property
    def own(self) -> float:
        """Every network's mean cross-entropy, of an expert over the rows of its group."""
        return sum(self._own(level) for level in self._cascade.levels)

    @property
    def fused_loss(self) -> float:
        """Mean negative log-likelihood of the fused posterior."""
        return float(np.mean([-math.log(self.fused(row)[label]) for row, label in enumerate(self._labels)]))

    def fused(self, row: int) -> Doubles:
        """Add up the posterior of each level, by the share of the row that exits there."""
        before, fused, reach = np.array(HIERARCHY.prior), np.zeros(LABELS), 1.0
        for number, level in enumerate(self._cascade.levels):
            before = self._posterior(level, before, row)
            share = 1.0
            if number < len(self._cascade.levels) - 1:
                share = 0.0
                if level.threshold is not None:
                    share = 1 / (1 + math.exp(-(before.max() - level.threshold) / 0.05))
            fused += reach * share * before
            reach *= 1 - share
        return fused

    def _posterior(self, level: Level[keras.Model], before: Doubles, row: int) -> Doubles:
        if isinstance(level, Experts):
            return self._refined(level, before, row)
        posterior = _softmax(self._logits[id(level.network)][row] / level.temperature)
        if isinstance(level, Router):
            posterior = np.array(
                [posterior[HIERARCHY.group_of[label]] * HIERARCHY.conditional[label] for label in range(LABELS)]
            )
        if level.fusion == "pool":
            posterior = before ** level.weights[0] * posterior ** level.weights[1]
        normalised: Doubles = posterior / posterior.sum()
        return normalised

    def _refined(self, level: Experts[keras.Model], before: Doubles, row: int) -> Doubles:
        posterior = before.copy()
        for group, expert in level.experts.items():
            members = list(HIERARCHY.members_of(group))
            part = before[members]
            own = _softmax(self._logits[id(expert.network)][row] / expert.temperature)
            pooled = own * part**expert.before_weight
            posterior[members] = part.sum() * pooled / pooled.sum()
        return posterior

    def _own(self, level: Level[keras.Model]) -> float:
        if isinstance(level, Experts):
            return sum(self._own_of_expert(group, expert.network) for group, expert in level.experts.items())
        targets = HIERARCHY.group_of[self._labels] if isinstance(level, Router) else self._labels
        return self._cross_entropy(level.network, enumerate(targets))

    def _own_of_expert(self, group: str, network: keras.Model) -> float:
        members = HIERARCHY.members_of(group)
        targets = ((row, members.index(label)) for row, label in enumerate(self._labels.tolist()) if label in members)
        return self._cross_entropy(network, targets)

    def _cross_entropy(self, network: keras.Model, targets: Iterable[tuple[int, int]]) -> float:
        """Compute the mean over rows and their target outputs."""
        return float(np.mean([-math.log(_softmax(self._logits[id(network)][row])[output]) for row, output in targets]))


def _loss(cascade: Cascade[keras.Model], rows: Split = ROWS) -> float:
    return float(Joint(cascade, LABELS).loss(tf.constant(rows.inputs), tf.constant(rows.labels), training=False))


@cascades
def test_the_loss_is_that_of_its_formula(cascade: Cascade[keras.Model]) -> None:
    """It is half of each level's own loss, and that of the fused posterior with soft exits."""
    assert _loss(cascade) == pytest.approx(_Expected(cascade, ROWS).loss, rel=1e-4)


def test_without_rows_of_its_group_an_expert_adds_no_loss() -> None:
    """A batch may hold no row of the group, and the loss stays finite."""
    inside = ROWS.labels == 4
    rows = Split(ROWS.inputs[inside], ROWS.labels[inside])
    cascade = CASCADES["experts last"]
    generalist = _Expected(cascade.with_levels(cascade.levels[:1]), rows).own
    assert _loss(cascade, rows) == pytest.approx(generalist / 2 + _Expected(cascade, rows).fused_loss, rel=1e-4)


def test_without_thresholds_no_row_exits_early() -> None:
    """Where every row escalates, the fused posterior is that of the last level."""
    cascade = CASCADES["levels that replace"].with_thresholds([None] * 3)
    last = _Expected(cascade.with_levels(cascade.levels[-1:]), ROWS).fused_loss
    assert _loss(cascade) == pytest.approx(_Expected(cascade, ROWS).own / 2 + last, rel=1e-4)


@cascades
def test_hard_exits_are_those_of_the_engine(cascade: Cascade[keras.Model], monkeypatch: pytest.MonkeyPatch) -> None:
    """With hard exits the fused posterior is what the engine answers, where no confidence is near its threshold."""
    monkeypatch.setattr(joint, "_SOFTNESS", 1e-4)
    answered = cascade.map(_function).answer(ROWS.inputs, trace=True)
    thresholds = np.array([np.inf if one is None else one for one in cascade.thresholds[:-1]])
    near = np.abs(answered.trace[:, :-1] - thresholds) < 0.005
    checked = np.flatnonzero(~near.any(axis=1))
    assert len(checked) > 30
    for row in checked[:20]:
        one = Split(ROWS.inputs[row : row + 1], ROWS.labels[row : row + 1])
        own = sum(_own_of_one_row(level, one) for level in cascade.levels)
        fused = math.exp(own / 2 - _loss(cascade, one))
        assert fused == pytest.approx(answered.probabilities[row, one.labels[0]], rel=1e-3)


def _own_of_one_row(level: Level[keras.Model], one: Split) -> float:
    """Compute a level's own loss of one row; experts of other groups have none."""
    if isinstance(level, Experts):
        group = HIERARCHY.groups[HIERARCHY.group_of[one.labels[0]]]
        experts = {name: expert for name, expert in level.experts.items() if name == group}
        level = msgspec.structs.replace(level, experts=experts)
    return _Expected(_cascade(level), one).own


def _function(network: keras.Model) -> NetworkFunction:
    def run(rows: Floats) -> Floats:
        return logits(network, rows)

    return run


@cascades
def test_the_gradient_reaches_every_network(cascade: Cascade[keras.Model], monkeypatch: pytest.MonkeyPatch) -> None:
    """No gradient is zero, whether the networks have losses of their own or not."""

    def reached() -> list[bool]:
        built = Joint(cascade, LABELS)
        with tf.GradientTape(persistent=True) as tape:
            value = built.loss(tf.constant(ROWS.inputs), tf.constant(ROWS.labels))
        gradients = [tape.gradient(value, network.trainable_variables) for network in built.networks]
        return [
            all(part is not None and float(tf.norm(part)) > 1e-6 for part in of_network) for of_network in gradients
        ]

    assert all(reached())
    monkeypatch.setattr(joint, "_OWN", 0.0)
    assert all(reached())


SPEC = SettledNetwork(name="joint", architecture="mlp", epochs=4, learning_rate=0.003, batch_size=8, shift=1)
TARGET = TrainingTarget(ROWS, ROWS, LABELS, (picture(5, 5),))


@pytest.mark.parametrize("name", ["levels that pool", "experts after a router"])
def test_fine_tuning_lowers_the_overall_loss(name: str) -> None:
    """Every network changes, in place, and has the curve of the overall loss; the same seed gives the same networks."""
    epochs: list[tuple[int, int]] = []
    tuned = []
    for on_epoch in (lambda *epoch: epochs.append(epoch), lambda *_: None):
        cascade = CASCADES[name].map(_copy)
        models = fine_tune(Joint(cascade, LABELS), TARGET, SPEC, 3, on_epoch)
        assert [id(network) for network, _ in models] == [id(network) for network in cascade.networks]
        tuned.append((cascade, models))
    (cascade, models), (_, again) = tuned
    assert _loss(cascade) < 0.95 * _loss(CASCADES[name])
    for (network, history), (same, _), old in zip(models, again, CASCADES[name].networks, strict=True):
        assert history == models[0][1]
        assert len(history) == 4
        assert history[-1].val_loss == pytest.approx(_loss(cascade), rel=1e-4)
        assert history[-1].val_accuracy is None
        for now, twice, was in zip(network.get_weights(), same.get_weights(), old.get_weights(), strict=True):
            np.testing.assert_array_equal(now, twice)
            assert (now != was).any()
    assert epochs[-1] == (4, 4)


def _copy(network: keras.Model) -> keras.Model:
    copy = build("mlp", picture(5, 5), network.output_shape[-1], 0)
    copy.set_weights(network.get_weights())
    return copy
