"""training.replay.timing."""

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest

from tests.serving import fetch, layered_manifest, make_manifest
from tests.training.thirds import pictures
from training.replay import timing
from training.replay.timing import EQUAL, MAX_ROUNDS, ROUNDS, Times, side_by_side, times, times_of
from weir.catalog.manifest import Manifest
from weir.engine.arrays import Floats
from weir.runtime.model import Model


@pytest.mark.parametrize(("manifest", "experts"), [(make_manifest(), {}), (layered_manifest(), {1: {"outer"}})])
def test_every_network_has_a_time_of_its_own(manifest: Manifest, experts: dict[int, set[str]]) -> None:
    """Each level has one; a level of experts has one for each of them, by the name of its group."""
    of_levels = times(Model(manifest, fetch), pictures(20).inputs)
    assert len(of_levels) == len(manifest.levels)
    for number, time_us in enumerate(of_levels):
        each = time_us if isinstance(time_us, Mapping) else {"": time_us}
        assert set(each) == experts.get(number, {""})
        assert all(0 < one < 1e6 for one in each.values())


def test_models_are_measured_in_one_run() -> None:
    """Each model's levels have times of their own, although models share networks."""
    models = [Model(make_manifest(), fetch), Model(layered_manifest(), fetch)]
    of_models = times_of(models, pictures(20).inputs)
    assert [len(one) for one in of_models] == [3, 3]
    assert isinstance(of_models[1][1], Mapping)


def _noisy(seed: int, noise: float, *of_networks: float, rounds: int = ROUNDS) -> Times[str]:
    """Draw times of networks a, b, c, …, in µs per row; noise is a share of each."""
    random = np.random.default_rng(seed)
    drawn = {
        name: (time_us * (1 + noise * random.normal(size=rounds))).tolist()
        for name, time_us in zip("abc", of_networks, strict=False)
    }
    return Times(drawn)


def _sizes(**sizes: int) -> Callable[[str], tuple[int, int]]:
    return lambda name: (sizes[name], ord(name))


@pytest.mark.parametrize("rounds", [ROUNDS, MAX_ROUNDS])
def test_noise_does_not_turn_an_order(rounds: int) -> None:
    """Networks whose times are 1.3 times apart stay in order at 3 % of noise, whatever their sizes."""
    for seed in range(150):
        measured = _noisy(seed, 0.03, 10, 13, 16.9, rounds=rounds)
        assert measured.slower("b", "a")
        assert measured.slower("c", "b")
        assert measured.ordered(_sizes(a=3, b=2, c=1)) == ["a", "b", "c"]
        assert measured.settled


def test_ties_are_ordered_by_size() -> None:
    """Times within 1.05 of each other tie whatever the noise, and the same order comes out of every run."""
    for seed in range(100):
        measured = _noisy(seed, 0.01, 10, 10.2, 10.1, rounds=MAX_ROUNDS)
        assert measured.tied("a", "b")
        assert measured.ordered(_sizes(a=3, b=1, c=2)) == ["b", "c", "a"]
    assert _noisy(0, 0.01, 10, 10.2, 20).ordered(_sizes(a=3, b=2, c=1)) == ["b", "a", "c"]
    assert _noisy(0, 0.01, 10, 10.2, 20).ties == [("a", "b")]


def test_ties_of_one_size_have_one_order() -> None:
    """Noise does not turn it either: the caller's second key does."""
    orders = {
        tuple(_noisy(seed, 0.01, 10, 10, 10, rounds=MAX_ROUNDS).ordered(_sizes(a=2, b=2, c=2))) for seed in range(50)
    }
    assert orders == {("a", "b", "c")}


def test_what_is_not_distinguishable_ties() -> None:
    """Where noise is larger than the difference, neither network is the slower one, and more rounds would help."""
    measured = _noisy(1, 0.3, 10, 13)
    assert not measured.slower("b", "a")
    assert measured.tied("a", "b")
    assert measured.tied("b", "a")
    assert not measured.settled


def test_a_network_ties_with_itself() -> None:
    """Two names of one network are settled at once: no ratio differs from 1."""
    measured = Times({"a": [5.0, 6.0, 7.0, 8.0, 9.0], "b": [5.0, 6.0, 7.0, 8.0, 9.0]})
    assert (measured.tied("a", "b"), measured.settled) == (True, True)


@pytest.mark.parametrize("of_networks", [(10, 13, 16.9), (10, 10.2, 10.1), (10, 10.7, 12)])
def test_load_that_all_networks_feel_changes_nothing(of_networks: tuple[float, ...]) -> None:
    """Networks are compared within a round, so a factor that is common to a round cancels."""
    for seed in range(50):
        calm = _noisy(seed, 0.03, *of_networks, rounds=9)
        load = np.random.default_rng(seed).uniform(1, 10, 9)
        busy = Times({name: (np.array(rounds) * load).tolist() for name, rounds in calm.rounds.items()})
        assert busy.settled == calm.settled
        for one, other in (("a", "b"), ("b", "a"), ("c", "a"), ("b", "c")):
            assert busy.slower(one, other) == calm.slower(one, other)


@pytest.mark.parametrize("rounds", [5, 6, 8, 12, 25])
def test_a_tie_is_rarely_taken_for_a_difference(rounds: int) -> None:
    """A network that takes just 1.05 times as long is found slower in at most 2.5 % of runs and some chance."""
    found = sum(_noisy(seed, 0.05, 10, 10 * EQUAL, rounds=rounds).slower("b", "a") for seed in range(1000))
    assert found / 1000 <= 0.5**5 + 3 * np.sqrt(0.025 / 1000)


def test_the_time_of_a_network_is_its_median() -> None:
    """One slow call does not count."""
    assert Times({"a": [3.0, 1.0, 2.0, 1000.0, 2.5]}).median_us("a") == 2.5


class Clock:
    """CPU time that networks spend as they say."""

    def __init__(self) -> None:
        """Begin at nought."""
        self.now_s = 0.0
        self.calls: list[tuple[str, int]] = []

    def __call__(self) -> float:
        """Tell the time."""
        return self.now_s

    def network(self, name: str, row_us: Sequence[float]) -> Callable[[Floats], None]:
        """Make a network that takes these µs per row, call by call, over and over; the first call loads it."""

        def logits(rows: Floats) -> None:
            turn = sum(1 for called, _ in self.calls if called == name) - 1
            self.calls.append((name, len(rows)))
            self.now_s += row_us[turn % len(row_us)] * len(rows) / 1e6

        return logits


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Put a clock of the test's own in the place of CPU time."""
    clock = Clock()
    monkeypatch.setattr(timing, "clock_s", clock)
    return clock


def test_networks_are_called_in_turn_until_their_order_is_settled(clock: Clock) -> None:
    """A call loads each untimed; 5 rounds settle what is plain, on at most 500 rows."""
    networks = {"a": clock.network("a", [10.0]), "b": clock.network("b", [20.0])}
    measured = side_by_side(networks, np.zeros((900, 4, 4), np.float32))
    assert clock.calls == [("a", 1), ("b", 1), *[("a", 500), ("b", 500)] * ROUNDS]
    assert [measured.median_us(name) for name in "ab"] == pytest.approx([10, 20])


@pytest.mark.parametrize(
    ("slower_us", "rounds"),
    [
        ([13.0, 13.1, 12.9], 5),
        ([10.0, 10.1, 9.9], 5),
        ([10.4, 10.7, 10.4, 10.5, 10.6], 25),
        ([13.0, 10.0, *[13.0] * 30], 9),
    ],
    ids=["apart", "equal", "at the limit", "one odd round"],
)
def test_what_is_close_gets_more_rounds(clock: Clock, slower_us: list[float], rounds: int) -> None:
    """From 5, as long as the interval of a ratio holds the limit of what counts as equal, to 25."""
    networks = {"a": clock.network("a", [10.0]), "b": clock.network("b", slower_us)}
    measured = side_by_side(networks, np.zeros((10, 4, 4), np.float32))
    assert len(measured.rounds["a"]) == len(measured.rounds["b"]) == rounds
    assert measured.settled == (rounds < MAX_ROUNDS)


def test_the_rounds_and_what_counts_as_equal_can_be_chosen(clock: Clock) -> None:
    """Where ties do not matter, 5 rounds are all; with a wider limit a difference of 1.08 ties."""
    networks = {"a": clock.network("a", [10.0]), "b": clock.network("b", [10.4, 10.7])}
    rows = np.zeros((10, 4, 4), np.float32)
    assert len(side_by_side(networks, rows, max_rounds=ROUNDS).rounds["a"]) == ROUNDS
    steady = {"a": clock.network("c", [10.0]), "b": clock.network("d", [10.8])}
    assert side_by_side(steady, rows).slower("b", "a")
    assert side_by_side(steady, rows, equal=1.1).tied("a", "b")


def test_waiting_is_no_time() -> None:
    """A network that sleeps for 20 ms, as one does that waits for a processor, takes less than 5 ms."""
    measured = side_by_side({"a": lambda _: time.sleep(0.02)}, np.zeros((1, 4, 4), np.float32))
    assert len(measured.rounds["a"]) == ROUNDS
    assert measured.median_us("a") < 5000
