"""Certify other promises for a complete training, with the same networks."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import msgspec

from training import folder
from training.certifying import attempts as attempts_file
from training.certifying.binomial import rows_needed
from training.certifying.certify import CertifiedPromises, promises_made
from training.certifying.limits import label_limit
from training.certifying.loss_promise import Uncertified
from training.certifying.model_certification import CertificationRows, certify_model
from training.data import fresh
from training.data.preparation import PreparedData
from training.data.splits.split import Split
from training.measuring import reload
from training.measuring.calibration import panels
from training.measuring.diagrams import draw
from training.measuring.evaluation import Measured, measure, with_metrics
from training.measuring.report import encode as encode_evaluation
from training.measuring.results import Evaluation
from training.task import Promise, Task, check_promise
from training.terminal.callbacks import Callbacks
from weir.catalog.manifest import Manifest, encode
from weir.errors import BadInput
from weir.runtime.interpreter import DEPLOYED
from weir.runtime.model import Model


def recertify(trained: Path, promise: Promise, callbacks: Callbacks, rows: Path | None = None) -> Evaluation:
    """Choose thresholds under another promise, and measure the resulting cascade; or leave the model as it is.

    An attempt that tested something is recorded in the folder either way.

    Args:
        trained: the folder of a complete training.
        promise: what is to be promised.
        callbacks: for messages and progress.
        rows: a file of fresh rows that carry the thresholds; None: the certification rows of the training.

    Raises:
        BadInput: there are too few certification rows, or unlabelled ones for a promise that takes labels; the folder
            is no complete training, or its data have changed.
        Uncertified: a promise cannot be certified on these rows.
        Conflict: a training is at work in the folder.
    """
    with folder.renewing(trained) as manifest:
        data = reload.prepared(manifest)
        given = None if rows is None else _fresh(rows, data, promise, callbacks)
        model = Model(manifest, lambda digest: folder.artifact(trained, digest), DEPLOYED)
        carrying = CertificationRows(model, data, promise, attempts_file.made_in(trained, data), given)
        _refuse_weaker(carrying)
        certification = certify_model(carrying)
        if certification.attempts != carrying.attempts:
            attempts_file.save(trained, certification.attempts)
        _refuse(certification.promises)
        if certification.promises.settled.why:
            callbacks.say(certification.promises.settled.why)
        for warning in certification.warnings:
            callbacks.say(f"warning: {warning}")
        references = {digest: folder.reference(trained, digest) for digest in manifest.artifacts}
        draft = certification.promises.written_to(with_promise(manifest, promise))
        measured = measure(draft, model.fetch, references, data.test, partial(callbacks.progress, "measuring"))
        files = {
            folder.SUMMARY: encode_evaluation(measured.evaluation),
            folder.REPORT: _report(trained, certification.promises, measured),
            folder.RELIABILITY: draw(panels(draft, measured.calibration)),
        }
        folder.renew(trained, files, encode(with_metrics(draft, measured.evaluation)))
    return measured.evaluation


def promise_of(manifest: Manifest) -> Promise:
    """Return the promise of the training, or of the last certification."""
    return msgspec.convert(manifest.provenance.configuration, Task).promise


def changed_promise(manifest: Manifest, changes: Mapping[str, object]) -> Promise:
    """Return the promise of the training, with some fields changed. Raises `BadInput` for a value it can't have."""
    fields = {**msgspec.to_builtins(promise_of(manifest)), **changes}
    try:
        promise = msgspec.convert(fields, Promise)
    except msgspec.ValidationError as exc:
        rule = "max_loss, max_loss_per_label, delta, abstain_above and alphas lie between 0 and 1"
        raise BadInput(rule, exc) from exc
    check_promise(promise)
    return promise


def with_promise(manifest: Manifest, promise: Promise) -> Manifest:
    """Write a promise into the configuration of a manifest."""
    configuration = {**manifest.provenance.configuration, "promise": msgspec.to_builtins(promise)}
    provenance = msgspec.structs.replace(manifest.provenance, configuration=configuration)
    return msgspec.structs.replace(manifest, provenance=provenance)


def _fresh(path: Path, data: PreparedData, promise: Promise, callbacks: Callbacks) -> Split:
    """Read the rows of --data; without labels they carry an agreement only.

    Certification rows among them are dropped where these carry abstention or prediction sets, for those are certified
    under thresholds that must not depend on their rows.
    """
    rows = fresh.load(path, data, certification_seen=len(promises_made(promise)) > 1)
    if promise.against != "agreement" and not rows.labelled:
        rule = "rows without labels carry a promise of agreement; against the end-to-end model or labels, --data has y"
        raise BadInput(rule, f"{path.name} for a promise against {promise.against}")
    callbacks.say(rows.summary)
    return rows.split


def _refuse_weaker(rows: CertificationRows) -> None:
    """Refuse a limit that the rows cannot carry, before anything is tested on them."""
    if rows.settled.weaker:
        rule = (
            "max_loss (--max-loss, or that of the training) is a limit that the certification rows can carry, or auto"
        )
        raise BadInput(rule, f"attempt {rows.attempt} on these rows: {rows.settled.why}")
    settled = rows.settled.promise
    if settled.max_loss_per_label is None or settled.against == "agreement":  # which counts by the last level's labels
        return
    counts = rows.label_rows
    needed = rows_needed(label_limit(settled, list(counts.values())), settled.delta)
    if max(counts.values()) < needed:
        most = max(counts, key=counts.__getitem__)
        rule = f"max_loss_per_label is for a label with at least {needed} certification rows"
        raise BadInput(rule, f"attempt {rows.attempt} on these rows: {most} has the most, {counts[most]}")


def _refuse(promises: CertifiedPromises) -> None:
    certified = promises.thresholds
    if certified.certificate is None and not certified.uncertifiable:
        raise BadInput("there are enough certification rows for a promise", certified.absent_because)
    if certified.certificate is None:
        raise Uncertified("the promise can't be certified", certified.absent_because)
    if promises.warnings:
        raise Uncertified("the promises can't all be certified", "; ".join(promises.warnings))


def _report(trained: Path, promises: CertifiedPromises, measured: Measured) -> bytes:
    report = msgspec.json.decode((trained / folder.REPORT).read_bytes())
    report |= {"thresholds": promises, "calibration": measured.calibration}
    return msgspec.json.format(msgspec.json.encode(report), indent=1)
