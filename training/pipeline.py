"""From a task to a complete training folder."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from training import assembly, folder, quantized
from training.data.preparation import Prepared, prepare
from training.evaluation import measure
from training.promises import Promises, make
from training.quantized import Quantized
from training.report import encode as encode_evaluation
from training.reporter import Reporter
from training.results import Evaluation
from training.task import Task
from training.thresholds import Rows
from weir.confidence import softmax
from weir.manifest import encode


def train(task: Task, out: Path, reporter: Reporter) -> Evaluation:
    """Train, quantize, tune and measure what a task describes; at the end the folder is complete.

    Whatever complete training was there before stays until the new one is.

    Raises:
        BadInput: the task or its data break a rule, or the folder holds something else.
        Conflict: another training is at work in the folder.
        ModelUnavailable: a network broke in conversion, or no interpreter runs it.
        Diverged: a training ran off to infinity.
    """
    with folder.working(out) as work:
        data = prepare(task)
        _tell_data(data, reporter)
        networks = [quantized.make(spec, task, data, work, reporter) for spec in task.networks]
        levels = [*sorted(networks[:-1], key=lambda network: network.latency_us), networks[-1]]
        chosen = _tune(levels, task, data, reporter)
        draft = assembly.manifest(task, data, levels, chosen)
        contents = {network.artifact.digest: network.content for network in networks}
        references = {network.artifact.digest: network.reference for network in networks}
        evaluation = measure(
            draft, contents.__getitem__, references, data.test, lambda *call: reporter.progress("measuring", *call)
        )
        report = {"cleaning": data.cleaning, "networks": [one.report for one in networks], "thresholds": chosen}
        files = folder.files(
            contents,
            references,
            summary=encode_evaluation(evaluation),
            report=msgspec.json.format(msgspec.json.encode(report), indent=1),
        )
        folder.complete(out, files, encode(assembly.with_metrics(draft, evaluation)))
    reporter.say(f"complete: {out}")
    return evaluation


def _tell_data(data: Prepared, reporter: Reporter) -> None:
    reporter.say(f"data: {data.cleaning.told()}; digest {data.digest[:12]}")
    parts = {
        "training": data.train,
        "validation": data.validation,
        "certification": data.certification,
        "test": data.test,
    }
    reporter.say("rows: " + ", ".join(f"{len(split.labels)} {part}" for part, split in parts.items()))


def _tune(levels: Sequence[Quantized], task: Task, data: Prepared, reporter: Reporter) -> Promises:
    """Fix the order of the tests on validation rows, walk it on certification rows, and tell what came out."""
    times = [level.latency_us for level in levels]
    validation = Rows([softmax(level.logits, level.temperature) for level in levels], data.validation.labels)
    certification = Rows(
        [softmax(level.certification, level.temperature) for level in levels], data.certification.labels
    )
    promises = make(validation, certification, times, task.promise, (data.digest, task.seed))
    chosen, absent = promises.certified.thresholds, promises.certified.absent_because
    if absent:
        reporter.say(f"warning: no promise, so only the end-to-end model answers: {absent}")
    for warning in promises.warnings:
        reporter.say(f"warning: {warning}")
    for level, threshold in zip(levels[:-1], chosen.values, strict=False):
        if level.latency_us >= times[-1]:
            reporter.say(f"warning: level {level.name} costs as much time as the end-to-end model, so it saves nothing")
        if threshold > 1:
            reporter.say(f"warning: level {level.name} is never sure enough within the promise, so it is not run")
    told = ", ".join(f"{level.name} {value:.4f}" for level, value in zip(levels[:-1], chosen.values, strict=False))
    reporter.say(
        f"thresholds: {told}; expected on validation rows: a loss of {100 * chosen.loss:.2f} % "
        f"at {chosen.time_us:.1f} µs a row instead of {times[-1]:.1f}"
    )
    return promises
