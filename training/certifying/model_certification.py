"""Certify a model: run its networks, count the attempt on its rows, and certify the promises of a task."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.certifying import sanity
from training.certifying.attempts import FILE, Attempt, Attempts, Order, RowDigests, Spending, digests_of
from training.certifying.certify import (
    ABSTENTION,
    THRESHOLDS,
    CertifiedPromises,
    PromiseRows,
    certify,
    divide,
    promises_made,
)
from training.certifying.limits import Settled, settle
from training.data.digests import labelled
from training.data.preparation import PreparedData
from training.data.splits.balance import rows_of
from training.data.splits.split import Split
from training.replay.recording import LevelTimes, Recording, record
from training.replay.thresholds import Thresholds, evaluate, sequence
from training.replay.timing import times
from training.task import Promise
from weir.catalog.manifest import Manifest
from weir.engine.cascade import cascade_of
from weir.errors import BadInput
from weir.runtime.model import Model


@dataclass(frozen=True)
class ModelCertification:
    """The promises of a model, and the recordings and times they were certified by."""

    promises: CertifiedPromises
    times: LevelTimes
    validation: Recording
    warnings: tuple[str, ...]
    """signs that levels are useless"""
    attempts: Attempts
    """those made before, and this one"""


class CertificationRows:
    """The rows that are to carry the promises of a model, and what may be spent on them."""

    def __init__(
        self, model: Model, data: PreparedData, promise: Promise, attempts: Attempts, fresh: Split | None = None
    ) -> None:
        """Count the attempts; no network is run yet.

        Args:
            model: the levels; its thresholds and promises do not matter.
            data: the rows of the training.
            promise: what is to be promised.
            attempts: those made before; on the same rows each leaves less of delta, unless it was this very test.
            fresh: rows that nothing has used, which carry the thresholds in place of the certification rows.
        """
        self.model, self.data, self.promise, self.attempts, self._fresh = model, data, promise, attempts, fresh
        self._own = digests_of(data.certification.inputs)
        self._carrying = self._own if fresh is None else digests_of(fresh.inputs)
        """the thresholds"""
        self._content = self._carrying.name
        """of the rows that carry the thresholds, and of their labels where these count"""
        if fresh is not None and promise.against != "agreement":
            self._content = labelled(fresh.inputs, fresh.labels)
        self._test = _test(model.manifest, promise, data.digest, self._content)

    @property
    def attempt(self) -> int:
        """The number of this attempt among those on the rows that carry the thresholds."""
        return self._spending(self._carrying).number

    @property
    def settled(self) -> Settled:
        """The promise with the limit that the rows can carry."""
        count = len(self._division[THRESHOLDS] if self._fresh is None else self._fresh.labels)
        return settle(self.promise, count, self._spending(self._carrying).delta)

    @property
    def label_rows(self) -> dict[str, int]:
        """How many rows that carry the thresholds each label has."""
        own = self.data.certification.labels
        labels = own[self._division[THRESHOLDS]] if self._fresh is None else self._fresh.labels
        return rows_of(self.model.manifest.labels, labels)

    def parts(self) -> dict[str, PromiseRows]:
        """Run the networks, and give each promise its rows. Raises `ModelUnavailable`."""
        parts: dict[str, PromiseRows] = {}
        names = self.model.manifest.labels
        if self._fresh is not None:
            spending = self._spending(self._carrying)
            parts[THRESHOLDS] = PromiseRows(record(self.model, self._fresh), spending, self._content, names)
        if self._division:
            whole, spending = record(self.model, self.data.certification), self._spending(self._own)
            for name, numbers in self._division.items():
                parts[name] = PromiseRows(whole.rows(numbers), spending, self.data.digest, names)
        return parts

    def recorded(self, vectors: Sequence[Thresholds]) -> Attempts:
        """Add this attempt to those made before, with the order of its tests."""
        order, at = tuple(one.values for one in vectors), datetime.now(UTC).isoformat(timespec="seconds")
        attempts = self.attempts.adding(self._attempt(self._carrying, order, at), self._carrying)
        if ABSTENTION in self._division and self._fresh is not None:
            attempts = attempts.adding(self._attempt(self._own, order, at), self._own)
        return attempts

    def _attempt(self, digests: RowDigests, order: Order, at: str) -> Attempt:
        delta = self._spending(digests).delta
        return Attempt(test=self._test, rows=digests.name, delta=delta, order=order, at=at)

    def _spending(self, digests: RowDigests) -> Spending:
        return self.attempts.spending(self._test, digests, self.promise.delta)

    @property
    def _division(self) -> dict[str, NDArray[np.intp]]:
        """Numbers of the certification rows of the training that each promise has."""
        names = [name for name in promises_made(self.promise) if self._fresh is None or name != THRESHOLDS]
        return divide(len(self.data.certification.labels), names, self.model.manifest.provenance.seed)


def certify_model(rows: CertificationRows) -> ModelCertification:
    """Run every network on validation and certification rows, as it will serve, and certify the promises of a task.

    Raises:
        BadInput: levels disagree on the order of the labels, or this ladder cannot make the promise.
        ModelUnavailable: an artifact is missing or damaged.
    """
    model, promise, validation_rows = rows.model, rows.promise, rows.data.validation
    _check_last_level(model.manifest, promise)
    validation = record(model, validation_rows)
    sanity.check(model.manifest, validation)
    measured = times(model, validation_rows.inputs)
    parts = rows.parts()
    order = parts[THRESHOLDS].spending.order  # of this very test, if it was made before
    _check_order(order, len(model.manifest.levels))
    vectors = [evaluate(validation, measured, values, promise.against) for values in order]
    vectors = vectors or sequence(validation, measured, promise.against)
    promises = certify(validation, parts, vectors, promise)
    tested = promises.thresholds.tested or promise.abstain_above is not None
    attempts = rows.recorded(vectors) if tested else rows.attempts
    warnings = tuple(sanity.warnings(model.manifest, validation, measured))
    return ModelCertification(promises, measured, validation, warnings, attempts)


def _check_last_level(draft: Manifest, promise: Promise) -> None:
    last = draft.levels[-1]
    ends_with_it = last.networks == (draft.end_to_end.artifact,) and last.fusion == "replace"
    if promise.against == "end-to-end" and not ends_with_it:
        rule = "a promise against the end-to-end model takes levels that end with it; labels and agreement take any"
        raise BadInput(rule, f"the last level is {last.name}, fusion {last.fusion}")


def _check_order(order: Order, levels: int) -> None:
    """Refuse an order of another ladder, or one that could let rows exit before anything was tested."""
    escalating = (*[None] * (levels - 1), 0.0)
    sound = all(len(values) == levels and all(one is None or 0 <= one <= 1 for one in values) for values in order)
    if order and not (sound and order[0] == escalating):
        raise BadInput(f"{FILE} is what certification wrote", "an order of thresholds that no certification makes")


def _test(draft: Manifest, promise: Promise, data_digest: str, carrying: str) -> str:
    """Return the digest of what is tested: the levels and their fusion, the data, the promise, the thresholds' rows."""
    cascade = cascade_of(draft).map(lambda artifact: artifact.digest).with_thresholds([None] * len(draft.levels))
    levels = [msgspec.structs.replace(level, metrics=None) for level in cascade.levels]
    end_to_end = [draft.end_to_end.artifact.digest, draft.end_to_end.temperature]
    tested = [levels, end_to_end, draft.groups, data_digest, _asked(promise), carrying]
    return hashlib.sha256(msgspec.json.encode(tested)).hexdigest()


def _asked(promise: Promise) -> dict[str, object]:
    """Return the fields of a promise; those of later versions only where they are used, so that digests stay."""
    fields = msgspec.structs.asdict(promise)
    return {name: value for name, value in fields.items() if name != "max_loss_per_label" or value is not None}
