"""Make levels better, one way after the other: each is tried, measured on validation rows, and used where it helps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.learning.networks import TrainingTarget, logits, teaching
from training.levels.ladder import Ladder, Net, Outlook, Rung, pooled
from training.levels.training_run import TrainingRun
from training.replay.thresholds import safe
from weir.engine.confidence import confidence, softmax

Floats = NDArray[np.float32]

_EASY = 0.25
"""weight of a training row that no earlier level escalates, beside 1 of one that is"""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table that says what helped."""

    what: str
    level: str
    used: bool
    why: str
    """in a few words"""
    level_accuracy_before: float | None = None
    """of the level alone on validation rows, 0 to 1"""
    level_accuracy: float | None = None
    time_us_before: float | None = None
    """of the ladder: µs a row under the cheapest thresholds that keep the limit on validation rows; None: none do"""
    time_us: float | None = None
    loss_before: float | None = None
    """of the ladder's last word, in nats"""
    loss: float | None = None


@dataclass(frozen=True)
class LevelSearch:
    """A ladder under work, and the table of what was tried on it."""

    shop: TrainingRun
    ladder: Ladder
    tried: tuple[Tried, ...] = ()

    @property
    def outlook(self) -> Outlook:
        """What the ladder comes to now."""
        return self.ladder.outlook(self.shop.task.promise)

    def skipped(self, what: str, level: str, why: str) -> "LevelSearch":
        """Note what could not be tried."""
        line = Tried(what=what, level=level, used=False, why=why)
        self.shop.callbacks.say(told(line))
        return replace(self, tried=(*self.tried, line))

    def judged(self, what: str, number: int, rung: Rung) -> "LevelSearch":
        """Put another level in the place of one if the ladder is better for it, and note what came of it."""
        return self.compared(what, rung.name, self.ladder.with_rung(number, rung).refitted(), number)

    def compared(
        self,
        what: str,
        level: str,
        other: Ladder,
        number: int | None = None,
        better: Callable[[Outlook, Outlook], bool] = Outlook.better_than,
    ) -> "LevelSearch":
        """Take another ladder if it is better, and note what came of it."""
        before, after = self.outlook, other.outlook(self.shop.task.promise)
        used = better(after, before)
        alone = (None, None) if number is None else (_alone(self.ladder, number), _alone(other, number))
        line = Tried(
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
        self.shop.callbacks.say(told(line))
        return replace(self, ladder=other if used else self.ladder, tried=(*self.tried, line))


def told(line: Tried) -> str:
    """Say what was tried and what came of it."""
    parts = [f"{line.what} {line.level}".strip() + f": {'used' if line.used else 'not used'}, {line.why}"]
    if line.level_accuracy is not None and line.level_accuracy_before is not None:
        parts.append(f"alone {100 * line.level_accuracy_before:.1f} -> {100 * line.level_accuracy:.1f} %")
    if line.time_us is not None and line.time_us_before is not None:
        parts.append(f"ladder {line.time_us_before:.1f} -> {line.time_us:.1f} µs a row")
    if line.loss is not None and line.loss_before is not None:
        parts.append(f"its last word {line.loss_before:.4f} -> {line.loss:.4f} nats")
    return "; ".join(parts)


def optimise_levels(bench: LevelSearch) -> LevelSearch:
    """Try distillation and escalation weights on every level before the last, cheapest first."""
    asked = bench.shop.task.optimise
    for number in range(len(bench.ladder.rungs) - 1):
        teacher = _strongest(bench.ladder)
        if asked.distil:
            bench = _distilled(bench, number, teacher)
        if asked.escalated and number:
            bench = _escalated(bench, number)
    return bench


def choose_fusion(bench: LevelSearch) -> LevelSearch:
    """Try to pool every level with those before it; the end-to-end model as the last level speaks for itself."""
    if not bench.shop.task.optimise.pool:
        return bench
    for number, rung in enumerate(bench.ladder.rungs):
        last = rung.net is bench.ladder.end_to_end
        if number and rung.kind == "cascade" and not (last and bench.shop.task.promise.against == "end-to-end"):
            bench = bench.judged("pooling", number, pooled(bench.ladder, number))
    return bench


def _strongest(ladder: Ladder) -> Net:
    nets = [rung.net for rung in ladder.rungs if rung.net is not None and rung.kind == "cascade"]
    return min([*nets, ladder.end_to_end], key=lambda net: net.loss)


def _distilled(bench: LevelSearch, number: int, teacher: Net) -> LevelSearch:
    net = _net(bench.ladder, number)
    name = bench.ladder.rungs[number].name
    if net.trained is teacher.trained:
        return bench.skipped("distillation", name, "it is the strongest network itself")
    said = teaching(teacher.trained.model, net.lesson.train.inputs)
    lesson = replace(net.lesson, teacher=said)
    return _retrained(bench, number, "distillation", lesson, [teacher.trained.made_of])


def _escalated(bench: LevelSearch, number: int) -> LevelSearch:
    name = bench.ladder.rungs[number].name
    promise = bench.shop.task.promise
    threshold = safe(bench.ladder.recording, number - 1, promise.max_loss, promise.against)
    earlier = _net(bench.ladder, number - 1)
    sure = confidence(softmax(logits(earlier.trained.model, earlier.lesson.train.inputs), earlier.temperature))
    goes_on = sure < threshold
    if goes_on.all() or not goes_on.any():
        return bench.skipped("escalation weights", name, "the level before escalates all training rows, or none")
    weights = np.where(goes_on, 1.0, _EASY).astype(np.float32)
    net = _net(bench.ladder, number)
    lesson = replace(net.lesson, weights=weights / weights.mean())
    made_of = [earlier.trained.made_of, round(threshold, 4), _taught(net)]
    return _retrained(bench, number, "escalation weights", lesson, made_of)


def _retrained(
    bench: LevelSearch, number: int, what: str, lesson: TrainingTarget, made_of: Sequence[object]
) -> LevelSearch:
    rung, net = bench.ladder.rungs[number], _net(bench.ladder, number)
    name = f"{rung.name}-{what.replace(' ', '-')}"
    trained = bench.shop.train(net.spec, lesson, made_of=[what, *made_of], as_name=name)
    better = bench.shop.net(net.spec, trained, lesson, time_us=net.time_us)
    return bench.judged(what, number, replace(rung, net=better))


def _taught(net: Net) -> str:
    """Name what a level learned from, so far: its own digest when it has a teacher."""
    return net.trained.made_of if net.lesson.teacher is not None else ""


def _net(ladder: Ladder, number: int) -> Net:
    net = ladder.rungs[number].net
    assert net is not None, "levels are optimised before experts join them"
    return net


def _alone(ladder: Ladder, number: int) -> float | None:
    """Take the accuracy of a level's own word on validation rows; None for experts."""
    rung = ladder.rungs[number]
    return rung.net.accuracy if rung.net is not None and rung.kind == "cascade" else None


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
