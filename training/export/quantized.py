"""Convert, measure and quantize a trained network."""

import hashlib
from dataclasses import dataclass

import msgspec

from training.export.convert import QUANTIZATIONS, convert
from training.export.quantization import Measurement, QuantizationTable, choose, measure
from training.learning.loop import Epoch
from training.learning.networks import Trained, TrainingTarget, logits
from weir.catalog.manifest import Artifact, Quantization
from weir.runtime.interpreter import DEPLOYED

_REPRESENTATIVE_ROWS = 200
"""at least; one for each label if there are more labels"""


class NetworkReport(msgspec.Struct, frozen=True, kw_only=True):
    """One network's training curve, and the table from which its quantization was chosen."""

    name: str
    curve: list[Epoch]
    quantization: QuantizationTable


@dataclass(frozen=True)
class Quantized:
    """A network in its chosen quantization."""

    artifact: Artifact
    content: bytes
    reference: bytes
    """the float32 model that it was quantized from"""
    latency_us: float
    """microseconds of CPU time per validation row, on the deployed interpreter"""
    report: NetworkReport

    @property
    def summary(self) -> str:
        """Curve, accuracy, size and latency in one line."""
        table, curve = self.report.quantization, self.report.curve
        deployed = next(row for row in table.of(self.artifact.quantization) if row.interpreter == DEPLOYED)
        ties = " and ".join(form for form in table.tied(deployed.quantization) if form != "float32")
        return (
            f"{self.report.name}: {len(curve)} epochs, validation accuracy {100 * table.float_accuracy:.1f} %; as "
            f"{deployed.quantization} {100 * deployed.accuracy:.1f} %, {deployed.size_bytes:,} bytes, "
            f"{deployed.latency_us:.1f} µs a row"
            + (f"; {ties} {'tie' if ' ' in ties else 'ties'} in time" if ties else "")
            + "".join(f"; {form} is refused: {why}" for form, why in table.refused.items())
        )


def quantize(name: str, trained: Trained, target: TrainingTarget, tolerance: float, *, seed: int) -> Quantized:
    """Convert a network in every quantization, measure them on the target's validation rows, and choose one.

    `tolerance` is the validation accuracy that may be lost, 0 to 1. The seed determines from which training rows int8
    sets the range of its activations; they are rows of all labels, however the training rows are sorted.

    Raises:
        ModelUnavailable: the network broke in conversion, or no interpreter runs it.
    """
    representative = target.train.sample(max(_REPRESENTATIVE_ROWS, target.outputs), seed)
    contents = {form: convert(trained.model, target.inputs, form, representative) for form in QUANTIZATIONS}
    validation, names = target.validation, [one.name for one in target.inputs]
    table = choose(measure(name, contents, validation, logits(trained.model, validation.inputs), names), tolerance)
    rows = table.of(table.chosen) if table.chosen else []
    deployed = next(row for row in rows if row.interpreter == DEPLOYED)
    content = contents[deployed.quantization]
    return Quantized(
        artifact=_artifact(content, deployed.quantization, rows),
        content=content,
        reference=contents["float32"],
        latency_us=deployed.latency_us,
        report=NetworkReport(name=name, curve=trained.history, quantization=table),
    )


def _artifact(content: bytes, quantization: Quantization, rows: list[Measurement]) -> Artifact:
    return Artifact(
        digest=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        quantization=quantization,
        interpreters={row.interpreter: row.interpreter_version for row in rows},
    )
