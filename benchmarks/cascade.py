"""Compare the end-to-end model with three cascades: a certified one, one with experts, and a control without experts.

All four answer the whole test split in one run, on the deployed interpreter and one thread, and alternate.

- The certified cascade has its certified thresholds.
- The hierarchy has experts, and the thresholds that are most accurate on validation rows.
- The control has the same levels, but in the place of the experts a second general model, pooled with the levels before
  it. Of all thresholds that take no more time than the hierarchy's on validation rows, it has the most accurate.

`make bench-cascade` prints the comparison, and first trains what is not trained yet.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from benchmarks.setting import header
from benchmarks.trained import CASCADE, CONTROL, HIERARCHY, ensure, load
from training.certifying.loss_promise import describe
from training.data.splits.split import Split
from training.fitting.fusing import pool_weights
from training.measuring.calibration import CalibrationResult, calibration
from training.measuring.contenders import CASCADE_KEY, Contender
from training.measuring.evaluation import Timed, timed
from training.replay.recording import record
from training.replay.thresholds import Thresholds, sequence
from training.replay.timing import times_of
from weir.catalog.levels import Classifier, Experts
from weir.catalog.manifest import Manifest
from weir.runtime.model import Model, Predictor

_END_TO_END, _CASCADE, _HIERARCHY, _CONTROL = "end-to-end", "certified cascade", "hierarchy", "control"


@dataclass(frozen=True)
class TunedCascade:
    """A model whose thresholds are the best on validation rows."""

    model: Model
    """its own thresholds do not matter"""
    thresholds: Thresholds

    @property
    def contender(self) -> Contender:
        """The cascade with these thresholds; no row abstains."""
        cascade = replace(self.model.cascade.definition, abstention=None).with_thresholds(self.thresholds.values)
        return Contender(Predictor(cascade, self.model.network))

    @property
    def summary(self) -> str:
        """The levels in turn, with their thresholds."""
        *levels, last = self.model.manifest.levels
        parts = [
            f"{level.name} {'none' if value is None else format(value, '.4f')}"
            for level, value in zip(levels, self.thresholds.values[:-1], strict=True)
        ]
        experts = f" of {'; '.join(last.experts)}" if isinstance(last, Experts) else ""
        return ", ".join([*parts, f"{last.name}{experts} ({last.fusion})"])


def pooled(model: Model, second: Model, validation: Split) -> Model:
    """Put the end-to-end model of `second` in the place of experts, pooled with weights learned on validation rows."""
    manifest, other = model.manifest, second.manifest
    levels = tuple(level for level in manifest.levels if not isinstance(level, Experts))
    rows = record(Model(msgspec.structs.replace(manifest, levels=levels, abstention=None), model.fetch), validation)
    probabilities = second.end_to_end.answer(validation.inputs)[0].probabilities
    last = Classifier(
        name=other.levels[-1].name,
        network=other.end_to_end.artifact,
        temperature=other.end_to_end.temperature,
        fusion="pool",
        weights=pool_weights(rows.posteriors[-1], probabilities, rows.labels).pair,
        threshold=0.0,
    )

    def fetch(digest: str) -> bytes:
        return (second if digest == other.end_to_end.artifact.digest else model).fetch(digest)

    return Model(
        msgspec.structs.replace(manifest, levels=(*levels, last), groups={}, abstention=None), fetch, model.runtime
    )


def tuned(hierarchy: Model, control: Model, validation: Split) -> tuple[TunedCascade, TunedCascade]:
    """Choose the thresholds of both, by times that were measured in one run."""
    times = times_of([hierarchy, control], validation.inputs)
    first, second = (
        sequence(record(model, validation), taken, "labels")
        for model, taken in zip((hierarchy, control), times, strict=True)
    )
    best = min(first, key=lambda one: (one.loss, one.time_us))
    affordable = [one for one in second if one.time_us <= best.time_us]
    return TunedCascade(hierarchy, best), TunedCascade(
        control, min(affordable, key=lambda one: (one.loss, one.time_us))
    )


def main() -> None:
    """Print the comparison."""
    ensure(CASCADE, HIERARCHY, CONTROL)
    manifest, model, data = load(CASCADE)
    specialised, second = load(HIERARCHY)[1], load(CONTROL)[1]
    hierarchy, control = tuned(specialised, pooled(specialised, second, data.validation), data.validation)
    contenders = {
        _END_TO_END: Contender(model.end_to_end),
        _CASCADE: Contender(model.cascade),
        _HIERARCHY: hierarchy.contender,
        _CONTROL: control.contender,
    }
    measured = timed(contenders, data.test.inputs, lambda _done, _calls: None)
    comparison = Comparison(manifest, measured, data.test)
    for line in (
        *header(),
        *comparison.table(),
        "",
        f"cascade: {describe(manifest)}",
        _calibration(calibration(manifest, model.fetch, data.test)[CASCADE_KEY]),
        f"hierarchy: {hierarchy.summary}",
        f"control: {control.summary}",
        *comparison.verdicts(),
        "",
    ):
        print(line)
    print(json.dumps(comparison.figures()))


def _calibration(result: CalibrationResult) -> str:
    before, after, floor = (f"{100 * value:.2f} %" for value in (result.before, result.after, result.floor))
    return f"cascade: calibration error (ECE) {before} before, {after} after; a perfect predictor would show {floor}"


@dataclass(frozen=True)
class Comparison:
    """The predictions and times of every contender on the test split."""

    manifest: Manifest
    measured: Mapping[str, Timed]
    test: Split

    def accuracy(self, name: str) -> float:
        """Return a contender's accuracy, 0 to 1."""
        return self.measured[name].accuracy(self.test.labels)

    def ratio(self, name: str) -> float:
        """Return a contender's time per row, divided by that of the end-to-end model."""
        return round(self.measured[name].latency_us / self.measured[_END_TO_END].latency_us, 4)

    def table(self) -> list[str]:
        """Make a line for each contender."""
        lines = [f"\n{len(self.test.labels)} test rows", f"{'':>18} {'accuracy':>9} {'µs a row':>9} {'time ratio':>11}"]
        for name, one in self.measured.items():
            accuracy = 100 * self.accuracy(name)
            lines.append(f"{name:>18} {accuracy:>7.2f} % {one.latency_us:>9.1f} {self.ratio(name):>11.3f}")
        return lines

    def verdicts(self) -> list[str]:
        """Compare pairs of contenders, with the standard error of the paired difference."""
        pairs = ((_CASCADE, _END_TO_END), (_HIERARCHY, _END_TO_END), (_HIERARCHY, _CONTROL))
        return [self._verdict(one, other) for one, other in pairs]

    def _verdict(self, one: str, other: str) -> str:
        first, second = (self.measured[name].predictions.label == self.test.labels for name in (one, other))
        difference = first.astype(int) - second.astype(int)
        points, error = 100 * float(difference.mean()), 100 * float(difference.std() / np.sqrt(len(difference)))
        beats = "beats" if points > 0 else "does not beat"
        chance = "" if abs(points) > 2 * error else ", which may be chance"
        return f"{one} {beats} {other}: {points:+.2f} points of accuracy, standard error {error:.2f}{chance}"

    def figures(self) -> dict[str, float | None]:
        """Return the figures of the last line."""
        certificate = self.manifest.certificate
        return {
            "end_to_end_accuracy": self.accuracy(_END_TO_END),
            "cascade_accuracy": self.accuracy(_CASCADE),
            "time_ratio": self.ratio(_CASCADE),
            "epsilon": certificate.max_loss if certificate else None,
            "delta": certificate.delta if certificate else None,
            "hierarchy_accuracy": self.accuracy(_HIERARCHY),
            "hierarchy_time_ratio": self.ratio(_HIERARCHY),
            "control_accuracy": self.accuracy(_CONTROL),
            "control_time_ratio": self.ratio(_CONTROL),
        }


if __name__ == "__main__":
    main()
