"""The promise `max_loss`: thresholds that carry a guarantee, by Learn-then-Test with fixed-sequence testing.

Angelopoulos, Bates, Candès, Jordan & Lei 2021, arXiv 2110.01052. Threshold vectors are tested in an order that was
fixed on validation rows, from always escalating to the cheapest; the test stops at the first that fails, and the last
that passed is kept. The chance over the certification rows that its true loss exceeds the limit is at most delta.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from training.certifying.binomial import max_losses, p_value, rows_needed
from training.certifying.label_promise import LabelTests
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
    vectors: Sequence[Thresholds],
    rows: Recording,
    promise: SettledPromise,
    data_digest: str,
    labels: LabelTests | None = None,
) -> CertifiedThresholds:
    """Walk the sequence on certification rows, and keep the last vector that passed.

    Args:
        vectors: threshold vectors in the order of their tests, always escalating first.
        rows: the certification rows, which nothing else has used.
        promise: the limit.
        data_digest: of the data that the rows are from.
        labels: the tests of each label, which a vector must pass too; None: labels have no promise of their own.
    """
    count, needed = len(rows.labels), rows_needed(promise.max_loss, promise.delta)
    limits = f"{100 * promise.max_loss:g} % at delta {100 * promise.delta:g} %"
    if count < needed:
        why = f"a promise of {limits} takes at least {needed} certification rows, and there are {count}"
        return CertifiedThresholds(vectors[0], None, why, count)
    passed, tests = _walk(vectors, rows, promise, labels)
    if passed is None:
        why = _why_none_passes(lost(rows, vectors[0].values, promise.against), promise, labels)
        return CertifiedThresholds(vectors[0], None, why, count, uncertifiable=True)
    certificate = Certificate(
        against=promise.against,
        max_loss=promise.max_loss,
        delta=promise.delta,
        rows=count,
        losses=int(passed.lost.sum()),
        max_losses=max_losses(count, promise.max_loss, promise.delta),
        p_value=passed.p_value,
        tried=tests,
        division={"thresholds": count},
        data_digest=data_digest,
        certified_at=datetime.now(UTC).isoformat(timespec="seconds"),
        per_label=None if labels is None else labels.promise(passed.lost),
    )
    return CertifiedThresholds(passed.thresholds, certificate, None, count)


@dataclass(frozen=True)
class _Passed:
    thresholds: Thresholds
    lost: NDArray[np.bool_]
    p_value: float


def _walk(
    vectors: Sequence[Thresholds], rows: Recording, promise: SettledPromise, labels: LabelTests | None
) -> tuple[_Passed | None, int]:
    """Test one vector after the other until one fails: return the last that passed, and how many were tested."""
    passed: _Passed | None = None
    for tests, vector in enumerate(vectors, 1):
        flags = lost(rows, vector.values, promise.against)
        p = p_value(int(flags.sum()), len(flags), promise.max_loss)
        if p > promise.delta or (labels is not None and labels.failing(flags)):
            return passed, tests
        passed = _Passed(vector, flags, p)
    return passed, len(vectors)


def _why_none_passes(flags: NDArray[np.bool_], promise: SettledPromise, labels: LabelTests | None) -> str:
    """Say on how many rows the last level alone breaks the promise: on all, or on those of a label."""
    losses, count, limit, of = int(flags.sum()), len(flags), promise.max_loss, ""
    if p_value(losses, count, limit) <= promise.delta and labels is not None:
        label = labels.failing(flags)[0]
        losses, count, limit = int(labels.losses(flags)[label]), int(labels.rows[label]), labels.max_loss
        of = f" of {labels.names[label]}"
    limits = f"{100 * limit:g} % at delta {100 * promise.delta:g} %"
    return f"the last level alone is wrong on {losses} of {count} certification rows{of}, too many for {limits}"


def describe(manifest: Manifest) -> str:
    """State what a version promises, a line for each promise."""
    others = (manifest.abstention, manifest.sets)
    return "\n".join([_thresholds(manifest), *(promise.summary for promise in others if promise is not None)])


def _thresholds(manifest: Manifest) -> str:
    """State what the thresholds promise, and whether their rows are too few to certify half of that.

    In one line for all rows, and one for each label by itself, if that was asked for.
    """
    certificate = manifest.certificate
    if certificate is None:
        return f"no promise, so only the last level runs: {manifest.certificate_absent_because}"
    half = certificate.max_loss / 2
    line = certificate.summary
    if certificate.losses > max_losses(certificate.rows, half, certificate.delta):
        line += f"; the same thresholds do not certify {100 * half:g} % on these rows"
    return "\n".join(filter(None, (line, certificate.label_summary)))
