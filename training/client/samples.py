"""Write files to try a trained model with: rows of its own test split."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training import folder
from training.client.requests import request
from training.measuring.reload import prepared
from training.modalities import modality_of

_ROWS = 20


@dataclass(frozen=True)
class SampleFiles:
    """The files that were written."""

    request: Path
    """one row, as a request of the Open Inference Protocol"""
    rows: Path
    """some rows, as a batch file"""
    example: Path
    """the same row, as a file that a person can look at, such as a PNG"""


def write_samples(trained: Path, out: Path) -> SampleFiles:
    """Write a request of one test row, a .npy of twenty, and the same row as a file to look at, such as a PNG."""
    data = prepared(folder.manifest(trained))
    rows = data.test.spread(_ROWS)
    extension, example = modality_of(data.inputs).example(rows[-1])
    files = SampleFiles(*((out / name).resolve() for name in ("request.json", "rows.npy", f"digit{extension}")))
    folder.write(files.request, request(data.input.name, rows[-1:].astype(np.float64)))
    np.save(files.rows, rows)
    folder.write(files.example, example)
    return files
