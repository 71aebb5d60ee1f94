"""Certify other promises for a complete training, with the same networks."""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from training import folder
from training.certifying.binomial import rows_needed
from training.certifying.certify import CertifiedPromises, certify_model
from training.certifying.loss_promise import Uncertified
from training.measuring import reload
from training.measuring.calibration import panels
from training.measuring.diagrams import draw
from training.measuring.evaluation import Measured, measure, with_metrics
from training.measuring.report import encode as encode_evaluation
from training.measuring.results import Evaluation
from training.task import Promise, Task
from weir.catalog.manifest import Manifest, encode
from weir.errors import BadInput


def recertify(
    trained: Path, promise: Promise, say: Callable[[str], None], on_call: Callable[[int, int], None]
) -> Evaluation:
    """Choose thresholds under another promise, and measure the resulting cascade; or leave the folder as it is.

    Args:
        trained: the folder of a complete training.
        promise: what is to be promised.
        say: for warnings.
        on_call: called with `(calls done, calls in all)` during measurement.

    Raises:
        BadInput: there are too few certification rows, the folder is no complete training, or its data have changed.
        Uncertified: a promise cannot be certified on these rows.
        Conflict: a training is at work in the folder.
    """
    with folder.renewing(trained) as manifest:
        data = reload.prepared(manifest)
        certification = certify_model(manifest, lambda digest: folder.artifact(trained, digest), data, promise)
        _refuse(certification.promises, promise)
        for warning in certification.warnings:
            say(f"warning: {warning}")
        references = {digest: folder.reference(trained, digest) for digest in manifest.artifacts}
        draft = certification.promises.written_to(with_promise(manifest, promise))
        measured = measure(draft, lambda digest: folder.artifact(trained, digest), references, data.test, on_call)
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
        return msgspec.convert(fields, Promise)
    except msgspec.ValidationError as exc:
        raise BadInput("max_loss, delta, abstain_above and alphas lie between 0 and 1", exc) from exc


def with_promise(manifest: Manifest, promise: Promise) -> Manifest:
    """Write a promise into the configuration of a manifest."""
    configuration = {**manifest.provenance.configuration, "promise": msgspec.to_builtins(promise)}
    provenance = msgspec.structs.replace(manifest.provenance, configuration=configuration)
    return msgspec.structs.replace(manifest, provenance=provenance)


def _refuse(promises: CertifiedPromises, promise: Promise) -> None:
    certified, needed = promises.thresholds, rows_needed(promise.max_loss, promise.delta)
    if certified.rows < needed:
        limits = f"a loss of {promise.max_loss:g} at a delta of {promise.delta:g}"
        raise BadInput(f"{limits} takes at least {needed} certification rows", certified.rows)
    if certified.certificate is None:
        raise Uncertified("the promise can't be certified", certified.absent_because)
    if promises.warnings:
        raise Uncertified("the promises can't all be certified", "; ".join(promises.warnings))


def _report(trained: Path, promises: CertifiedPromises, measured: Measured) -> bytes:
    report = msgspec.json.decode((trained / folder.REPORT).read_bytes())
    report |= {"thresholds": promises, "calibration": measured.calibration}
    return msgspec.json.format(msgspec.json.encode(report), indent=1)
