"""Audit certified thresholds on the digits of `mnist-sample`, at limits and numbers of rows that users have.

The population is the task's validation, certification and test rows together: 2,000 rows, none of which a network has
learned from. (Validation rows chose the epoch, the quantization and the temperatures; so they are no fair sample of
digits, but the audit is about draws from these 2,000 rows, and asks nothing about other digits.) Each draw takes 500
validation rows and then the certification rows from the population, with replacement. The order of the threshold
vectors is fixed anew on the validation rows drawn, as the order of a training depends on its validation rows, and is
tested on the certification rows drawn.

The certification rows are independent draws from the population, which is therefore the distribution that the promise
is about. The true loss of the chosen thresholds is their loss over the whole population, and a draw is broken when it
exceeds epsilon. That may happen in at most delta of the draws, up to chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.resampling import Order, Result, allowed, share
from benchmarks.trained import DEMO, ensure, load
from training.certifying.limits import settle
from training.data.splits.split import Split
from training.replay.recording import LevelTimes, Recording, record
from training.replay.timing import times
from training.task import AUTO, Promise
from weir.catalog.promises import Against
from weir.engine.arrays import Floats

DELTA = 0.05
_AGAINST: tuple[Against, ...] = ("end-to-end", "agreement")
_ASKED = ((0.005, 750), (0.01, 750), (0.02, 750), (0.01, 300), (0.03, 100))
"""epsilon and certification rows"""
OWN = (0.01, 750)
"""those of the task itself"""
_PER_LABEL = ((0.02, 750, 0.05), (0.02, 1500, 0.03))
"""epsilon, certification rows, and epsilon of each label"""
_AUTO_ROWS = (100, 180, 300, 750)
"""certification rows for `max_loss = "auto"`"""


@dataclass(frozen=True)
class Sample:
    """A population of rows on which every level was run, and the times of the levels."""

    inputs: Floats
    rows: Recording
    times: LevelTimes
    validation: int
    """validation rows of a draw"""


@dataclass(frozen=True)
class Setting:
    """A promise under audit."""

    against: Against
    limit: float
    """epsilon"""
    rows: int
    """certification rows of a draw"""
    per_label: float | None = None
    """epsilon of each label with rows enough; None: labels have no promise of their own"""
    auto: bool = False
    """whether the number of rows chose the limit"""

    @property
    def plain(self) -> bool:
        """Whether it is a given limit for all rows."""
        return not self.auto and self.per_label is None


@dataclass(frozen=True)
class Audited:
    """How often a promise broke, and what its thresholds saved."""

    setting: Setting
    certified: Sequence[Result]
    """of each draw"""
    naive: Sequence[Result]
    """of each draw, without a test"""

    @property
    def broken(self) -> float:
        """Share of draws in which the promise broke."""
        return share([one.broken for one in self.certified])

    @property
    def allowed(self) -> float:
        """Share of draws in which it may."""
        return allowed(DELTA, len(self.certified))

    def figures(self) -> dict[str, Any]:
        """Return the figures of the JSON line."""
        return {
            "against": self.setting.against,
            "epsilon": self.setting.limit,
            **({} if self.setting.per_label is None else {"per_label": self.setting.per_label}),
            "rows": self.setting.rows,
            "broken_share": round(self.broken, 4),
            "allowed_share": round(self.allowed, 4),
            "naive_broken_share": round(share([one.broken for one in self.naive]), 4),
            "saving_share": round(share([one.saves for one in self.certified]), 4),
            "time_ratio": round(float(np.mean([one.time_ratio for one in self.certified])), 4),
        }


def sample() -> Sample:
    """Run the networks of the demo's training on the population; train it if that was not done yet."""
    ensure(DEMO)
    _, model, data = load(DEMO)
    splits = (data.validation, data.certification, data.test)
    whole = Split(np.concatenate([one.inputs for one in splits]), np.concatenate([one.labels for one in splits]))
    measured = times(model, data.validation.inputs)
    return Sample(whole.inputs, record(model, whole), measured, len(data.validation.labels))


def settings() -> list[Setting]:
    """List the promises to audit: given limits against the end-to-end model and the last level, of labels, `auto`."""
    asked = [Setting(against, limit, rows) for against in _AGAINST for limit, rows in _ASKED]
    asked += [Setting(against, *one) for against in _AGAINST for one in _PER_LABEL]
    auto = Promise(max_loss=AUTO, delta=DELTA)
    limits = [settle(auto, rows, DELTA).promise.max_loss for rows in _AUTO_ROWS]
    return asked + [
        Setting("end-to-end", limit, rows, auto=True) for limit, rows in zip(limits, _AUTO_ROWS, strict=True)
    ]


def audit(whole: Sample, asked: Sequence[Setting], draws: int) -> list[Audited]:
    """Certify every promise on every draw. The promises of one draw share its validation rows, and so their order."""
    random = np.random.default_rng(0)
    certified: list[list[Result]] = [[] for _ in asked]
    naive: list[list[Result]] = [[] for _ in asked]
    count = len(whole.rows.labels)
    for _ in range(draws):
        validation = random.integers(0, count, whole.validation)
        orders = {
            against: Order.fixed_on(whole.rows, whole.times, validation, against)
            for against in sorted({setting.against for setting in asked})
        }
        for number, setting in enumerate(asked):
            drawn = random.integers(0, count, setting.rows)
            order = orders[setting.against]
            certified[number].append(order.certified(drawn, setting.limit, DELTA, setting.per_label))
            naive[number].append(order.naive(drawn, setting.limit, setting.per_label))
    return [Audited(*one) for one in zip(asked, certified, naive, strict=True)]


def table(audited: Sequence[Audited]) -> list[str]:
    """Make a line for each promise."""
    columns = f"{'broken':>8} {'allowed':>8} {'naive':>8} {'saves':>8} {'ratio':>7}"
    lines = [f"{'against':12} {'epsilon':>9} {'rows':>5} {columns}"]
    for one in audited:
        figures = one.figures()
        shares = (figures[name] for name in ("broken_share", "allowed_share", "naive_broken_share", "saving_share"))
        lines.append(
            f"{one.setting.against:12} {100 * one.setting.limit:>7g} % {one.setting.rows:>5} "
            + " ".join(f"{100 * value:>6.1f} %" for value in shares)
            + f" {figures['time_ratio']:>7.4f}"
            + ("  auto" if one.setting.auto else "")
            + ("" if one.setting.per_label is None else f"  each label {100 * one.setting.per_label:g} %")
        )
    return lines
