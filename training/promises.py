"""Make every promise that a task asks for, each on certification rows of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.certification import Certified, certify
from training.conformal import prediction_sets
from training.selective import abstention
from training.task import Promise
from training.thresholds import Rows, replay, sequence
from weir.manifest import Manifest
from weir.promises import Abstention, PredictionSets

_SHARES = {"thresholds": 10, "abstention": 3, "sets": 3}
"""in what proportion the promises that are asked for divide the rows"""


@dataclass(frozen=True)
class Promises:
    """Thresholds, and all that was promised."""

    certified: Certified
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
            certificate=self.certified.certificate,
            certificate_absent_because=self.certified.absent_because,
            abstention=self.abstention,
            sets=self.sets,
        )


def make(
    validation: Rows, certification: Rows, times_us: Sequence[float], promise: Promise, data: tuple[str, int]
) -> Promises:
    """Choose thresholds, when to abstain, and the limits of prediction sets, on disjoint certification rows.

    Args:
        validation: rows that fix the orders of the tests.
        certification: rows that carry the promises; they are divided among those asked for, in the order of the seed.
        times_us: measured time per row of each level alone.
        promise: what is asked for.
        data: the digest of the data, and the seed of the division.
    """
    digest, seed = data
    parts = divide(len(certification.labels), promise, seed)
    tried = sequence(validation, times_us, promise.against)
    certified = certify(tried, _taken(certification, parts["thresholds"]), promise, digest)
    division = {name: len(rows) for name, rows in parts.items()}
    if certified.certificate:
        certificate = msgspec.structs.replace(certified.certificate, division=division)
        certified = replace(certified, certificate=certificate)
    values = certified.thresholds.values
    abstains, sets, warnings = None, None, []
    if promise.abstain_above is not None:
        rows = _taken(certification, parts["abstention"])
        known = (replay(validation, values), validation.labels)
        abstains = abstention(known, (replay(rows, values), rows.labels), promise.abstain_above, promise.delta)
        if abstains is None:
            limit = f"{100 * promise.abstain_above:g} %"
            warnings.append(f"no threshold keeps the error of labels below {limit} on {len(rows.labels)} rows")
    if promise.alphas:
        rows = _taken(certification, parts["sets"])
        sets = prediction_sets(replay(rows, values).probabilities, rows.labels, promise.alphas)
    return Promises(certified, abstains, sets, tuple(warnings))


def divide(rows: int, promise: Promise, seed: int) -> dict[str, NDArray[np.intp]]:
    """Divide certification rows among the promises asked for, 10 : 3 : 3, at random by the seed."""
    asked = {"thresholds": True, "abstention": promise.abstain_above is not None, "sets": bool(promise.alphas)}
    shares = {name: share for name, share in _SHARES.items() if asked[name]}
    ends = np.cumsum(list(shares.values())) * rows // sum(shares.values())
    order = np.random.default_rng(seed).permutation(rows)
    return dict(zip(shares, (np.sort(part) for part in np.split(order, ends[:-1])), strict=True))


def _taken(rows: Rows, numbers: NDArray[np.intp]) -> Rows:
    return Rows([word[numbers] for word in rows.words], rows.labels[numbers])
