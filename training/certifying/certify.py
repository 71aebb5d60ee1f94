"""Certify every promise that a task makes, each on certification rows of its own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.certifying.abstention_promise import certify_abstention
from training.certifying.attempts import Spending
from training.certifying.final_posterior import FinalPosterior
from training.certifying.label_promise import label_tests
from training.certifying.limits import Settled, settle
from training.certifying.loss_promise import CertifiedThresholds, certify_thresholds
from training.certifying.prediction_set_promise import certify_sets
from training.replay.recording import Recording
from training.replay.thresholds import Thresholds
from training.task import Promise
from weir.catalog.manifest import Manifest
from weir.catalog.promises import Abstention, PredictionSets
from weir.engine.cascade import cascade_of

THRESHOLDS, ABSTENTION, SETS = "thresholds", "abstention", "sets"
_SHARES = {THRESHOLDS: 10, ABSTENTION: 3, SETS: 3}
"""in what proportion the promises that a task makes divide the rows"""


@dataclass(frozen=True)
class PromiseRows:
    """The certification rows of one promise, and what it may spend on them."""

    rows: Recording
    spending: Spending
    data_digest: str
    """of the data that the rows are from"""
    label_names: tuple[str, ...]


@dataclass(frozen=True)
class CertifiedPromises:
    """Thresholds, and all that was certified with them."""

    thresholds: CertifiedThresholds
    settled: Settled
    """the promise of the thresholds, with the limit that their rows can carry"""
    fused_temperature: float
    """calibrates the posterior at the exit, as fitted on validation rows"""
    abstention: Abstention | None
    sets: PredictionSets | None
    warnings: tuple[str, ...]
    """promises of the task that cannot be kept"""

    def written_to(self, manifest: Manifest) -> Manifest:
        """Return a manifest with these promises, and with these thresholds at its levels."""
        return msgspec.structs.replace(
            manifest,
            levels=cascade_of(manifest).with_thresholds(self.thresholds.chosen.values).levels,
            fused_temperature=self.fused_temperature,
            certificate=self.thresholds.certificate,
            certificate_absent_because=self.thresholds.absent_because,
            abstention=self.abstention,
            sets=self.sets,
        )


def certify(
    validation: Recording, parts: Mapping[str, PromiseRows], vectors: Sequence[Thresholds], promise: Promise
) -> CertifiedPromises:
    """Choose thresholds, when to abstain, and the limits of prediction sets, on disjoint certification rows.

    Args:
        validation: rows that calibrate the final posterior, and fix the order in which rules of abstention are tested.
        parts: the rows of each promise that is made, by its name in `promises_made`.
        vectors: threshold vectors in the order of their tests, fixed on validation rows.
        promise: what is to be promised.
    """
    settled, certified = _certified_thresholds(parts, vectors, promise)
    final = FinalPosterior(certified.chosen.values, validation)
    rule, sets, warnings = None, None, []
    if promise.abstain_above is not None:
        part = parts[ABSTENTION]
        rows, hierarchy = final.of(part.rows), validation.cascade.hierarchy
        rule = certify_abstention(final.of(validation), rows, promise.abstain_above, part.spending.delta, hierarchy)
        if rule is not None:
            spending = part.spending
            rule = msgspec.structs.replace(rule, attempt=spending.number, delta_spent=spending.total)
        else:
            limit = f"{100 * promise.abstain_above:g} %"
            warnings.append(
                f"no threshold keeps the error of labels below {limit} on {len(rows.labels)} rows, so no row abstains; "
                "rows that exit early never do, and a smaller max_loss lets fewer exit early"
            )
    if promise.alphas:
        sets = certify_sets(final.of(parts[SETS].rows), promise.alphas)
    return CertifiedPromises(certified, settled, final.temperature, rule, sets, tuple(warnings))


def _certified_thresholds(
    parts: Mapping[str, PromiseRows], vectors: Sequence[Thresholds], promise: Promise
) -> tuple[Settled, CertifiedThresholds]:
    """Settle the limit, and certify the thresholds; their certificate says what the attempts have spent."""
    part = parts[THRESHOLDS]
    settled = settle(promise, len(part.rows.labels), part.spending.delta)
    labels = label_tests(part.rows, part.label_names, settled.promise)
    certified = certify_thresholds(vectors, part.rows, settled.promise, part.data_digest, labels)
    if certified.certificate:
        certificate = msgspec.structs.replace(
            certified.certificate,
            attempt=part.spending.number,
            delta_spent=part.spending.total,
            division={name: len(one.rows.labels) for name, one in parts.items()},
        )
        certified = replace(certified, certificate=certificate)
    return settled, certified


def promises_made(promise: Promise) -> tuple[str, ...]:
    """Name the promises that a task makes."""
    made = {THRESHOLDS: True, ABSTENTION: promise.abstain_above is not None, SETS: bool(promise.alphas)}
    return tuple(name for name in _SHARES if made[name])


def divide(rows: int, names: Iterable[str], seed: int) -> dict[str, NDArray[np.intp]]:
    """Divide certification rows among promises, 10 (thresholds) : 3 : 3, at random by the seed."""
    shares = {name: _SHARES[name] for name in names}
    if not shares:
        return {}
    ends = np.cumsum(list(shares.values())) * rows // sum(shares.values())
    order = np.random.default_rng(seed).permutation(rows)
    return dict(zip(shares, (np.sort(part) for part in np.split(order, ends[:-1])), strict=True))
