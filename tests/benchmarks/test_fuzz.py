"""benchmarks.fuzz: a few thousand mutated requests; `make bench-fuzz` sends 100,000."""

from random import Random

import pytest

from benchmarks import fuzz
from benchmarks.fuzz import Outcome
from benchmarks.mutations import mutated, valid_requests
from local.events import HttpRequest, HttpResponse

REQUESTS = 4_000


def test_no_mutated_request_is_answered_5xx() -> None:
    """Each is answered 200, or refused with an error of the protocol, within two seconds; memory does not grow."""
    outcome = fuzz.fuzz(REQUESTS, seed=7)
    assert outcome.failures == []
    assert outcome.slowest_s < 2
    assert outcome.growth < 1.05
    assert {200, 400, 404, 405, 413, 415} <= set(outcome.statuses)  # the mutations reach every refusal


@pytest.mark.parametrize(
    "answer",
    [HttpResponse(500, [], b'{"error": "x"}'), HttpResponse(400, [], b"x"), HttpResponse(404, [], b'{"message": ""}')],
)
def test_a_failure_is_counted(answer: HttpResponse) -> None:
    """Errors of 500 and more, and errors that are no document of the protocol, are failures."""
    outcome = Outcome()
    fuzz._sent(HttpRequest("GET", "/", "", []), lambda _: answer, outcome)
    assert len(outcome.failures) == 1


def test_mutations_are_the_same_for_the_same_seed() -> None:
    """The seed of a failure is enough to repeat it."""
    requests = [valid_requests(Random(3)) for _ in range(2)]
    randoms = [Random(4) for _ in requests]
    for _ in range(50):
        one, other = (mutated(valid[5], valid, random) for valid, random in zip(requests, randoms, strict=True))
        assert one == other
