"""Make the promise of a complete training anew: other limits, the same networks."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from training import folder, testsplit
from training.assembly import with_metrics
from training.certification import Certified, certify, rows_needed
from training.data.split import Split
from training.evaluation import measure
from training.report import encode as encode_evaluation
from training.results import Evaluation
from training.task import Promise
from training.thresholds import Rows, sequence
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
    rows, needed = len(data.certification.labels), rows_needed(promise.max_loss, promise.delta)
    if rows < needed:
        limits = f"--max-loss {promise.max_loss:g} --delta {promise.delta:g}"
        raise BadInput(f"{limits} takes at least {needed} certification rows", rows)
    times = [level.metrics.latency_us for level in manifest.levels if level.metrics]
    tried = sequence(_rows(trained, manifest, data.validation), times, promise.against)
    certified = certify(tried, _rows(trained, manifest, data.certification), promise, data.digest)
    if certified.certificate is None:
        raise Uncertified("a promise holds at least where only the last level answers", certified.absent_because)
    contents = {digest: folder.artifact(trained, digest) for digest in manifest.artifacts}
    references = {digest: folder.reference(trained, digest) for digest in manifest.artifacts}
    draft = _with(manifest, certified)
    evaluation = measure(draft, contents.__getitem__, references, data.test, on_call)
    with folder.working(trained):
        files = {
            **{f"{digest}.tflite": content for digest, content in contents.items()},
            **{f"{folder.REFERENCE}/{digest}.tflite": content for digest, content in references.items()},
            folder.SUMMARY: encode_evaluation(evaluation),
            folder.REPORT: _report(trained, certified),
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


def _with(manifest: Manifest, certified: Certified) -> Manifest:
    levels = tuple(
        msgspec.structs.replace(level, threshold=threshold)
        for level, threshold in zip(manifest.levels, certified.thresholds.values, strict=True)
    )
    return msgspec.structs.replace(
        manifest,
        levels=levels,
        certificate=certified.certificate,
        certificate_absent_because=certified.absent_because,
    )


def _report(trained: Path, certified: Certified) -> bytes:
    report = msgspec.json.decode((trained / folder.REPORT).read_bytes())
    report["thresholds"] = certified
    return msgspec.json.format(msgspec.json.encode(report), indent=1)
