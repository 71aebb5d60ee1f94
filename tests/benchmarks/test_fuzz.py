"""benchmarks.fuzz: a few thousand mutated requests; `make bench-fuzz` sends 100,000."""

from random import Random

import pytest

from benchmarks import fuzz
from benchmarks.fuzz import Outcome
from benchmarks.mutations import mutated, sound
from local.events import HttpRequest, HttpResponse

REQUESTS = 4_000


def test_no_mutated_request_is_answered_5xx() -> None:
    """Each is answered 200, or refused in the protocol's words, within two seconds; memory stays where it was."""
    found = fuzz.fuzz(REQUESTS, seed=7)
    assert found.failures == []
    assert found.slowest_s < 2
    assert found.growth < 1.05
    assert {200, 400, 404, 405, 413, 415} <= set(found.statuses)  # the mutations reach every refusal


@pytest.mark.parametrize(
    "answer",
    [HttpResponse(500, [], b'{"error": "x"}'), HttpResponse(400, [], b"x"), HttpResponse(404, [], b'{"message": ""}')],
)
def test_a_failure_is_counted(answer: HttpResponse) -> None:
    """A fuzzer that finds nothing wrong with these finds nothing at all."""
    found = Outcome()
    fuzz._sent(HttpRequest("GET", "/", "", []), lambda _: answer, found)
    assert len(found.failures) == 1


def test_mutations_are_the_same_for_the_same_seed() -> None:
    """A failure can be looked at again."""
    seeds = [sound(Random(3)) for _ in range(2)]
    ways = [Random(4) for _ in seeds]
    for _ in range(50):
        one, other = (mutated(made[5], made, way) for made, way in zip(seeds, ways, strict=True))
        assert one == other
