"""Improve levels: each change is tried, measured on validation rows, and kept where it helps."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import msgspec
import numpy as np

from training.learning.networks import TEMPERATURE, TrainingTarget, logits
from training.learning.views import Teacher, TeacherViews
from training.levels.ladder import ExpectedPerformance, Ladder, TrainableLevel, with_pool_weights
from training.levels.network import TrainableNetwork
from training.levels.training_run import TrainingRun
from training.replay.thresholds import lowest_safe_threshold
from training.task import Optimise, SettledNetwork
from weir.catalog.levels import Classifier
from weir.engine.arrays import Floats
from weir.engine.cascade import exits, limit_of
from weir.engine.confidence import confidence, softmax

_EASY = 0.25
"""weight of a training row that no earlier level escalates, beside 1 of one that is"""
_DISTILLATION_LENGTH = 3
"""epochs of a distillation for each of the level's own, unless the task says otherwise"""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table that shows what helped."""

    what: str
    level: str
    used: bool
    why: str
    """the reason in a few words"""
    level_accuracy_before: float | None = None
    """accuracy of the level alone on validation rows, 0 to 1"""
    level_accuracy: float | None = None
    time_us_before: float | None = None
    """µs per row of the ladder under the cheapest thresholds that keep the limit on validation rows; None: none do"""
    time_us: float | None = None
    loss_before: float | None = None
    """negative log-likelihood of the ladder's final posterior, in nats"""
    loss: float | None = None

    def describe(self) -> str:
        """Describe the change and its effect in one line."""
        parts = [f"{self.what} {self.level}".strip() + f": {'used' if self.used else 'not used'}, {self.why}"]
        if self.level_accuracy is not None and self.level_accuracy_before is not None:
            parts.append(f"alone {100 * self.level_accuracy_before:.1f} -> {100 * self.level_accuracy:.1f} %")
        if self.time_us is not None and self.time_us_before is not None:
            parts.append(f"ladder {self.time_us_before:.1f} -> {self.time_us:.1f} µs per row")
        if self.loss is not None and self.loss_before is not None:
            parts.append(f"final loss {self.loss_before:.4f} -> {self.loss:.4f} nats")
        return "; ".join(parts)


@dataclass(frozen=True)
class LevelSearch:
    """A ladder being improved, and the table of what was tried on it."""

    run: TrainingRun
    ladder: Ladder
    trials: tuple[Trial, ...] = ()

    @property
    def expected(self) -> ExpectedPerformance:
        """Time and loss of the ladder as it is."""
        return self.ladder.expected(self.run.promise)

    def skip(self, what: str, level: str, why: str) -> "LevelSearch":
        """Add a line to the table for a change that could not be tried."""
        return self._with_line(Trial(what=what, level=level, used=False, why=why))

    def try_level(self, what: str, number: int, level: TrainableLevel) -> "LevelSearch":
        """Put another level in the place of one if the ladder is better for it, and add a line to the table."""
        return self.try_ladder(what, level.name, self.ladder.with_level(number, level).refitted(), number)

    def try_ladder(  # noqa: PLR0913 (what the line of the table says)
        self,
        what: str,
        level: str,
        other: Ladder,
        number: int | None = None,
        better: Callable[[ExpectedPerformance, ExpectedPerformance], bool] = ExpectedPerformance.better_than,
        *,
        note: str = "",
    ) -> "LevelSearch":
        """Take another ladder if it is better, and add a line to the table.

        Args:
            what: the change that made the other ladder.
            level: the level that it changed.
            other: the other ladder.
            number: the number of a level whose accuracy alone belongs into the table.
            better: tells whether the first performance is better than the second.
            note: what else the line says.
        """
        before, after = self.expected, other.expected(self.run.promise)
        used = better(after, before)
        alone = [None if number is None else _accuracy_alone(ladder, number) for ladder in (self.ladder, other)]
        line = Trial(
            what=what,
            level=level,
            used=used,
            why="; ".join(filter(None, ["helps" if used else "does not help", note])),
            level_accuracy_before=alone[0],
            level_accuracy=alone[1],
            time_us_before=_finite(before.time_us),
            time_us=_finite(after.time_us),
            loss_before=before.loss,
            loss=after.loss,
        )
        return replace(self._with_line(line), ladder=other if used else self.ladder)

    def _with_line(self, line: Trial) -> "LevelSearch":
        self.run.callbacks.say(line.describe())
        return replace(self, trials=(*self.trials, line))


def improve_levels(search: LevelSearch) -> LevelSearch:
    """Try distillation and escalation weights on every level before the last, cheapest first."""
    settings, teacher = search.run.task.optimise, _strongest(search.ladder)
    views = _views(search.run, teacher)
    for number in range(len(search.ladder.levels) - 1):
        if settings.distil:
            search = _distilled(search, number, teacher, views)
        if settings.escalated and number:
            search = _escalated(search, number)
    return search


def choose_fusion(search: LevelSearch) -> LevelSearch:
    """Try to pool every level with those before it, but not the end-to-end model as the last level."""
    if not search.run.task.optimise.pool:
        return search
    for number, level in enumerate(search.ladder.levels):
        if not number or not isinstance(level, Classifier):
            continue
        last = level.network is search.ladder.end_to_end
        if not (last and search.run.promise.against == "end-to-end"):
            search = search.try_level("pooling", number, with_pool_weights(search.ladder, number, level))
    return search


def _strongest(ladder: Ladder) -> TrainableNetwork:
    """Return the network with the lowest validation loss, which teaches the others."""
    networks = [level.network for level in ladder.levels if isinstance(level, Classifier)]
    return min([*networks, ladder.end_to_end], key=lambda network: network.predictions.loss(ladder.labels))


@dataclass(frozen=True)
class _Retraining:
    """Another way to train a level."""

    what: str
    spec: SettledNetwork
    target: TrainingTarget
    depends_on: list[object]
    """what the target depends on, besides the data"""


def _views(run: TrainingRun, teacher: TrainableNetwork) -> TeacherViews:
    """Describe the views on which a network teaches every level: rows change as in its own training."""

    def change(rows: Floats, random: np.random.Generator) -> Floats:
        return teacher.target.modality.augmented(rows, teacher.spec, random)

    mix = teacher.target.modality.mixed
    teaches = Teacher(partial(logits, teacher.trained.model), change, teacher.trained.made_of, mix)
    return TeacherViews(run.data.train.inputs, teaches, run.task.seed)


def _distilled(search: LevelSearch, number: int, teacher: TrainableNetwork, views: TeacherViews) -> LevelSearch:
    """Try to train a level on what a teacher says, in the place of the labels, and for longer."""
    level = search.ladder.levels[number]
    if not isinstance(level, Classifier):
        return search
    if level.network.trained is teacher.trained:
        return search.skip("distillation", level.name, "it has the lowest validation loss, and teaches the others")
    spec = _lengthened(level.network.spec, search.run.task.optimise)
    target = replace(level.network.target, teacher=views)
    return _retrained(search, number, level, _Retraining("distillation", spec, target, described(target)))


def _lengthened(spec: SettledNetwork, settings: Optimise) -> SettledNetwork:
    """Give a level the epochs of a distillation, of which none is left out."""
    epochs = settings.distil_epochs or _DISTILLATION_LENGTH * spec.epochs
    return msgspec.structs.replace(spec, epochs=epochs, patience=epochs)


def _escalated(search: LevelSearch, number: int) -> LevelSearch:
    """Try to train a level with more weight on the rows that the level before it escalates."""
    earlier, level = search.ladder.levels[number - 1], search.ladder.levels[number]
    if not isinstance(earlier, Classifier) or not isinstance(level, Classifier):
        return search
    promise = search.run.promise
    threshold = lowest_safe_threshold(search.ladder.recording, number - 1, promise.max_loss, promise.against)
    before, target = earlier.network, level.network.target
    outputs = logits(before.trained.model, before.target.train.inputs)
    confidences = confidence(softmax(outputs, before.predictions.temperature))
    escalates = ~exits(confidences, limit_of(threshold))
    if threshold is None or escalates.all() or not escalates.any():
        why = "the level before escalates all training rows, or none"
        return search.skip("escalation weights", level.name, why)
    weights = np.where(escalates, 1.0, _EASY).astype(np.float32)
    target = replace(target, weights=weights / weights.mean())
    depends_on = [before.trained.made_of, round(threshold, 4), described(target)]
    return _retrained(search, number, level, _Retraining("escalation weights", level.network.spec, target, depends_on))


def _retrained(
    search: LevelSearch, number: int, level: Classifier[TrainableNetwork], retraining: _Retraining
) -> LevelSearch:
    """Train a level again, and take the new network if the ladder is better for it."""
    what, spec, target = retraining.what, retraining.spec, retraining.target
    trained = search.run.train(
        spec,
        target,
        depends_on=[what, *retraining.depends_on],
        as_name=f"{level.name}-{what.replace(' ', '-')}",
    )
    new = search.run.network(spec, trained, target, time_us=level.network.predictions.time_us)
    level = msgspec.structs.replace(level, network=new, temperature=new.predictions.temperature)
    return search.try_level(what, number, level)


def described(target: TrainingTarget) -> list[object]:
    """Describe how a teacher teaches a network, without its rows; empty without a teacher."""
    return [] if target.teacher is None else [*target.teacher.depends_on, TEMPERATURE]


def _accuracy_alone(ladder: Ladder, number: int) -> float | None:
    """Return the accuracy of a classifier alone on validation rows; None for routers and experts."""
    level = ladder.levels[number]
    return level.network.predictions.accuracy(ladder.labels) if isinstance(level, Classifier) else None


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
