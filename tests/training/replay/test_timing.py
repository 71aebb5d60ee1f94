"""training.replay.timing."""

import time
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from tests.serving import fetch, layered_manifest, make_manifest
from tests.training.thirds import pictures
from training.replay.timing import ROUNDS, Times, clock_s, side_by_side, times
from weir.catalog.manifest import Manifest
from weir.engine.arrays import Floats
from weir.runtime.model import Model


@pytest.mark.parametrize(("manifest", "experts"), [(make_manifest(), {}), (layered_manifest(), {1: {"outer"}})])
def test_every_network_has_a_time_of_its_own(manifest: Manifest, experts: dict[int, set[str]]) -> None:
    """Each level has one; a level of experts has one for each of them, by the name of its group."""
    of_levels = times(Model(manifest, fetch), pictures(20).inputs)
    assert len(of_levels) == len(manifest.levels)
    for number, measured in enumerate(of_levels):
        each = measured if isinstance(measured, Mapping) else {"": measured}
        assert set(each) == experts.get(number, {""})
        assert all(0 < time_us < 1e6 for time_us in each.values())


def _noisy(seed: int, *times_us: float, noise: float = 0.03, rounds: int = 15) -> Times[int]:
    """Draw times of networks: each call has noise of its own, and each round a load that all share."""
    random = np.random.default_rng(seed)
    load = random.uniform(1, 3, rounds)
    drawn = {
        number: (time_us * load * (1 + noise * random.standard_normal(rounds))).tolist()
        for number, time_us in enumerate(times_us)
    }
    return Times(drawn)


@pytest.mark.parametrize("seed", range(20))
def test_noise_and_load_never_change_an_order(seed: int) -> None:
    """Networks whose times differ by a third keep their order, although the load of the machine triples them."""
    times = _noisy(seed, 13.0, 10.0, 100.0)
    assert times.ordered(lambda _number: 0) == [1, 0, 2]
    assert times.slower(0, 1)
    assert not times.slower(1, 0)
    assert not times.tied(0, 1)


@pytest.mark.parametrize("seed", range(20))
def test_ties_are_ordered_by_size(seed: int) -> None:
    """Times within the ratio that counts as equal do not decide; the smaller network comes first."""
    times = _noisy(seed, 10.0, 10.2, 30.0)
    assert times.tied(0, 1)
    assert times.ordered({0: 2, 1: 1, 2: 0}.__getitem__) == [1, 0, 2]
    assert times.ordered({0: 1, 1: 2, 2: 0}.__getitem__) == [0, 1, 2]


def test_times_that_cannot_be_told_apart_tie() -> None:
    """Where the noise is as large as the difference, neither is the slower one, and more rounds are needed."""
    times = _noisy(1, 10.0, 10.8, noise=0.4, rounds=5)
    assert times.tied(0, 1)
    assert not times.settled
    assert _noisy(1, 10.0, 20.0).settled
    assert _noisy(1, 10.0, 10.0, noise=0.01).settled


def test_the_median_is_that_of_the_rounds() -> None:
    """A single slow call, such as one that was interrupted, does not matter."""
    assert Times({"one": [1.0, 900.0, 2.0, 3.0, 2.0]}).median_us("one") == 2.0


def _spin(seconds: float) -> Callable[[Floats], object]:
    def network(_rows: Floats) -> None:
        until = clock_s() + seconds
        while clock_s() < until:
            pass

    return network


def test_time_is_cpu_time_of_the_thread() -> None:
    """A network that waits takes no time; one that computes takes what it computes, in µs a row."""
    rows = np.zeros((10, 1), np.float32)
    measured = side_by_side({"waits": lambda _rows: time.sleep(0.01), "computes": _spin(0.01)}, rows)
    assert measured.median_us("waits") < 100
    assert 1000 <= measured.median_us("computes") < 1500


def test_rounds_end_when_the_order_is_settled() -> None:
    """Five rounds are enough for what is clear; what stays unclear ends after the most that are allowed."""
    rows = np.zeros((1, 1), np.float32)
    clear = side_by_side({"fast": _spin(0.0005), "slow": _spin(0.002)}, rows)
    assert len(clear.rounds["fast"]) == ROUNDS
    alike = side_by_side({"one": _spin(0.0005), "other": _spin(0.0005 * 1.05)}, rows, max_rounds=7)
    assert ROUNDS <= len(alike.rounds["one"]) <= 7
