"""weir.api.model_statistics."""

import time

from weir.api.model_statistics import SCOPE, Counter


def test_versions_are_counted_apart() -> None:
    """Rows, requests and their times add up for each version of each model."""
    counter, before = Counter(), time.time_ns() // 1_000_000
    counter.answered("m", 1, rows=3, taken_ns=50, compute_ns=20)
    counter.answered("m", 1, rows=4, taken_ns=70, compute_ns=30)
    counter.answered("m", 2, rows=5, taken_ns=1, compute_ns=1)
    counter.refused("m", 1, taken_ns=9)
    told = counter.of("m", 1)
    assert (told.name, told.version, told.inference_count, told.execution_count) == ("m", "1", 7, 2)
    assert (told.inference_stats.success.count, told.inference_stats.success.ns) == (2, 120)
    assert (told.inference_stats.compute_infer.count, told.inference_stats.compute_infer.ns) == (2, 50)
    assert (told.inference_stats.fail.count, told.inference_stats.fail.ns) == (1, 9)
    assert before <= told.last_inference <= time.time_ns() // 1_000_000
    assert counter.of("m", 2).inference_count == 5


def test_what_was_only_refused_was_never_answered() -> None:
    """The time of the last inference is that of the last answer."""
    counter = Counter()
    counter.refused("m", 1, taken_ns=9)
    told = counter.of("m", 1)
    assert (told.last_inference, told.execution_count, told.inference_stats.fail.count) == (0, 0, 1)


def test_a_version_that_nobody_asked_has_zeros() -> None:
    """Looking counts nothing, and the answer says what it knows of."""
    counter = Counter()
    for _ in range(2):
        told = counter.of("m", 1)
        assert (told.last_inference, told.inference_count, told.execution_count) == (0, 0, 0)
        assert told.inference_stats.success.count == told.inference_stats.fail.count == 0
        assert told.parameters == {"scope": SCOPE}


def test_counters_are_apart() -> None:
    """Each mount has its own."""
    one, other = Counter(), Counter()
    one.answered("m", 1, rows=1, taken_ns=1, compute_ns=1)
    assert other.of("m", 1).execution_count == 0
