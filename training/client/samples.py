"""Write files to try a trained model with: rows of its own test split."""

from dataclasses import dataclass
from pathlib import Path

from training import folder
from training.client.encoded_rows import EncodedRows
from training.measuring.reload import prepared

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
    """Write a request of one test row, a batch file of twenty, and the same row as a file to look at, such as a PNG."""
    data = prepared(folder.manifest(trained))
    some = EncodedRows(data.inputs, data.test.spread(_ROWS))
    one = EncodedRows(data.inputs, some.rows[-1:])
    contents = {"request.json": one.request()}
    for name, (extension, content) in {"rows": some.file(), "example": one.example()}.items():
        contents[name + extension] = content
    for name, content in contents.items():
        folder.write(out / name, content)
    return SampleFiles(*((out / name).resolve() for name in contents))
