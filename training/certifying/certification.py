"""Thresholds that carry a guarantee: Learn-then-Test with fixed-sequence testing.

Angelopoulos, Bates, Candès, Jordan & Lei 2021, arXiv 2110.01052. Threshold vectors are tested in an order that was
fixed on validation rows, from always escalating to the cheapest; the test stops at the first that fails, and the last
that passed is kept. The chance over the certification rows that its true loss exceeds the limit is at most delta.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from scipy.stats import binom

from training.replay.recording import Recording
from training.replay.thresholds import Thresholds, lost
from training.task import Promise
from weir.catalog.manifest import Manifest
from weir.catalog.promises import Certificate
from weir.errors import Failed


class Uncertified(Failed):
    """The promise does not hold, whatever the thresholds."""


@dataclass(frozen=True)
class Certified:
    """Thresholds, and the promise that they carry."""

    thresholds: Thresholds
    certificate: Certificate | None
    absent_because: str | None
    """why there is no promise; then the thresholds always escalate"""
    rows: int
    """certification rows that the thresholds had"""
    broken: bool = False
    """the promise breaks even where only the last level answers"""


def p_value(losses: int, rows: int, max_loss: float) -> float:
    """Chance of at most `losses` among `rows` if the true loss were `max_loss`: `P(Bin(rows, max_loss) <= losses)`."""
    return float(binom.cdf(losses, rows, max_loss))


def max_losses(rows: int, max_loss: float, delta: float) -> int:
    """Find the most losses whose p-value is at most delta; -1 when even none are too many."""
    guess = int(binom.ppf(delta, rows, max_loss))
    return next((k for k in range(guess + 1, -1, -1) if p_value(k, rows, max_loss) <= delta), -1)


def rows_needed(max_loss: float, delta: float) -> int:
    """Count the rows that carry a promise when none of them is lost: `ln(delta) / ln(1 - max_loss)`, rounded up."""
    return math.ceil(math.log(delta) / math.log1p(-max_loss))


def certify(tried: Sequence[Thresholds], rows: Recording, promise: Promise, data_digest: str) -> Certified:
    """Walk the sequence on certification rows, and keep the last vector that passed.

    Args:
        tried: threshold vectors in the order of their tests, always escalating first.
        rows: the certification rows, which nothing else has seen.
        promise: what is to be promised.
        data_digest: of the data that the rows are from.
    """
    count, needed = len(rows.labels), rows_needed(promise.max_loss, promise.delta)
    limits = f"{100 * promise.max_loss:g} % at delta {100 * promise.delta:g} %"
    if count < needed:
        told = f"a promise of {limits} takes at least {needed} certification rows, and there are {count}"
        return Certified(tried[0], None, told, count)
    passed, tests = _walk(tried, rows, promise)
    if passed is None:
        losses = int(lost(rows, tried[0].values, promise.against).sum())
        told = f"the last level alone is wrong on {losses} of {count} certification rows, too many for {limits}"
        return Certified(tried[0], None, told, count, broken=True)
    certificate = Certificate(
        against=promise.against,
        max_loss=promise.max_loss,
        delta=promise.delta,
        rows=count,
        losses=passed.losses,
        max_losses=max_losses(count, promise.max_loss, promise.delta),
        p_value=passed.p_value,
        tried=tests,
        division={"thresholds": count},
        data_digest=data_digest,
        certified_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return Certified(passed.thresholds, certificate, None, count)


@dataclass(frozen=True)
class _Passed:
    thresholds: Thresholds
    losses: int
    p_value: float


def _walk(tried: Sequence[Thresholds], rows: Recording, promise: Promise) -> tuple[_Passed | None, int]:
    """Test one vector after the other until one fails: the last that passed, and how many were tested."""
    passed: _Passed | None = None
    for tests, vector in enumerate(tried, 1):
        losses = int(lost(rows, vector.values, promise.against).sum())
        p = p_value(losses, len(rows.labels), promise.max_loss)
        if p > promise.delta:
            return passed, tests
        passed = _Passed(vector, losses, p)
    return passed, len(tried)


def told(manifest: Manifest) -> str:
    """Say in one line what a version promises, and that its rows and thresholds do not carry half of that, if so."""
    certificate = manifest.certificate
    if certificate is None:
        return f"no promise, so only the last level runs: {manifest.certificate_absent_because}"
    half = certificate.max_loss / 2
    if certificate.losses <= max_losses(certificate.rows, half, certificate.delta):
        return certificate.told
    return f"{certificate.told}; the same thresholds do not carry {100 * half:g} % on these rows"
