"""Improve levels: each change is tried, measured on validation rows, and kept where it helps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from training.learning.networks import TrainingTarget, logits, teaching
from training.levels.ladder import ExpectedPerformance, Ladder, TrainableLevel, pooled
from training.levels.network import TrainableNetwork
from training.levels.training_run import TrainingRun
from training.replay.thresholds import safe
from weir.catalog.levels import Classifier
from weir.engine.confidence import confidence, softmax

_EASY = 0.25
"""weight of a training row that no earlier level escalates, beside 1 of one that is"""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table that shows what helped."""

    what: str
    level: str
    used: bool
    why: str
    """in a few words"""
    level_accuracy_before: float | None = None
    """of the level alone on validation rows, 0 to 1"""
    level_accuracy: float | None = None
    time_us_before: float | None = None
    """of the ladder: µs per row under the cheapest thresholds that keep the limit on validation rows; None: none do"""
    time_us: float | None = None
    loss_before: float | None = None
    """of the ladder's final posterior, in nats"""
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
        return self.ladder.expected(self.run.task.promise)

    def skipped(self, what: str, level: str, why: str) -> "LevelSearch":
        """Note a change that could not be tried."""
        return self._noted(Trial(what=what, level=level, used=False, why=why))

    def judged(self, what: str, number: int, level: TrainableLevel) -> "LevelSearch":
        """Put another level in the place of one if the ladder is better for it, and note the effect."""
        return self.compared(what, level.name, self.ladder.with_level(number, level).refitted(), number)

    def compared(
        self,
        what: str,
        level: str,
        other: Ladder,
        number: int | None = None,
        better: Callable[[ExpectedPerformance, ExpectedPerformance], bool] = ExpectedPerformance.better_than,
    ) -> "LevelSearch":
        """Take another ladder if it is better, and note the effect."""
        before, after = self.expected, other.expected(self.run.task.promise)
        used = better(after, before)
        alone = (None, None) if number is None else (_alone(self.ladder, number), _alone(other, number))
        line = Trial(
            what=what,
            level=level,
            used=used,
            why="helps" if used else "does not help",
            level_accuracy_before=alone[0],
            level_accuracy=alone[1],
            time_us_before=_finite(before.time_us),
            time_us=_finite(after.time_us),
            loss_before=before.loss,
            loss=after.loss,
        )
        return replace(self._noted(line), ladder=other if used else self.ladder)

    def _noted(self, line: Trial) -> "LevelSearch":
        self.run.callbacks.say(line.describe())
        return replace(self, trials=(*self.trials, line))


def improve_levels(search: LevelSearch) -> LevelSearch:
    """Try distillation and escalation weights on every level before the last, cheapest first."""
    settings = search.run.task.optimise
    for number in range(len(search.ladder.levels) - 1):
        teacher = _strongest(search.ladder)
        if settings.distil:
            search = _distilled(search, number, teacher)
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
        if not (last and search.run.task.promise.against == "end-to-end"):
            search = search.judged("pooling", number, pooled(search.ladder, number, level))
    return search


def _strongest(ladder: Ladder) -> TrainableNetwork:
    networks = [level.network for level in ladder.levels if isinstance(level, Classifier)]
    return min([*networks, ladder.end_to_end], key=lambda network: network.predictions.loss(ladder.labels))


def _distilled(search: LevelSearch, number: int, teacher: TrainableNetwork) -> LevelSearch:
    level = search.ladder.levels[number]
    if not isinstance(level, Classifier):
        return search
    if level.network.trained is teacher.trained:
        return search.skipped("distillation", level.name, "it is the strongest network itself")
    target = level.network.target
    taught = replace(target, teacher=teaching(teacher.trained.model, target.train.inputs))
    return _retrained(search, number, level, "distillation", taught, [teacher.trained.made_of])


def _escalated(search: LevelSearch, number: int) -> LevelSearch:
    """Train a level again, with more weight on the rows that the level before it escalates."""
    earlier, level = search.ladder.levels[number - 1], search.ladder.levels[number]
    if not isinstance(earlier, Classifier) or not isinstance(level, Classifier):
        return search
    promise = search.run.task.promise
    threshold = safe(search.ladder.recording, number - 1, promise.max_loss, promise.against)
    network, target = earlier.network, level.network.target
    outputs = logits(network.trained.model, network.target.train.inputs)
    confidences = confidence(softmax(outputs, network.predictions.temperature))
    escalates = confidences < (np.inf if threshold is None else threshold)
    if threshold is None or escalates.all() or not escalates.any():
        why = "the level before escalates all training rows, or none"
        return search.skipped("escalation weights", level.name, why)
    weights = np.where(escalates, 1.0, _EASY).astype(np.float32)
    weighted = replace(target, weights=weights / weights.mean())
    depends_on = [network.trained.made_of, round(threshold, 4), _taught(level.network)]
    return _retrained(search, number, level, "escalation weights", weighted, depends_on)


def _retrained(  # noqa: PLR0913, PLR0917 (what is trained, and in which place)
    search: LevelSearch,
    number: int,
    level: Classifier[TrainableNetwork],
    what: str,
    target: TrainingTarget,
    depends_on: Sequence[object],
) -> LevelSearch:
    run, network = search.run, level.network
    name = f"{level.name}-{what.replace(' ', '-')}"
    trained = run.train(network.spec, target, depends_on=[what, *depends_on], as_name=name)
    better = run.network(network.spec, trained, target, time_us=network.predictions.time_us)
    temperature = better.predictions.temperature
    return search.judged(what, number, msgspec.structs.replace(level, network=better, temperature=temperature))


def _taught(network: TrainableNetwork) -> str:
    """Identify what a level learned from, so far: its own digest when it has a teacher."""
    return network.trained.made_of if network.target.teacher is not None else ""


def _alone(ladder: Ladder, number: int) -> float | None:
    """Return the accuracy of a classifier alone on validation rows; None for routers and experts."""
    level = ladder.levels[number]
    return level.network.predictions.accuracy(ladder.labels) if isinstance(level, Classifier) else None


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
