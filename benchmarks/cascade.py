"""Compare the end-to-end model with levels: a certified cascade, a hierarchy, and two averaged general models.

All sides answer the whole test split in one run, on the deployed interpreter and one thread, and take turns. The
cascade has the thresholds that were certified. The hierarchy stands at its best: with the thresholds that were right
most often on validation rows. Its control has the same levels, but in the place of experts a second general model of
the same kind, pooled with the first; and of all thresholds that take no more time than the hierarchy's on validation
rows, those that were right most often there. `make bench-cascade`; trains what is not trained yet.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
from training.certifying.certification import told

from benchmarks.setting import header
from benchmarks.trained import CASCADE, CONTROL, HIERARCHY, ensure, load
from training.data.split import Split
from training.fitting.fusing import pool_weights
from training.measuring.calibration import Reading, readings
from training.measuring.contenders import CASCADE as LAST_WORD
from training.measuring.contenders import Contender
from training.measuring.evaluation import Timed, timed
from training.replay.recording import Recorded, record
from training.replay.thresholds import Thresholds, sequence
from training.replay.timing import times_of
from weir.catalog.manifest import Level, Manifest
from weir.runtime.model import Model

_END_TO_END, _CASCADE, _HIERARCHY, _CONTROL = "end-to-end", "certified cascade", "hierarchy", "control"


@dataclass(frozen=True)
class Rival:
    """A ladder of levels, and the thresholds that are best on validation rows."""

    model: Model
    chosen: Thresholds

    @property
    def side(self) -> Contender:
        """The ladder with these thresholds; nobody abstains."""
        manifest = self.model.manifest
        levels = tuple(
            msgspec.structs.replace(level, threshold=value)
            for level, value in zip(manifest.levels, self.chosen.values, strict=True)
        )
        plain = msgspec.structs.replace(manifest, levels=levels, abstention=None)
        return Contender(Model(plain, self.model.fetch, self.model.runtime))

    @property
    def told(self) -> str:
        """The levels in turn, in words."""
        levels = self.model.manifest.levels
        ways = [f"{level.name} {value:.4f}" for level, value in zip(levels[:-1], self.chosen.values, strict=False)]
        last = levels[-1]
        experts = f" of {'; '.join(last.experts)}" if last.experts else ""
        return ", ".join([*ways, f"{last.name}{experts} ({last.fusion})"])


def averaged(model: Model, second: Model, validation: Split) -> Model:
    """Put a second general model in the place of experts, pooled with weights learned on validation rows."""
    manifest, other = model.manifest, second.manifest
    levels = tuple(level for level in manifest.levels if level.kind != "experts")
    rows = record(Model(msgspec.structs.replace(manifest, levels=levels, abstention=None), model.fetch), validation)
    word = second.steps(cascade=False)[0].word
    assert word is not None, "an end-to-end model has a word of its own"
    weights = pool_weights(rows.posteriors[-1], Recorded(word(validation.inputs)).probabilities, rows.labels)
    last = Level(
        name=other.levels[-1].name,
        artifact=other.end_to_end.artifact,
        temperature=other.end_to_end.temperature,
        fusion="pool",
        weights=weights.pair,
        threshold=0.0,
    )

    def fetch(digest: str) -> bytes:
        return (second if digest == other.end_to_end.artifact.digest else model).fetch(digest)

    return Model(
        msgspec.structs.replace(manifest, levels=(*levels, last), groups={}, abstention=None), fetch, model.runtime
    )


def rivals(hierarchy: Model, control: Model, validation: Split) -> tuple[Rival, Rival]:
    """Choose the thresholds of both, by times that were measured beside each other."""
    tried = [
        sequence(record(model, validation), taken, "labels")
        for model, taken in zip((hierarchy, control), times_of([hierarchy, control], validation.inputs), strict=True)
    ]
    first = min(tried[0], key=lambda one: (one.loss, one.time_us))
    affordable = [one for one in tried[1] if one.time_us <= first.time_us]
    return Rival(hierarchy, first), Rival(control, min(affordable, key=lambda one: (one.loss, one.time_us)))


def main() -> None:
    """Print the comparison."""
    ensure(CASCADE, HIERARCHY, CONTROL)
    manifest, model, data = load(CASCADE)
    specialised = load(HIERARCHY)[1]
    second = load(CONTROL)[1]
    hierarchy, control = rivals(specialised, averaged(specialised, second, data.validation), data.validation)
    sides = {
        _END_TO_END: Contender(model, cascade=False),
        _CASCADE: Contender(model),
        _HIERARCHY: hierarchy.side,
        _CONTROL: control.side,
    }
    found = timed(sides, data.test.inputs, lambda _done, _calls: None)
    read = readings(manifest, model.fetch, data.test)[LAST_WORD]
    comparison = Comparison(manifest, found, data.test)
    for line in (
        *header(),
        *comparison.table(),
        "",
        f"cascade: {told(manifest)}",
        _calibration(read),
        f"hierarchy: {hierarchy.told}",
        f"control: {control.told}",
        *comparison.verdicts(),
        "",
    ):
        print(line)
    print(json.dumps(comparison.figures()))


def _calibration(read: Reading) -> str:
    shares = (f"{100 * value:.2f} %" for value in (read.before, read.after, read.floor))
    return "cascade: calibration error (ECE) {} before, {} after; a perfect predictor would show {}".format(*shares)


@dataclass(frozen=True)
class Comparison:
    """What every side answered, and how long it took."""

    manifest: Manifest
    found: Mapping[str, Timed]
    test: Split

    def accuracy(self, name: str) -> float:
        """Share of test rows that a side is right on."""
        return self.found[name].accuracy(self.test.labels)

    def ratio(self, name: str) -> float:
        """Time per row of a side / that of the end-to-end model."""
        return round(self.found[name].latency_us / self.found[_END_TO_END].latency_us, 4)

    def table(self) -> list[str]:
        """A line for each side."""
        lines = [f"\n{len(self.test.labels)} test rows", f"{'':>18} {'accuracy':>9} {'µs a row':>9} {'time ratio':>11}"]
        for name, side in self.found.items():
            accuracy = 100 * self.accuracy(name)
            lines.append(f"{name:>18} {accuracy:>7.2f} % {side.latency_us:>9.1f} {self.ratio(name):>11.3f}")
        return lines

    def verdicts(self) -> list[str]:
        """Say who is ahead of whom, with the standard error of the paired difference."""
        pairs = ((_CASCADE, _END_TO_END), (_HIERARCHY, _END_TO_END), (_HIERARCHY, _CONTROL))
        return [self._verdict(one, other) for one, other in pairs]

    def _verdict(self, one: str, other: str) -> str:
        right = [self.found[name].answers.label == self.test.labels for name in (one, other)]
        difference = right[0].astype(int) - right[1].astype(int)
        points, error = 100 * float(difference.mean()), 100 * float(difference.std() / np.sqrt(len(difference)))
        beats = "beats" if points > 0 else "does not beat"
        certainly = "" if abs(points) > 2 * error else ", which chance alone may do"
        return f"{one} {beats} {other}: {points:+.2f} points of accuracy, standard error {error:.2f}{certainly}"

    def figures(self) -> dict[str, float | None]:
        """The keys of the last line."""
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
