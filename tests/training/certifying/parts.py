"""Certification rows of drawn recordings, divided among promises as certification divides them."""

from training.certifying.attempts import Spending
from training.certifying.certify import PromiseRows, divide, promises_made
from training.replay.recording import Recording
from training.task import Promise


def divided(
    rows: Recording, promise: Promise, *, seed: int = 0, spending: Spending | None = None
) -> dict[str, PromiseRows]:
    """Give each promise its rows; by default it is the first attempt on them."""
    spent = spending or Spending(1, promise.delta, promise.delta)
    names = tuple(map(str, range(rows.end_to_end.shape[1])))
    parts = divide(len(rows.labels), promises_made(promise), seed)
    return {name: PromiseRows(rows.rows(numbers), spent, "digest", names) for name, numbers in parts.items()}
