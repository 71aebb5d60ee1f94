"""Make the promise of a complete training anew: other limits, the same networks."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from training import folder, testsplit
from training.assembly import with_metrics
from training.certification import rows_needed
from training.data.split import Split
from training.evaluation import measure
from training.promises import Promises, divide, make
from training.report import encode as encode_evaluation
from training.results import Evaluation
from training.task import Promise
from training.thresholds import Rows
from weir.confidence import softmax
from weir.errors import BadInput, WeirError
from weir.interpreter import RUNTIMES, Network
from weir.manifest import Level, Manifest, encode


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
    rows, needed = (
        len(divide(len(data.certification.labels), promise, manifest.provenance.seed)["thresholds"]),
        (rows_needed(promise.max_loss, promise.delta)),
    )
    if rows < needed:
        limits = f"a loss of {promise.max_loss:g} at a delta of {promise.delta:g}"
        raise BadInput(f"{limits} takes at least {needed} certification rows", rows)
    times = [level.metrics.latency_us for level in manifest.levels if level.metrics]
    validation, certification = (_rows(trained, manifest, split) for split in (data.validation, data.certification))
    promises = make(validation, certification, times, promise, (data.digest, manifest.provenance.seed))
    if promises.certified.certificate is None:
        raise Uncertified("a promise holds where only the last level answers", promises.certified.absent_because)
    if promises.warnings:
        raise Uncertified("what is asked for can be promised", "; ".join(promises.warnings))
    contents = {digest: folder.artifact(trained, digest) for digest in manifest.artifacts}
    references = {digest: folder.reference(trained, digest) for digest in manifest.artifacts}
    draft = promises.on(manifest)
    evaluation = measure(draft, contents.__getitem__, references, data.test, on_call)
    with folder.working(trained):
        files = {
            **{f"{digest}.tflite": content for digest, content in contents.items()},
            **{f"{folder.REFERENCE}/{digest}.tflite": content for digest, content in references.items()},
            folder.SUMMARY: encode_evaluation(evaluation),
            folder.REPORT: _report(trained, promises),
        }
        folder.complete(trained, files, encode(with_metrics(draft, evaluation)))
    return evaluation


def _rows(trained: Path, manifest: Manifest, split: Split) -> Rows:
    """Run every level on a split."""

    def word(level: Level) -> Network:
        assert level.artifact is not None, "training makes levels with one network each"
        return Network(folder.artifact(trained, level.artifact.digest), RUNTIMES[0])

    words = [softmax(word(level).logits(split.images), level.temperature) for level in manifest.levels]
    return Rows(words, split.labels)


def _report(trained: Path, promises: Promises) -> bytes:
    report = msgspec.json.decode((trained / folder.REPORT).read_bytes())
    report["thresholds"] = promises
    return msgspec.json.format(msgspec.json.encode(report), indent=1)
