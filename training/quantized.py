"""One network, from its description to the artifact that will serve."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from training import networks
from training.calibration import temperature
from training.checkpoints import Checkpoints
from training.data.preparation import Prepared
from training.export import QUANTIZATIONS, convert
from training.networks import Epoch, Trained
from training.quantization import Measurement, Table, choose, measure
from training.reporter import Reporter
from training.task import NetworkSpec, Task
from weir.interpreter import RUNTIMES, Network
from weir.manifest import Artifact, Quantization

_REPRESENTATIVE_ROWS = 200


class NetworkReport(msgspec.Struct, frozen=True, kw_only=True):
    """How one network came about: its curve, and the table by which its quantization was chosen."""

    name: str
    curve: list[Epoch]
    quantization: Table


@dataclass(frozen=True)
class Quantized:
    """A trained network in the form that will serve."""

    name: str
    artifact: Artifact
    content: bytes
    reference: bytes
    """the float32 model that it was quantized from"""
    latency_us: float
    """microseconds per validation row, on the deployed interpreter"""
    logits: NDArray[np.float32]
    """of the validation rows, from the artifact on the deployed interpreter, `(rows, labels)`"""
    certification: NDArray[np.float32]
    """the same of the certification rows"""
    temperature: float
    """that calibrates its probabilities, by the validation rows"""
    report: NetworkReport


def make(spec: NetworkSpec, task: Task, data: Prepared, work: Path, reporter: Reporter) -> Quantized:
    """Train or resume a network, convert it in every form, measure them, and choose one.

    Raises:
        BadInput: no such architecture.
        ModelUnavailable: the network broke in conversion, or no interpreter runs it.
        Diverged: its training ran off to infinity.
    """
    trained = _trained(spec, task, data, work, reporter)
    representative = data.train.images[:_REPRESENTATIVE_ROWS]
    contents = {form: convert(trained.model, form, representative) for form in QUANTIZATIONS}
    float_logits = networks.logits(trained.model, data.validation.images)
    table = choose(measure(spec.name, contents, data.validation, float_logits), task.quantization_tolerance)
    chosen = table.of(table.chosen) if table.chosen else []
    deployed = next(row for row in chosen if row.interpreter == RUNTIMES[0])
    content = contents[deployed.quantization]
    reporter.say(_told(spec, trained, table, deployed))
    network = Network(content, RUNTIMES[0])
    logits = network.logits(data.validation.images)
    return Quantized(
        spec.name,
        _artifact(content, deployed.quantization, chosen),
        content,
        contents["float32"],
        deployed.latency_us,
        logits,
        network.logits(data.certification.images),
        temperature(logits, data.validation.labels),
        NetworkReport(name=spec.name, curve=trained.history, quantization=table),
    )


def _trained(spec: NetworkSpec, task: Task, data: Prepared, work: Path, reporter: Reporter) -> Trained:
    def on_epoch(done: int, total: int) -> None:
        reporter.progress(f"training {spec.name}, epochs", done, total)

    checkpoints = Checkpoints(work, data.digest, task.seed, reporter.say)
    return checkpoints.trained(spec, lambda: networks.train(spec, data, task.seed, on_epoch))


def _artifact(content: bytes, quantization: Quantization, rows: list[Measurement]) -> Artifact:
    return Artifact(
        digest=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        quantization=quantization,
        interpreters={row.interpreter: row.interpreter_version for row in rows},
    )


def _told(spec: NetworkSpec, trained: Trained, table: Table, deployed: Measurement) -> str:
    return (
        f"{spec.name}: {len(trained.history)} epochs, validation accuracy {100 * table.float_accuracy:.1f} %; as "
        f"{deployed.quantization} {100 * deployed.accuracy:.1f} %, {deployed.size_bytes:,} bytes, "
        f"{deployed.latency_us:.1f} µs a row"
    )
