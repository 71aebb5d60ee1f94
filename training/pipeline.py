"""From a task to a complete training folder."""

from pathlib import Path

import msgspec

from training import folder
from training.certifying import attempts as attempts_file
from training.certifying.certify import THRESHOLDS, divide, promises_made
from training.certifying.limits import settle
from training.certifying.loss_promise import Uncertified
from training.certifying.model_certification import CertificationRows, ModelCertification, certify_model
from training.data.preparation import PreparedData, prepare
from training.data.splits.balance import FEW_ROWS, rare, rows_of
from training.learning.checkpoints import Checkpoints
from training.learning.settling import imbalance
from training.learning.settling import settle as settle_networks
from training.levels.build import BuiltLevels, build, check
from training.levels.manifest import manifest
from training.levels.training_run import TrainingRun
from training.measuring.calibration import panels
from training.measuring.diagrams import draw
from training.measuring.evaluation import Measured, measure, with_metrics
from training.measuring.report import encode as encode_evaluation
from training.measuring.results import Evaluation
from training.task import SettledPromise, Task
from training.terminal.callbacks import Callbacks
from weir.catalog.manifest import Manifest, encode
from weir.runtime.interpreter import DEPLOYED
from weir.runtime.model import Model


def train(task: Task, out: Path, callbacks: Callbacks, reuse: Path | None = None) -> Evaluation:
    """Train, quantize, tune and measure what a task describes; at the end the folder is complete.

    Whatever complete training was there before stays until the new one is.

    Args:
        task: what to do.
        out: the folder.
        callbacks: for messages and progress.
        reuse: the folder of another complete training, whose networks are taken where they are the same.

    Raises:
        BadInput: the task or its data break a rule, or the folder holds something else or damaged attempts.
        Conflict: another training is at work in the folder.
        ModelUnavailable: a network broke in conversion, or no interpreter runs it.
        Diverged: a training ran off to infinity.
        Uncertified: the promise against labels cannot be certified, even by the last level alone; the folder is
            complete.
    """
    finished = [out / folder.NETWORKS, *([] if reuse is None else [folder.networks(reuse)])]
    with folder.working(out) as work:
        data = prepare(task)
        attempts = attempts_file.made_in(out, data)
        if reuse is not None:
            attempts = attempts.merged(attempts_file.made_in(reuse, data))
        check(task, data)
        _report_data(data, callbacks)
        checkpoints = Checkpoints(work, [data.digest, task.seed], callbacks.say, finished)
        settled = settle_networks(task, data)
        if uneven := imbalance(settled, data):
            callbacks.say(uneven)
        built = build(TrainingRun(settled, data, checkpoints, callbacks, _expected_promise(task, data)))
        contents = {network.artifact.digest: network.content for network in built.networks}
        references = {network.artifact.digest: network.reference for network in built.networks}
        plain = manifest(task, data, built)
        model = Model(plain, contents.__getitem__, DEPLOYED)
        certification = certify_model(CertificationRows(model, data, task.promise, attempts))
        attempts_file.save(out, certification.attempts)
        draft = certification.promises.written_to(plain)
        _report_promises(draft, certification, callbacks)
        measured = measure(
            draft, contents.__getitem__, references, data.test, lambda *call: callbacks.progress("measuring", *call)
        )
        files = folder.files(
            contents,
            references,
            summary=encode_evaluation(measured.evaluation),
            report=_report(data, built, certification, measured),
            reliability=draw(panels(draft, measured.calibration)),
        )
        folder.complete(out, files, encode(with_metrics(draft, measured.evaluation)))
    callbacks.say(f"complete: {out}")
    if certification.promises.thresholds.uncertifiable:
        raise Uncertified("the promise can't be certified", certification.promises.thresholds.absent_because)
    return measured.evaluation


def _expected_promise(task: Task, data: PreparedData) -> SettledPromise:
    """Settle the limit under which ladders are compared; a repeated certification may have to settle a weaker one."""
    rows = divide(len(data.certification.labels), promises_made(task.promise), task.seed)[THRESHOLDS]
    return settle(task.promise, len(rows), task.promise.delta).promise


def _report(data: PreparedData, built: BuiltLevels, certification: ModelCertification, measured: Measured) -> bytes:
    """Record all that was measured and chosen."""
    report = {
        "cleaning": data.cleaning,
        "networks": built.reports,
        "ladder": built.order,
        "end_to_end": built.comparisons,
        "optimisation": built.trials,
        "groups": built.groups,
        "experts": built.experts,
        "thresholds": certification.promises,
        "calibration": measured.calibration,
    }
    return msgspec.json.format(msgspec.json.encode(report), indent=1)


def _report_data(data: PreparedData, callbacks: Callbacks) -> None:
    callbacks.say(f"data: {data.cleaning.summary()}; digest {data.digest[:12]}")
    for note in data.notes:
        callbacks.say(f"data: {note}")
    for warning in data.cleaning.warnings:
        callbacks.say(f"warning: {warning}")
    parts = {
        "training": data.train,
        "validation": data.validation,
        "certification": data.certification,
        "test": data.test,
    }
    callbacks.say("rows: " + ", ".join(f"{len(split.labels)} {part}" for part, split in parts.items()))
    if few := rare({part: rows_of(data.label_names, split.labels) for part, split in parts.items()}):
        callbacks.say(f"warning: labels with fewer than {FEW_ROWS} rows in a part: {few}")


def _report_promises(draft: Manifest, certification: ModelCertification, callbacks: Callbacks) -> None:
    """Report the thresholds, and warn of what looks wrong."""
    chosen, absent = certification.promises.thresholds.chosen, certification.promises.thresholds.absent_because
    settled = certification.promises.settled
    if absent:
        callbacks.say(f"warning: no promise, so only the last level answers: {absent}")
    elif settled.why:
        callbacks.say(f"{'warning: ' if settled.weaker else ''}max_loss {settled.promise.max_loss:g}: {settled.why}")
    for warning in (*certification.promises.warnings, *certification.warnings):
        callbacks.say(f"warning: {warning}")
    levels = draft.levels[:-1]
    for level in levels:
        if level.threshold is None:
            callbacks.say(f"warning: no row exits at level {level.name}: no threshold keeps the promise and saves time")
    thresholds = ", ".join(
        f"{level.name} {'none' if level.threshold is None else format(level.threshold, '.6g')}" for level in levels
    )
    thresholds = thresholds or "none are needed by one level"
    always = certification.validation.costs_us(certification.times)[-1].mean()
    callbacks.say(
        f"thresholds: {thresholds}; expected on validation rows: a loss of {100 * chosen.loss:.2f} % "
        f"at {chosen.time_us:.1f} µs a row; the last level alone takes {always:.1f}"
    )
