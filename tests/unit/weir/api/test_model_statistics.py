"""weir.api.model_statistics."""

import time

import msgspec

from weir.api.model_statistics import SCOPE, RequestCounts


def test_versions_are_counted_apart() -> None:
    """Rows, requests and their times add up for each version of each model."""
    counter, before = RequestCounts(), time.time_ns() // 1_000_000
    counter.answered("m", 1, rows=3, taken_ns=50, compute_ns=20)
    counter.answered("m", 1, rows=4, taken_ns=70, compute_ns=30)
    counter.answered("m", 2, rows=5, taken_ns=1, compute_ns=1)
    counter.failed("m", 1, taken_ns=9)
    statistics = counter.of("m", 1)
    assert (statistics.name, statistics.version, statistics.inference_count, statistics.execution_count) == (
        "m",
        "1",
        7,
        2,
    )
    assert (statistics.inference_stats.success.count, statistics.inference_stats.success.ns) == (2, 120)
    assert (statistics.inference_stats.compute_infer.count, statistics.inference_stats.compute_infer.ns) == (2, 50)
    assert (statistics.inference_stats.fail.count, statistics.inference_stats.fail.ns) == (1, 9)
    assert before <= statistics.last_inference <= time.time_ns() // 1_000_000
    assert counter.of("m", 2).inference_count == 5


def test_refused_requests_are_not_answered_ones() -> None:
    """Refusals do not move the time of the last inference."""
    counter = RequestCounts()
    counter.failed("m", 1, taken_ns=9)
    statistics = counter.of("m", 1)
    assert (statistics.last_inference, statistics.execution_count, statistics.inference_stats.fail.count) == (0, 0, 1)


def test_a_version_without_requests_has_zeros() -> None:
    """Reading the counts changes none, and each answer describes its scope."""
    counter = RequestCounts()
    for _ in range(2):
        statistics = counter.of("m", 1)
        assert (statistics.last_inference, statistics.inference_count, statistics.execution_count) == (0, 0, 0)
        assert statistics.inference_stats.success.count == statistics.inference_stats.fail.count == 0
        assert statistics.parameters == {"scope": SCOPE}


def test_all_keys_of_triton_are_there() -> None:
    """Triton's load generator reads them unchecked; what Weir does not have or measure is zero."""
    counter = RequestCounts()
    counter.answered("m", 1, rows=3, taken_ns=50, compute_ns=20)
    statistics = msgspec.to_builtins(counter.of("m", 1))
    zero = {"count": 0, "ns": 0}
    assert statistics["inference_stats"] == {
        "success": {"count": 1, "ns": 50},
        "compute_infer": {"count": 1, "ns": 20},
        **dict.fromkeys(("fail", "queue", "compute_input", "compute_output", "cache_hit", "cache_miss"), zero),
    }
    assert (statistics["batch_stats"], statistics["response_stats"], statistics["memory_usage"]) == ((), {}, ())


def test_counters_are_apart() -> None:
    """Each mount has a counter of its own, and none counts for another."""
    one, other = RequestCounts(), RequestCounts()
    one.answered("m", 1, rows=1, taken_ns=1, compute_ns=1)
    assert other.of("m", 1).execution_count == 0
