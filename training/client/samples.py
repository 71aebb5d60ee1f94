"""Write files to try a trained model with: rows of its own test split."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from training import folder
from training.client.requests import request
from training.measuring.reload import load

_ROWS = 20


@dataclass(frozen=True)
class SampleFiles:
    """The files that were written."""

    request: Path
    """one row, as a request of the Open Inference Protocol"""
    rows: Path
    """some rows, as a batch file"""
    picture: Path
    """one row, as a PNG"""


def write_samples(trained: Path, out: Path) -> SampleFiles:
    """Write one test row as a request and as a picture, and twenty rows as a .npy."""
    manifest = folder.manifest(trained)
    images = load(manifest).spread(_ROWS)
    files = SampleFiles(*((out / name).resolve() for name in ("request.json", "rows.npy", "digit.png")))
    folder.write(files.request, request(manifest.inputs[0].name, images[-1:].astype(np.float64)))
    np.save(files.rows, images)
    low, high = manifest.inputs[0].range
    Image.fromarray(np.rint((images[-1] - low) * (255 / (high - low))).astype(np.uint8)).save(files.picture)
    return files
