"""The promises of a version: values that certification writes and serving reads."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Against = Literal["end-to-end", "labels", "agreement"]
"""what the cascade is compared with"""


class LabelLosses(msgspec.Struct, frozen=True, kw_only=True):
    """What the promise of one label was tested on."""

    label: str
    rows: int
    """certification rows of the label"""
    losses: int
    """rows among them where the promise broke"""
    max_losses: int
    """the most that would still have passed"""
    p_value: float


class LabelPromise(msgspec.Struct, frozen=True, kw_only=True):
    """The promise of the thresholds for each label by itself.

    With probability at least 1 - delta, the limits of all these labels and that of all rows hold together.
    The rows of a label are those that have it; with `against` agreement, those to which the last level gives it.
    """

    max_loss: Share
    """largest share of a label's rows that may be lost, for each of these labels"""
    labels: tuple[LabelLosses, ...]
    rows_needed: int
    """certification rows that a label needs for such a promise"""
    too_few: dict[str, int] = {}
    """label -> its certification rows, which are fewer: nothing is promised for it"""


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """The promise of the thresholds: with probability at least 1 - delta, the loss is at most max_loss.

    The probability is over the draw of the certification rows.
    The loss is the share of rows where the cascade is wrong and the end-to-end model correct (`against` end-to-end),
    where the cascade is wrong (`against` labels), or where its label is another than the last level's (`against`
    agreement, which needs no labels). An abstaining row counts by the label it would have had.
    """

    against: Against
    max_loss: Share
    """epsilon"""
    delta: Share
    """what this attempt spends"""
    rows: int
    """certification rows that carry this promise"""
    attempt: int = 1
    """number of this certification among those on the same rows"""
    delta_spent: Share | None = None
    """sum of the deltas that all of these have spent, this one included; None: delta"""
    losses: int
    """k: rows among them where the promise broke"""
    max_losses: int
    """k_max: the largest k that would still have passed"""
    p_value: float
    """P(Bin(rows, max_loss) <= losses)"""
    tried: int
    """threshold vectors tested, the one that failed included"""
    division: dict[str, int]
    """promise -> certification rows that it alone uses"""
    data_digest: str
    certified_at: str
    per_label: LabelPromise | None = None
    """the same for each label by itself; None: the task does not ask for it"""

    @property
    def summary(self) -> str:
        """The promise in one line of plain words."""
        claim = _CLAIMS[self.against].format(f"at most {100 * self.max_loss:g} %")
        counts = f"{self.losses} of {self.rows} certification rows, {self.max_losses} allowed"
        if self.delta_spent is not None and self.delta_spent > self.delta:
            spent = f"the deltas of all attempts add up to {100 * self.delta_spent:g} %"
            counts += f"; attempt {self.attempt} on these rows: {spent}"
        return f"with {100 * (1 - self.delta):g} % confidence, {claim} ({counts})"

    @property
    def label_summary(self) -> str:
        """The promise for each label in one line of plain words; empty where none was asked for."""
        promise = self.per_label
        if promise is None:
            return ""
        needed = f"a label needs {promise.rows_needed} certification rows"
        without = [f"{label} ({rows})" for label, rows in promise.too_few.items()]
        if not promise.labels:
            return f"no label has a promise of its own: {needed}, and has fewer: {_listed(without)}"
        claim = _LABEL_CLAIMS[self.against].format(f"at most {100 * promise.max_loss:g} %")
        closest = max(promise.labels, key=lambda one: one.p_value)
        counts = f"closest to the limit is {closest.label}, with {closest.losses} of {closest.rows} certification rows"
        several = f"{len(promise.labels)} of {len(promise.labels) + len(without)} labels" if without else "each label"
        line = f"jointly with that, for {several}: {claim} ({counts}, {closest.max_losses} allowed)"
        return f"{line}; nothing is promised for {_listed(without)}: {needed}" if without else line


_SHOWN = 10
"""labels that one line lists"""


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


_LABEL_CLAIMS: dict[Against, str] = {
    "end-to-end": "the cascade is wrong where the end-to-end model is right on {} of its rows",
    "labels": "the cascade is wrong on {} of its rows",
    "agreement": "the cascade gives another label to {} of the rows to which the last level gives it",
}
_CLAIMS: dict[Against, str] = {
    "end-to-end": "the cascade is wrong where the end-to-end model is right on {} of rows",
    "labels": "{} of the cascade's answers are wrong",
    "agreement": "the cascade's label is another than the last level's on {} of rows",
}


class Abstention(msgspec.Struct, frozen=True, kw_only=True):
    """When the last level gives no label.

    With probability at least 1 - delta over the draw of the certification rows, at most a share max_error is wrong: of
    the rows that get a label, and of the rows that get a label or a group.
    """

    max_error: Share
    delta: Share
    """what this attempt spends"""
    attempt: int = 1
    """number of this certification among those on the same rows"""
    delta_spent: Share | None = None
    """sum of the deltas that all of these have spent, this one included; None: delta"""
    threshold: float
    """the last level gives a label to rows whose confidence is at or above it"""
    group_threshold: float | None = None
    """a row without a label gets its most probable group if that has at least this probability; None: no row does"""
    rows: int
    """certification rows that carry this promise"""
    answered: int
    """rows among them that get a label"""
    wrong: int
    """of those, how many get a wrong one"""
    grouped: int = 0
    """rows among them that get a group and no label"""
    grouped_wrong: int = 0
    """of those, how many get a wrong one"""
    p_value: float

    @property
    def summary(self) -> str:
        """The promise in one line of plain words."""
        claim = f"at most {100 * self.max_error:g} % of the labels given are wrong"
        rows = f"{self.wrong} of {self.answered} on {self.rows} certification rows"
        if self.answered == self.rows:
            rows += ", none of which abstained"
        return f"with {100 * (1 - self.delta):g} % confidence, {claim} ({rows})"


class Quantile(msgspec.Struct, frozen=True, kw_only=True):
    """Conformal threshold for one alpha."""

    alpha: Share
    least: float
    """a label is in the set if its probability is at least this; at 0 all labels are"""
    least_per_label: tuple[float, ...] | None = None
    """the same for each label by itself, which promises the coverage of each label"""


class PredictionSets(msgspec.Struct, frozen=True, kw_only=True):
    """Split-conformal prediction sets of the cascade's own posterior.

    They have marginal coverage: a set contains the true label with probability at least 1 - alpha.
    """

    rows: int
    """certification rows that carry this promise"""
    quantiles: tuple[Quantile, ...]

    @property
    def summary(self) -> str:
        """The promise in one line of plain words."""
        shares = " and ".join(f"{100 * (1 - one.alpha):g} %" for one in self.quantiles)
        whole = [one.alpha for one in self.quantiles if 0 in (one.least_per_label or ())]
        loose = f"; per label, too few rows of some: their sets have every label at alpha {whole[0]:g}" if whole else ""
        return f"prediction sets contain the true label of {shares} of rows ({self.rows} certification rows{loose})"

    def quantile(self, alpha: float) -> Quantile | None:
        """Find the entry of an alpha, or None."""
        return next((one for one in self.quantiles if abs(one.alpha - alpha) < 1e-9), None)  # noqa: PLR2004 (rounding)
