"""Attempts to certify on the same rows: each spends half of the delta of the one before.

Whoever certifies again and again on the same rows and keeps the best result breaks the promise more often than delta.
So attempt j on the same rows spends `delta / 2^(j-1)`: the chance that any of the promises made on them is broken is
at most the sum of what was spent, which stays below `2 * delta`. Rows that overlap count as the same; the sum is larger
for rows that overlap with several sets which do not overlap each other. A folder knows its own attempts and those of
the trainings it reused: what another folder tried on the same rows is not in its sum.
"""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from training import folder
from training.data.digests import digests
from training.data.preparation import PreparedData
from training.task import Between
from weir.engine.arrays import Floats
from weir.engine.cascade import Threshold
from weir.errors import BadInput

FILE = "attempts.json"
"""of a training folder"""

Order = tuple[tuple[Threshold, ...], ...]


@dataclass(frozen=True)
class RowDigests:
    """The digests of a set of rows."""

    sorted: NDArray[np.uint64]
    """equal rows once"""

    @classmethod
    def decode(cls, text: str) -> "RowDigests":
        """Read what `encoded` is."""
        return cls(np.frombuffer(base64.b64decode(text), "<u8").astype(np.uint64))

    @property
    def encoded(self) -> str:
        """The digests in base64, 8 bytes each."""
        return base64.b64encode(self.sorted.astype("<u8").tobytes()).decode()

    @property
    def name(self) -> str:
        """The name of the rows by their content: the sha256 of their digests."""
        return hashlib.sha256(self.sorted.astype("<u8").tobytes()).hexdigest()

    def overlap(self, other: "RowDigests") -> bool:
        """Tell whether a row is in both sets."""
        return bool(np.isin(self.sorted, other.sorted).any())


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One certification."""

    test: str
    """digest of what was tested: levels, data, the promise that was asked for, the rows of its thresholds; empty: not
    known"""
    rows: str
    """name of its certification rows in `Attempts.rows`"""
    delta: Between
    """what it spent"""
    order: Order = ()
    """threshold vectors in the order of their tests"""
    at: str = ""


@dataclass(frozen=True)
class Spending:
    """What an attempt may spend."""

    number: int
    """of the attempt among those on the same rows, from 1"""
    delta: float
    total: float
    """what all attempts on these rows have spent, this one included; at most 1"""
    order: Order = ()
    """the order in which the very same test was made before; empty when it was not"""


class Attempts(msgspec.Struct, frozen=True, kw_only=True):
    """The attempts of a training folder, oldest first."""

    attempts: tuple[Attempt, ...] = ()
    rows: dict[str, str] = {}
    """name -> the digests of its rows, encoded"""

    def spending(self, test: str, digests: RowDigests, delta: float) -> Spending:
        """Return what a test on these rows may spend; a test that is made again spends nothing anew.

        Args:
            test: digest of what is tested.
            digests: of its rows.
            delta: what the first attempt on these rows may spend.
        """
        name = digests.name
        used = {rows for rows, kept in self.rows.items() if RowDigests.decode(kept).overlap(digests)}
        overlapping = [one for one in self.attempts if one.rows in used]
        spent = [one.delta for one in overlapping]
        for number, one in enumerate(overlapping, 1):
            if (one.test, one.rows) == (test, name):
                return Spending(number, one.delta, min(1.0, sum(spent)), one.order)
        own = delta / 2 ** len(spent)
        return Spending(len(spent) + 1, own, min(1.0, sum(spent) + own))

    def adding(self, attempt: Attempt, digests: RowDigests) -> "Attempts":
        """Record an attempt; one that is recorded already stays as it is."""
        if any((one.test, one.rows) == (attempt.test, attempt.rows) for one in self.attempts):
            return self
        rows = {**self.rows, attempt.rows: digests.encoded}
        return Attempts(attempts=(*self.attempts, attempt), rows=rows)

    def merged(self, other: "Attempts") -> "Attempts":
        """Add the attempts of another training, whose networks are reused."""
        known = {(one.test, one.rows) for one in self.attempts}
        new = [one for one in other.attempts if (one.test, one.rows) not in known]
        return Attempts(attempts=(*self.attempts, *new), rows={**other.rows, **self.rows})


def digests_of(rows: Floats) -> RowDigests:
    """Compute the digests of rows `(n, …)`."""
    return RowDigests(np.unique(np.frombuffer(b"".join(digests(rows)), "<u8")).astype(np.uint64))


def load(trained: Path) -> Attempts:
    """Read what a training folder has recorded; none where there is no file.

    Raises:
        BadInput: the file is damaged. Without it nobody knows what was spent.
    """
    path = trained / FILE
    try:
        attempts = msgspec.json.decode(path.read_bytes(), type=Attempts)
        names = [RowDigests.decode(kept).name for kept in attempts.rows.values()]
    except FileNotFoundError:
        return Attempts()
    except (msgspec.MsgspecError, ValueError, OSError) as exc:
        raise BadInput(f"{path} is what certification wrote", exc) from exc
    if names != list(attempts.rows) or not {one.rows for one in attempts.attempts} <= attempts.rows.keys():
        raise BadInput(f"{path} is what certification wrote", "rows of other names")
    return attempts


def made_in(trained: Path, data: PreparedData) -> Attempts:
    """Return the attempts on the rows of a training folder; none where nothing was certified yet.

    A promise from before attempts were recorded counts as the first on the certification rows, if it is of these data.

    Raises:
        BadInput: the file is damaged, or missing where a promise was certified. Without it nobody knows what was spent.
    """
    attempts = load(trained)
    if attempts.attempts or not folder.is_complete(trained):
        return attempts
    certificate = folder.manifest(trained).certificate
    if certificate is None:
        return attempts
    if certificate.delta_spent is not None:
        raise BadInput(f"{trained / FILE} is what certification wrote", "no attempt, and a promise that took one")
    if certificate.data_digest != data.digest:
        return attempts
    digests = digests_of(data.certification.inputs)
    return attempts.adding(Attempt(test="", rows=digests.name, delta=certificate.delta), digests)


def save(trained: Path, attempts: Attempts) -> None:
    """Write the attempts of a training folder."""
    folder.write(trained / FILE, msgspec.json.format(msgspec.json.encode(attempts), indent=1) + b"\n")
