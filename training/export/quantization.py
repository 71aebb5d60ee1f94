"""Choose a network's quantization by its accuracy, size and latency, measured in every interpreter."""

import itertools
import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from training.data.splits.split import Split
from training.replay.timing import MAX_ROUNDS, ROUNDS, side_by_side
from weir.catalog.manifest import Quantization
from weir.engine.arrays import Floats
from weir.engine.confidence import softmax
from weir.errors import ModelUnavailable
from weir.runtime.interpreter import DEPLOYED, Network, installed, version

_EQUAL = 1.4
"""times up to this ratio count as equal, and the smaller artifact is worth more: between runs and machines the ratio of
two quantizations of one network varies by a tenth, and the large differences are above 2"""
_FAITHFUL = 0.98
"""share of rows on which the float32 conversion must agree with Keras"""


_CANDIDATES: tuple[Quantization, ...] = ("float16", "dynamic", "int8")
MOST_MOVED = 0.1
"""largest `Measurement.moved` of a quantization that may be chosen. Pictures' move by at most 0.05 (int8; dynamic 0.04,
float16 0.002), those of a broken network by 0.3 and more, and accuracy may hide it: of few rows, or of a rare label."""
_MOVED_QUANTILE = 0.99


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One quantization of one network in one interpreter, on validation rows."""

    quantization: Quantization
    interpreter: str
    interpreter_version: str
    size_bytes: int
    accuracy: float = float("nan")
    agreement: float = float("nan")
    """share of rows with the float Keras network's label"""
    moved: float = float("nan")
    """total variation distance of its probabilities from those of the float Keras network, 0 to 1: 99 of 100 rows have
    at most this"""
    latency_us: float = float("nan")
    """microseconds of CPU time per row, one thread"""
    error: str | None = None
    """why the interpreter does not run it"""


class QuantizationTable(msgspec.Struct, frozen=True, kw_only=True):
    """The measurements of one network."""

    network: str
    float_accuracy: float
    """of the float Keras network on the same rows"""
    rows: tuple[Measurement, ...]
    ties: tuple[tuple[Quantization, Quantization], ...] = ()
    """pairs whose times in the deployed interpreter are equal, or were not told apart"""
    chosen: Quantization | None = None
    refused: dict[str, str] = {}
    """quantization -> why it was not among those to choose from"""

    def of(self, quantization: Quantization) -> list[Measurement]:
        """Return the rows of one quantization."""
        return [row for row in self.rows if row.quantization == quantization]

    def tied(self, quantization: Quantization) -> list[Quantization]:
        """List the quantizations whose times tie with that of another."""
        return [other for pair in self.ties if quantization in pair for other in pair if other != quantization]


def measure(
    network: str,
    contents: Mapping[Quantization, bytes],
    validation: Split,
    float_logits: Floats,
    inputs: Sequence[str] = (),
) -> QuantizationTable:
    """Run every quantization in every installed interpreter, alternating within an interpreter to time them.

    Args:
        network: its name.
        contents: quantization -> `.tflite`.
        validation: the rows to run.
        float_logits: of the float Keras network on these rows, `(rows, labels)`.
        inputs: names of the model's inputs, of which the network may read some.
    """
    labels = float_logits.argmax(axis=1)
    rows: list[Measurement] = []
    ties: tuple[tuple[Quantization, Quantization], ...] = ()
    for interpreter in installed():
        loaded, measured = _loaded(contents, interpreter, inputs)
        rounds = MAX_ROUNDS if interpreter == DEPLOYED else ROUNDS  # only there do ties matter
        logits_of = {form: network.logits for form, network in loaded.items()}
        times = side_by_side(logits_of, validation.inputs, equal=_EQUAL, max_rounds=rounds)
        if interpreter == DEPLOYED:
            ties = tuple(pair for pair in itertools.combinations(loaded, 2) if times.tied(*pair))
        for quantization, runnable in loaded.items():
            logits = runnable.logits(validation.inputs)
            finite = bool(np.isfinite(logits).all())
            best = logits.argmax(axis=1)
            measured[quantization] = msgspec.structs.replace(
                measured[quantization],
                accuracy=float((best == validation.labels).mean()),
                agreement=float((best == labels).mean()),
                moved=_moved(logits, float_logits) if finite else math.nan,
                latency_us=times.median_us(quantization),
                error=None if finite else "its logits are not finite",
            )
        rows += measured.values()
    float_accuracy = float((labels == validation.labels).mean())
    return QuantizationTable(network=network, float_accuracy=float_accuracy, rows=tuple(rows), ties=ties)


def choose(table: QuantizationTable, tolerance: float) -> QuantizationTable:
    """Choose among float16, dynamic and int8: the fastest that fits, and the smallest of equally fast ones.

    `tolerance` is the validation accuracy that may be lost against the float network, 0 to 1. A quantization that any
    interpreter does not run, or that loses more in it or moves probabilities by more than 0.1, is refused. If only its
    probabilities speak against every quantization that is accurate enough, the float32 reference is chosen. Latency is
    that of the deployed interpreter.

    Raises:
        ModelUnavailable: conversion broke the network, or no quantization is accurate enough.
    """
    reference = table.of("float32")
    if not any(row.error is None and row.agreement >= _FAITHFUL for row in reference):
        facts = "; ".join(f"{row.interpreter}: {row.error or f'agrees on {row.agreement:.1%}'}" for row in reference)
        raise ModelUnavailable(
            f"the float32 conversion of {table.network} does not agree with Keras", facts or "no interpreter"
        )
    accurate = [form for form in _CANDIDATES if _fits(table.of(form), table.float_accuracy - tolerance)]
    if not accurate:
        facts = "; ".join(f"{row.quantization} {row.error or row.accuracy} ({row.interpreter})" for row in table.rows)
        raise ModelUnavailable(f"no quantization of {table.network} keeps its accuracy within {tolerance}", facts)
    steady = [form for form in accurate if not _most_moved(table, form) > MOST_MOVED]
    refused = {form: _why_refused(table, form, accurate) for form in _CANDIDATES if form not in steady}
    chosen = _fastest(table, steady) if steady else "float32"
    return msgspec.structs.replace(table, chosen=chosen, refused=refused)


def _fastest(table: QuantizationTable, forms: Sequence[Quantization]) -> Quantization:
    """Return the fastest, or the smallest of those that tie with it."""
    fastest = min(forms, key=lambda form: _time(table, form))
    equal = [fastest, *(form for form in table.tied(fastest) if form in forms)]
    return min(equal, key=lambda form: table.of(form)[0].size_bytes)


def _moved(logits: Floats, float_logits: Floats) -> float:
    """Return the 99 % quantile over rows of the total variation distance between two networks' probabilities."""
    distances = np.abs(softmax(logits) - softmax(float_logits)).sum(axis=1) / 2
    return round(float(np.quantile(distances, _MOVED_QUANTILE)), 4)


def _most_moved(table: QuantizationTable, form: Quantization) -> float:
    """Return how far a quantization moves probabilities, in the interpreter in which it moves them furthest."""
    return max((row.moved for row in table.of(form)), default=0.0)


def _why_refused(table: QuantizationTable, form: Quantization, accurate: Sequence[Quantization]) -> str:
    if form in accurate:
        return f"probabilities move by {_most_moved(table, form):.2f} in 1 of 100 rows, more than {MOST_MOVED}"
    rows = table.of(form)
    error = next((row.error for row in rows if row.error is not None), None)
    lowest = min((row.accuracy for row in rows), default=0.0)
    return error or f"an accuracy of {lowest:.4f}, the float network's is {table.float_accuracy:.4f}"


def _fits(rows: Sequence[Measurement], accuracy: float) -> bool:
    return bool(rows) and all(row.error is None and row.accuracy >= accuracy - 1e-9 for row in rows)


def _time(table: QuantizationTable, form: Quantization) -> float:
    return next(row.latency_us for row in table.of(form) if row.interpreter == DEPLOYED)


def _loaded(
    contents: Mapping[Quantization, bytes], interpreter: str, inputs: Sequence[str]
) -> tuple[dict[Quantization, Network], dict[Quantization, Measurement]]:
    """Load every quantization that this interpreter accepts, and begin a measurement of each."""
    loaded: dict[Quantization, Network] = {}
    measured: dict[Quantization, Measurement] = {}
    for quantization, content in contents.items():
        error = None
        try:
            loaded[quantization] = Network(content, interpreter, inputs)
        except ModelUnavailable as exc:
            error = str(exc)
        measured[quantization] = Measurement(
            quantization=quantization,
            interpreter=interpreter,
            interpreter_version=version(interpreter),
            size_bytes=len(content),
            error=error,
        )
    return loaded, measured
