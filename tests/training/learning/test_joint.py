"""training.learning.joint: its loss beside one that is computed row by row, and beside the engine."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from tests.training.pictures import picture
from training.data.split import Split
from training.learning import joint
from training.learning.joint import Joint, JointLevel, fine_tune
from training.learning.networks import TrainingTarget, logits
from training.modalities.picture.architectures import build
from training.task import NetworkSpec
from weir.engine.cascade import ALWAYS_ESCALATE, Step, run
from weir.engine.confidence import softmax
from weir.engine.fusion import Word
from weir.engine.hierarchy import Hierarchy

Doubles = NDArray[np.float64]

RANDOM = np.random.default_rng(0)
LABELS = 5
HIERARCHY = Hierarchy(("a", "b", "c"), ((0, 3), (1, 2), (4,)), (0.1, 0.2, 0.3, 0.25, 0.15))
ROWS = Split(RANDOM.uniform(0, 255, (40, 5, 5)).astype(np.float32), RANDOM.integers(0, LABELS, 40))


def _network(seed: int, outputs: int = LABELS) -> keras.Model:
    """Build a network that is neither sure nor even."""
    model = build("mlp", picture(5, 5), outputs, seed)
    *body, kernel, bias = model.get_weights()
    model.set_weights([*body, 4 * kernel, bias + np.random.default_rng(seed).normal(size=bias.shape)])
    return model


def _cascade(seed: int, threshold: float, temperature: float = 1.0) -> JointLevel:
    return JointLevel("cascade", threshold, _network(seed), temperature)


def _pooled(seed: int, threshold: float) -> JointLevel:
    return JointLevel("cascade", threshold, _network(seed), 1.5, "pool", (0.7, 1.2))


def _router(threshold: float) -> JointLevel:
    return JointLevel("router", threshold, _network(7, 3), 0.8)


def _experts(threshold: float) -> JointLevel:
    """Know two of the three groups, one of them beside the level before."""
    experts = {0: _network(8, 2), 1: _network(9, 2)}
    return JointLevel("experts", threshold, None, 1.0, "refine", (1.0, 1.0), experts, {0: 1.3, 1: 0.6}, {0: 0.4})


LADDERS = {
    "one level": [_cascade(0, 0.0)],
    "levels that replace": [_cascade(0, 0.5), _cascade(1, 0.45, 2.0), _cascade(2, 0.0)],
    "levels that pool": [_cascade(0, 0.5), _pooled(1, 0.6), _pooled(2, 0.0)],
    "experts behind a generalist": [_cascade(0, 0.55), _experts(0.5), _cascade(2, 0.0, 0.7)],
    "experts behind a router": [_router(0.3), _experts(0.45), _pooled(2, 0.0)],
    "experts on the prior": [_experts(0.2), _cascade(1, 0.0)],
    "experts last": [_cascade(0, 0.5), _experts(0.0)],
    "a level that no row leaves": [_cascade(0, 0.5), _cascade(1, ALWAYS_ESCALATE), _pooled(2, 0.0)],
}
"""of each ladder the levels; the last one's threshold counts for nothing"""

ladders = pytest.mark.parametrize("levels", LADDERS.values(), ids=LADDERS.keys())


def _shares(said: Doubles) -> Doubles:
    powers = np.exp(said - said.max())
    found: Doubles = powers / powers.sum()
    return found


class _Expected:
    """The overall loss of one row after the other, in double precision, by the formulas."""

    def __init__(self, levels: Sequence[JointLevel], rows: Split) -> None:
        self._levels, self._labels = levels, rows.labels
        self._said = {
            id(network): logits(network, rows.inputs).astype(np.float64)
            for level in levels
            for network in level.networks
        }

    @property
    def loss(self) -> float:
        """Half of every level's own loss, and that of the fused posterior."""
        fused = [-math.log(self.fused(row)[label]) for row, label in enumerate(self._labels)]
        return self.own / 2 + float(np.mean(fused))

    @property
    def own(self) -> float:
        """Every network's mean cross-entropy, of an expert over the rows of its group."""
        return sum(self._own(level) for level in self._levels)

    def fused(self, row: int) -> Doubles:
        """Add up what each level says, by the share that leaves there."""
        before, found, reach = np.array(HIERARCHY.prior), np.zeros(LABELS), 1.0
        for number, level in enumerate(self._levels):
            before = self._posterior(level, before, row)
            leaves = 1.0
            if number < len(self._levels) - 1:
                leaves = 1 / (1 + math.exp(-(before.max() - level.threshold) / 0.05)) if level.threshold <= 1 else 0
            found += reach * leaves * before
            reach *= 1 - leaves
        return found

    def _posterior(self, level: JointLevel, before: Doubles, row: int) -> Doubles:
        if level.kind == "experts":
            found = before.copy()
            for group, expert in level.experts.items():
                members, weight = list(HIERARCHY.members[group]), level.before_weights.get(group, 0.0)
                part = before[members]
                word = _shares(self._said[id(expert)][row] / level.temperatures[group]) * part**weight
                found[members] = part.sum() * word / word.sum()
            return found
        word = _shares(self._said[id(level.network)][row] / level.temperature)
        if level.kind == "router":
            word = np.array([word[HIERARCHY.group_of[label]] * HIERARCHY.conditional[label] for label in range(LABELS)])
        if level.fusion == "pool":
            word = before ** level.weights[0] * word ** level.weights[1]
        posterior: Doubles = word / word.sum()
        return posterior

    def _own(self, level: JointLevel) -> float:
        if level.kind != "experts":
            right = HIERARCHY.group_of[self._labels] if level.kind == "router" else self._labels
            return self._cross_entropy(level.network, enumerate(right))
        return sum(
            self._cross_entropy(
                expert,
                ((row, members.index(label)) for row, label in enumerate(self._labels.tolist()) if label in members),
            )
            for expert, members in ((expert, HIERARCHY.members[group]) for group, expert in level.experts.items())
        )

    def _cross_entropy(self, network: keras.Model, right: Iterable[tuple[int, int]]) -> float:
        """Of rows and their right outputs."""
        return float(np.mean([-math.log(_shares(self._said[id(network)][row])[output]) for row, output in right]))


def _loss(levels: Sequence[JointLevel], rows: Split = ROWS) -> float:
    found = Joint(levels, HIERARCHY, LABELS).loss(tf.constant(rows.inputs), tf.constant(rows.labels), training=False)
    return float(found)


@ladders
def test_the_loss_is_that_of_its_formula(levels: list[JointLevel]) -> None:
    """Half of each level's own loss, and that of the fused posterior with soft exits."""
    assert _loss(levels) == pytest.approx(_Expected(levels, ROWS).loss, rel=1e-4)


def test_without_rows_of_its_group_an_expert_loses_nothing() -> None:
    """A batch may hold none."""
    inside = ROWS.labels == 4
    rows = Split(ROWS.inputs[inside], ROWS.labels[inside])
    levels = LADDERS["experts last"]
    generalist = _Expected(levels[:1], rows).own
    fused = [-math.log(_Expected(levels, rows).fused(row)[4]) for row in range(len(rows.labels))]
    assert _loss(levels, rows) == pytest.approx(generalist / 2 + np.mean(fused), rel=1e-4)


def test_above_one_no_row_leaves() -> None:
    """Of levels that always escalate the fused posterior is the last one's."""
    levels = [replace(level, threshold=ALWAYS_ESCALATE) for level in LADDERS["levels that replace"]]
    alone = _Expected(levels[-1:], ROWS)
    last = [-math.log(alone.fused(row)[label]) for row, label in enumerate(ROWS.labels)]
    assert _loss(levels) == pytest.approx(_Expected(levels, ROWS).own / 2 + np.mean(last), rel=1e-4)


@ladders
def test_hard_exits_are_the_engines(levels: list[JointLevel], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where exits are hard, and no confidence is near its threshold, the fused posterior is what the engine answers."""
    monkeypatch.setattr(joint, "_SOFTNESS", 1e-4)
    answers = run(ROWS.inputs, _steps(levels), HIERARCHY, traced=True)
    assert answers.trace is not None
    thresholds = np.array([level.threshold for level in levels[:-1]])
    near = np.abs(answers.trace[:, :-1] - thresholds) < 0.005
    checked = np.flatnonzero(~near.any(axis=1))
    assert len(checked) > 30
    for row in checked[:20]:
        one = Split(ROWS.inputs[row : row + 1], ROWS.labels[row : row + 1])
        own = sum(_own_of_one_row(level, one) for level in levels)
        fused = math.exp(own / 2 - _loss(levels, one))
        assert fused == pytest.approx(answers.probabilities[row, one.labels[0]], rel=1e-3)


def _own_of_one_row(level: JointLevel, one: Split) -> float:
    """Take a level's own loss of one row; experts of other groups have none."""
    if level.kind != "experts":
        return _Expected([level], one).own
    group = int(HIERARCHY.group_of[one.labels[0]])
    experts = {group: level.experts[group]} if group in level.experts else {}
    return _Expected([replace(level, experts=experts)], one).own


def _steps(levels: Sequence[JointLevel]) -> list[Step]:
    def word(network: keras.Model, temperature: float) -> Word:
        return lambda images: softmax(logits(network, images), temperature)

    def spread(network: keras.Model, temperature: float) -> Word:
        return lambda images: HIERARCHY.spread(softmax(logits(network, images), temperature))

    def step(level: JointLevel) -> Step:
        experts = {group: word(expert, level.temperatures[group]) for group, expert in level.experts.items()}
        own = None
        if level.network is not None:
            own = (spread if level.kind == "router" else word)(level.network, level.temperature)
        return Step(own, level.threshold, level.fusion, level.weights, experts, level.before_weights)

    return [step(level) for level in levels]


@ladders
def test_the_gradient_reaches_every_network(levels: list[JointLevel], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its gradient is not nothing, with a loss of their own and without."""

    def reached() -> list[bool]:
        built = Joint(levels, HIERARCHY, LABELS)
        with tf.GradientTape(persistent=True) as tape:
            value = built.loss(tf.constant(ROWS.inputs), tf.constant(ROWS.labels))
        gradients = [tape.gradient(value, network.trainable_variables) for network in built.networks]
        return [
            all(part is not None and float(tf.norm(part)) > 1e-6 for part in of_network) for of_network in gradients
        ]

    assert all(reached())
    monkeypatch.setattr(joint, "_OWN", 0.0)
    assert all(reached())


SPEC = NetworkSpec(name="joint", architecture="mlp", epochs=4, learning_rate=0.003, batch_size=8, shift=1)
LESSON = TrainingTarget(ROWS, ROWS, LABELS, picture(5, 5))


@pytest.mark.parametrize("name", ["levels that pool", "experts behind a router"])
def test_fine_tuning_lowers_the_overall_loss(name: str) -> None:
    """Every network changes, in place, and has the curve of them all; the same seed does the same."""

    def copied(level: JointLevel) -> JointLevel:
        network = None if level.network is None else _copy(level.network)
        return replace(level, network=network, experts={group: _copy(one) for group, one in level.experts.items()})

    told: list[tuple[int, int]] = []
    found = []
    for on_epoch in (lambda *epoch: told.append(epoch), lambda *_: None):
        ladder = [copied(level) for level in LADDERS[name]]
        made = fine_tune(Joint(ladder, HIERARCHY, LABELS), LESSON, SPEC, 3, on_epoch)
        assert [id(network) for network, _ in made] == [id(one) for level in ladder for one in level.networks]
        found.append((ladder, made))
    (ladder, made), (_, again) = found
    assert _loss(ladder) < 0.95 * _loss(LADDERS[name])
    before = [network for level in LADDERS[name] for network in level.networks]
    for (network, history), (same, _), old in zip(made, again, before, strict=True):
        assert history == made[0][1]
        assert len(history) == 4
        assert history[-1].val_loss == pytest.approx(_loss(ladder), rel=1e-4)
        assert history[-1].val_accuracy is None
        for now, twice, was in zip(network.get_weights(), same.get_weights(), old.get_weights(), strict=True):
            np.testing.assert_array_equal(now, twice)
            assert (now != was).any()
    assert told[-1] == (4, 4)


def _copy(network: keras.Model) -> keras.Model:
    copy = build("mlp", picture(5, 5), network.output_shape[-1], 0)
    copy.set_weights(network.get_weights())
    return copy
