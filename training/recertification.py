"""Make the promise of a complete training anew: other limits, the same networks."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from training import folder, testsplit
from training.assembly import with_metrics
from training.certification import rows_needed
from training.data.split import Split
from training.evaluation import measure
from training.promises import Promises, make
from training.report import encode as encode_evaluation
from training.results import Evaluation
from training.task import Promise
from training.thresholds import Rows
from weir.cascade import Step
from weir.errors import BadInput, WeirError
from weir.interpreter import RUNTIMES
from weir.manifest import encode
from weir.model import Model


class Uncertified(WeirError):
    """The promise does not hold, whatever the thresholds."""


def recertify(trained: Path, promise: Promise, on_call: Callable[[int, int], None]) -> Evaluation:
    """Choose thresholds anew under a promise, and measure the cascade that they make; or leave the folder as it is.

    Raises:
        BadInput: there are too few certification rows, the folder is no complete training, or its data have changed.
        Uncertified: the promise breaks even when only the last level answers.
        Conflict: a training is at work in the folder.
    """
    manifest = folder.manifest(trained)
    data = testsplit.prepared(manifest)
    times = [level.metrics.latency_us for level in manifest.levels if level.metrics]
    steps = Model(manifest, lambda digest: folder.artifact(trained, digest), RUNTIMES[0]).steps(cascade=True)
    validation, certification = (_rows(steps, split) for split in (data.validation, data.certification))
    promises = make(validation, certification, times, promise, (data.digest, manifest.provenance.seed))
    certified, needed = promises.certified, rows_needed(promise.max_loss, promise.delta)
    if certified.rows < needed:
        limits = f"a loss of {promise.max_loss:g} at a delta of {promise.delta:g}"
        raise BadInput(f"{limits} takes at least {needed} certification rows", certified.rows)
    if certified.certificate is None:
        raise Uncertified("a promise holds where only the last level answers", certified.absent_because)
    if promises.warnings:
        raise Uncertified("what is asked for can be promised", "; ".join(promises.warnings))
    contents = {digest: folder.artifact(trained, digest) for digest in manifest.artifacts}
    references = {digest: folder.reference(trained, digest) for digest in manifest.artifacts}
    draft = promises.on(manifest)
    evaluation = measure(draft, contents.__getitem__, references, data.test, on_call)
    with folder.working(trained):
        files = folder.files(
            contents, references, summary=encode_evaluation(evaluation), report=_report(trained, promises)
        )
        folder.complete(trained, files, encode(with_metrics(draft, evaluation)))
    return evaluation


def _rows(steps: Sequence[Step], split: Split) -> Rows:
    """Run every level on a split."""
    return Rows([step.word(split.images) for step in steps if step.word], split.labels)


def _report(trained: Path, promises: Promises) -> bytes:
    report = msgspec.json.decode((trained / folder.REPORT).read_bytes())
    report["thresholds"] = promises
    return msgspec.json.format(msgspec.json.encode(report), indent=1)
