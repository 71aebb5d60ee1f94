"""Inputs to try a trained model with: rows of its own test split."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training import folder
from training.asking.inputs import request
from training.measuring.testsplit import load

_ROWS = 20


@dataclass(frozen=True)
class Samples:
    """Files that were written."""

    request: Path
    """one row, as a request of the Open Inference Protocol"""
    rows: Path
    """some rows, as a batch file"""


def write_samples(trained: Path, out: Path) -> Samples:
    """Write a request of one test row and a .npy of twenty."""
    manifest = folder.manifest(trained)
    images = load(manifest).spread(_ROWS)
    samples = Samples((out / "request.json").resolve(), (out / "rows.npy").resolve())
    folder.write(samples.request, request(manifest.inputs[0].name, images[-1:].astype(np.float64)))
    np.save(samples.rows, images)
    return samples
