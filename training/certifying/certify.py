"""Certify every promise that a task makes, each on certification rows of its own."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.certifying import sanity
from training.certifying.abstention_promise import certify_abstention
from training.certifying.final_posterior import FinalPosterior
from training.certifying.loss_promise import CertifiedThresholds, certify_thresholds
from training.certifying.prediction_set_promise import certify_sets
from training.data.preparation import PreparedData
from training.replay.recording import LevelTimes, Recording, record
from training.replay.thresholds import sequence
from training.replay.timing import times
from training.task import Promise
from weir.catalog.manifest import Manifest
from weir.catalog.promises import Abstention, PredictionSets
from weir.engine.cascade import cascade_of
from weir.errors import BadInput
from weir.runtime.interpreter import DEPLOYED
from weir.runtime.model import Model

_SHARES = {"thresholds": 10, "abstention": 3, "sets": 3}
"""in what proportion the promises that a task makes divide the rows"""


@dataclass(frozen=True)
class CertifiedPromises:
    """Thresholds, and all that was certified with them."""

    thresholds: CertifiedThresholds
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


@dataclass(frozen=True)
class ModelCertification:
    """The promises of a model, and the recordings and times they were certified by."""

    promises: CertifiedPromises
    times: LevelTimes
    validation: Recording
    warnings: tuple[str, ...]
    """signs that levels are useless"""


def certify_model(
    draft: Manifest, fetch: Callable[[str], bytes], data: PreparedData, promise: Promise
) -> ModelCertification:
    """Run every network on validation and certification rows, as it will serve, and certify the promises of a task.

    Args:
        draft: the levels; its thresholds and promises do not matter.
        fetch: digest -> bytes of an artifact.
        data: the rows.
        promise: what is to be promised.

    Raises:
        BadInput: levels disagree on the order of the labels, or this ladder cannot make the promise.
        ModelUnavailable: an artifact is missing or damaged.
    """
    last = draft.levels[-1]
    ends_with_it = last.networks == (draft.end_to_end.artifact,) and last.fusion == "replace"
    if promise.against == "end-to-end" and not ends_with_it:
        rule = "a promise against the end-to-end model takes levels that end with it; one against labels takes any"
        raise BadInput(rule, f"the last level is {last.name}, fusion {last.fusion}")
    model = Model(draft, fetch, DEPLOYED)
    validation, certification = record(model, data.validation), record(model, data.certification)
    sanity.check(draft, validation)
    measured = times(model, data.validation.inputs)
    promises = certify(validation, certification, measured, promise, (data.digest, draft.provenance.seed))
    return ModelCertification(promises, measured, validation, tuple(sanity.warnings(draft, validation, measured)))


def certify(
    validation: Recording, certification: Recording, times: LevelTimes, promise: Promise, data: tuple[str, int]
) -> CertifiedPromises:
    """Choose thresholds, when to abstain, and the limits of prediction sets, on disjoint certification rows.

    Args:
        validation: rows that fix the orders of the tests, and calibrate the final posterior.
        certification: rows that carry the promises; they are divided among them at random by the seed.
        times: measured time per row of each level alone.
        promise: what is to be promised.
        data: the digest of the data, and the seed of the division.
    """
    digest, seed = data
    parts = divide(len(certification.labels), promise, seed)
    vectors = sequence(validation, times, promise.against)
    certified = certify_thresholds(vectors, certification.rows(parts["thresholds"]), promise, digest)
    if certified.certificate:
        division = {name: len(rows) for name, rows in parts.items()}
        certificate = msgspec.structs.replace(certified.certificate, division=division)
        certified = replace(certified, certificate=certificate)
    final = FinalPosterior(certified.chosen.values, validation)
    rule, sets, warnings = None, None, []
    if promise.abstain_above is not None:
        rows = final.of(certification.rows(parts["abstention"]))
        hierarchy = validation.cascade.hierarchy
        rule = certify_abstention(final.of(validation), rows, promise.abstain_above, promise.delta, hierarchy)
        if rule is None:
            limit = f"{100 * promise.abstain_above:g} %"
            warnings.append(
                f"no threshold keeps the error of labels below {limit} on {len(rows.labels)} rows, so no row abstains; "
                "rows that exit early never do, and a smaller max_loss lets fewer exit early"
            )
    if promise.alphas:
        sets = certify_sets(final.of(certification.rows(parts["sets"])), promise.alphas)
    return CertifiedPromises(certified, final.temperature, rule, sets, tuple(warnings))


def divide(rows: int, promise: Promise, seed: int) -> dict[str, NDArray[np.intp]]:
    """Divide certification rows among the promises that a task makes, 10 : 3 : 3, at random by the seed."""
    made = {"thresholds": True, "abstention": promise.abstain_above is not None, "sets": bool(promise.alphas)}
    shares = {name: share for name, share in _SHARES.items() if made[name]}
    ends = np.cumsum(list(shares.values())) * rows // sum(shares.values())
    order = np.random.default_rng(seed).permutation(rows)
    return dict(zip(shares, (np.sort(part) for part in np.split(order, ends[:-1])), strict=True))
