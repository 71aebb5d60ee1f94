"""training.fitting.fusing."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.recordings import probabilities
from training.fitting.calibration import nll
from training.fitting.fusing import Weights, pool_weights
from weir.engine.confidence import softmax
from weir.engine.fusion import pool

GRID = (0.0, 0.05, 0.3, 1.0, 2.0, 5.0, 10.0)


@pytest.mark.parametrize("planted", [(0.5, 1.0), (1.5, 0.3), (0.0, 1.0), (1.0, 1.0)])
def test_the_weights_of_the_pool_that_drew_the_labels_are_recovered(planted: tuple[float, float]) -> None:
    """Labels drawn from a pool of two posteriors give that pool's weights."""
    random = np.random.default_rng(0)
    before, level = (softmax(random.normal(0, 2, (20_000, 5)).astype(np.float32)) for _ in range(2))
    labels = (random.gumbel(size=before.shape) + np.log(pool(before, level, planted))).argmax(axis=1)
    assert pool_weights(before, level, labels).pair == pytest.approx(planted, abs=0.05)


@settings(max_examples=25)
@given(st.integers(0, 1000), st.floats(0, 6), st.floats(0, 6), st.booleans())
def test_no_weights_fit_better(seed: int, before_skill: float, skill: float, alike: bool) -> None:
    """Neither the level alone, (0, 1), nor any pair of a grid over the allowed range does; weights are in the range."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, 100)
    before = probabilities(random, labels, before_skill)
    level = before if alike else probabilities(random, labels, skill)
    weights = pool_weights(before, level, labels)
    assert 0 <= weights.before <= 10
    assert 0.05 <= weights.own <= 10
    best = min(nll(pool(before, level, pair), labels) for pair in [(0.0, 1.0), *product(GRID, GRID[1:])])
    assert nll(pool(before, level, weights.pair), labels) <= best + 1e-4


def test_a_level_of_noise_still_has_a_weight() -> None:
    """It is the least, 0.05, and the levels before keep theirs."""
    random = np.random.default_rng(3)
    labels = random.integers(0, 4, 2000)
    before, noise = probabilities(random, labels, 2.0), probabilities(random, random.permutation(labels), 3.0)
    weights = pool_weights(before, noise, labels)
    assert weights.own == 0.05
    assert weights.before > 0.5
    assert pool_weights(noise, before, labels).before == pytest.approx(0, abs=0.05)


def test_probabilities_that_are_always_correct_have_weights_of_at_most_ten() -> None:
    """Larger weights would fit them better without end."""
    labels = np.arange(40) % 4
    correct = np.where(np.eye(4, dtype=bool)[labels], 0.28, 0.24).astype(np.float32)
    assert pool_weights(correct, correct, labels) == Weights(10, 10)
