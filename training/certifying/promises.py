"""Make every promise that a task asks for, each on certification rows of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.certifying.abstention import Answered, abstention
from training.certifying.certification import Certified, certify
from training.certifying.prediction_sets import prediction_sets
from training.fitting.calibration import fused_temperature
from training.replay.recording import LevelTimes, Recording
from training.replay.thresholds import sequence
from training.task import Promise
from weir.catalog.manifest import Manifest
from weir.catalog.promises import Abstention, PredictionSets
from weir.engine.cascade import tempered

_SHARES = {"thresholds": 10, "abstention": 3, "sets": 3}
"""in what proportion the promises that are asked for divide the rows"""


@dataclass(frozen=True)
class Promises:
    """Thresholds, and all that was promised."""

    certified: Certified
    fused_temperature: float
    """calibrates what the cascade says in the end, by validation rows"""
    abstention: Abstention | None
    sets: PredictionSets | None
    warnings: tuple[str, ...]
    """what was asked for and can't be promised"""

    def on(self, manifest: Manifest) -> Manifest:
        """Write them into a manifest."""
        values = self.certified.thresholds.values
        levels = tuple(
            msgspec.structs.replace(level, threshold=value)
            for level, value in zip(manifest.levels, values, strict=True)
        )
        return msgspec.structs.replace(
            manifest,
            levels=levels,
            fused_temperature=self.fused_temperature,
            certificate=self.certified.certificate,
            certificate_absent_because=self.certified.absent_because,
            abstention=self.abstention,
            sets=self.sets,
        )


def make(
    validation: Recording, certification: Recording, times: LevelTimes, promise: Promise, data: tuple[str, int]
) -> Promises:
    """Choose thresholds, when to abstain, and the limits of prediction sets, on disjoint certification rows.

    Args:
        validation: rows that fix the orders of the tests, and calibrate what the cascade says.
        certification: rows that carry the promises; they are divided among those asked for, in the order of the seed.
        times: measured time per row of each level alone.
        promise: what is asked for.
        data: the digest of the data, and the seed of the division.
    """
    digest, seed = data
    parts = divide(len(certification.labels), promise, seed)
    tried = sequence(validation, times, promise.against)
    certified = certify(tried, certification.rows(parts["thresholds"]), promise, digest)
    if certified.certificate:
        division = {name: len(rows) for name, rows in parts.items()}
        certificate = msgspec.structs.replace(certified.certificate, division=division)
        certified = replace(certified, certificate=certificate)
    said = FinalPosterior(certified.thresholds.values, validation)
    abstains, sets, warnings = None, None, []
    if promise.abstain_above is not None:
        known, rows = said.by(validation), said.by(certification.rows(parts["abstention"]))
        abstains = abstention(known, rows, promise.abstain_above, promise.delta, validation.hierarchy)
        if abstains is None:
            limit = f"{100 * promise.abstain_above:g} %"
            warnings.append(
                f"no threshold keeps the error of labels below {limit} on {len(rows.labels)} rows, so no row abstains; "
                "rows that leave early never do, and a smaller max_loss lets fewer leave"
            )
    if promise.alphas:
        rows = said.by(certification.rows(parts["sets"]))
        sets = prediction_sets(rows.answers.probabilities, rows.labels, promise.alphas)
    return Promises(certified, said.temperature, abstains, sets, tuple(warnings))


class FinalPosterior:
    """What the cascade says in the end under thresholds that are settled, calibrated by validation rows."""

    def __init__(self, thresholds: Sequence[float], validation: Recording) -> None:
        """Fit the temperature of what is said in the end."""
        self._thresholds = thresholds
        self._fusions = [step.fusion for step in validation.steps]
        self.temperature = fused_temperature(validation.answers(thresholds), validation.labels, self._fusions)

    def by(self, rows: Recording) -> Answered:
        """Say it of other rows."""
        answers = rows.answers(self._thresholds)
        return Answered(tempered(answers, self.temperature, self._fusions), rows.labels)


def divide(rows: int, promise: Promise, seed: int) -> dict[str, NDArray[np.intp]]:
    """Divide certification rows among the promises asked for, 10 : 3 : 3, at random by the seed."""
    asked = {"thresholds": True, "abstention": promise.abstain_above is not None, "sets": bool(promise.alphas)}
    shares = {name: share for name, share in _SHARES.items() if asked[name]}
    ends = np.cumsum(list(shares.values())) * rows // sum(shares.values())
    order = np.random.default_rng(seed).permutation(rows)
    return dict(zip(shares, (np.sort(part) for part in np.split(order, ends[:-1])), strict=True))
