"""The promise `max_loss`: thresholds that carry a guarantee, by Learn-then-Test with fixed-sequence testing.

Angelopoulos, Bates, Candès, Jordan & Lei 2021, arXiv 2110.01052. Threshold vectors are tested in an order that was
fixed on validation rows, from always escalating to the cheapest; the test stops at the first that fails, and the last
that passed is kept. The chance over the certification rows that its true loss exceeds the limit is at most delta.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from training.certifying.binomial import max_losses, p_value, rows_needed
from training.replay.recording import Recording
from training.replay.thresholds import Thresholds, lost
from training.task import SettledPromise
from weir.catalog.manifest import Manifest
from weir.catalog.promises import Certificate
from weir.errors import Failed


class Uncertified(Failed):
    """A promise cannot be certified on these rows."""


@dataclass(frozen=True)
class CertifiedThresholds:
    """Thresholds, and the promise that they carry."""

    chosen: Thresholds
    certificate: Certificate | None
    absent_because: str | None
    """why there is no promise; then the thresholds always escalate"""
    rows: int
    """certification rows used for the thresholds"""
    uncertifiable: bool = False
    """the promise cannot be certified on these rows, even by the last level alone"""

    @property
    def tested(self) -> bool:
        """Whether a threshold vector was tested on these rows; too few rows are not looked at."""
        return self.certificate is not None or self.uncertifiable


def certify_thresholds(
    vectors: Sequence[Thresholds], rows: Recording, promise: SettledPromise, data_digest: str
) -> CertifiedThresholds:
    """Walk the sequence on certification rows, and keep the last vector that passed.

    Args:
        vectors: threshold vectors in the order of their tests, always escalating first.
        rows: the certification rows, which nothing else has used.
        promise: the limit.
        data_digest: of the data that the rows are from.
    """
    count, needed = len(rows.labels), rows_needed(promise.max_loss, promise.delta)
    limits = f"{100 * promise.max_loss:g} % at delta {100 * promise.delta:g} %"
    if count < needed:
        why = f"a promise of {limits} takes at least {needed} certification rows, and there are {count}"
        return CertifiedThresholds(vectors[0], None, why, count)
    passed, tests = _walk(vectors, rows, promise)
    if passed is None:
        losses = int(lost(rows, vectors[0].values, promise.against).sum())
        why = f"the last level alone is wrong on {losses} of {count} certification rows, too many for {limits}"
        return CertifiedThresholds(vectors[0], None, why, count, uncertifiable=True)
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
    return CertifiedThresholds(passed.thresholds, certificate, None, count)


@dataclass(frozen=True)
class _Passed:
    thresholds: Thresholds
    losses: int
    p_value: float


def _walk(vectors: Sequence[Thresholds], rows: Recording, promise: SettledPromise) -> tuple[_Passed | None, int]:
    """Test one vector after the other until one fails: return the last that passed, and how many were tested."""
    passed: _Passed | None = None
    for tests, vector in enumerate(vectors, 1):
        losses = int(lost(rows, vector.values, promise.against).sum())
        p = p_value(losses, len(rows.labels), promise.max_loss)
        if p > promise.delta:
            return passed, tests
        passed = _Passed(vector, losses, p)
    return passed, len(vectors)


def describe(manifest: Manifest) -> str:
    """State what a version promises, a line for each promise."""
    others = (manifest.abstention, manifest.sets)
    return "\n".join([_thresholds(manifest), *(promise.summary for promise in others if promise is not None)])


def _thresholds(manifest: Manifest) -> str:
    """State in one line what the thresholds promise, and whether their rows are too few to certify half of that."""
    certificate = manifest.certificate
    if certificate is None:
        return f"no promise, so only the last level runs: {manifest.certificate_absent_because}"
    half = certificate.max_loss / 2
    if certificate.losses <= max_losses(certificate.rows, half, certificate.delta):
        return certificate.summary
    return f"{certificate.summary}; the same thresholds do not certify {100 * half:g} % on these rows"
