"""Rows of a file that nothing has used yet: a certification may be carried by them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.data.digests import numbered, repeated
from training.data.preparation import PreparedData
from training.data.sources import npz
from training.data.splits.split import Split
from training.modalities import modality_of
from weir.batch.files import read
from weir.engine.arrays import Labels
from weir.errors import BadBody, BadInput
from weir.inputs.rows import RowReader

UNKNOWN = -1
"""label of a row that has none"""


@dataclass(frozen=True)
class FreshRows:
    """Rows that are new to a model, and what was left out."""

    split: Split
    labelled: bool
    dropped: dict[str, int]
    """reason -> rows"""
    certification: int = 0
    """rows among them that certification has used"""
    scale_warning: str = ""
    """what is odd in the scale of the values"""
    header: bool = False
    """whether the first line of a .csv was taken for a header, which is no row"""

    @property
    def summary(self) -> str:
        """Summarise in one line what was kept and what was dropped."""
        dropped = ", ".join(f"{count} {reason}" for reason, count in self.dropped.items() if count)
        labels = ("with labels" if self.labelled else "without labels") + (" below a header" if self.header else "")
        used = (
            f"; {self.certification} of them are certification rows, so all count as used" if self.certification else ""
        )
        scale = f"; warning: values {self.scale_warning}" if self.scale_warning else ""
        return f"{len(self.split.labels)} fresh rows {labels}, dropped: {dropped or 'none'}{used}{scale}"


def load(path: Path, data: PreparedData, *, certification_seen: bool = False) -> FreshRows:
    """Read rows for a model that was trained on other data, and drop those that training or its test has seen.

    A `.npz` has the array x, and y where the rows have labels; a `.npy` or `.csv` has rows without labels. Of a model
    with a table, texts or several inputs, a file has the columns that it was trained on, and that of the target where
    the rows have labels. Rows are dropped that are not finite, outside the range of the input, of one value, or empty;
    that equal an earlier row; or that training, validation or test rows equal.

    Args:
        path: the file.
        data: the data of the training.
        certification_seen: also drop rows that certification rows equal.

    Raises:
        BadInput: the file can't be read, has rows of another shape or other labels, or no row is left.
    """
    file = _read(path, data)
    modality = modality_of(data.inputs)
    rows = modality.as_rows(file.values)
    labels = _labels(file.labels, len(rows), data.label_names)
    used = [data.train, data.validation, data.test, *([data.certification] if certification_seen else [])]
    each, seen = numbered(rows), np.concatenate([numbered(split.inputs) for split in used])
    bad = np.zeros(len(rows), bool)
    dropped: dict[str, int] = {}
    masks = {
        **modality.unusable(rows),
        "duplicate": repeated(each),
        "seen_before": np.isin(each, seen),
    }
    for reason, mask in masks.items():
        dropped[reason.replace("_", " ")] = int((mask & ~bad).sum())
        bad |= mask
    kept = Split(rows[~bad], labels[~bad])
    fresh = FreshRows(
        kept,
        file.labels is not None,
        dropped,
        header=file.header,
        certification=int(np.isin(each[~bad], numbered(data.certification.inputs)).sum()),
        scale_warning="" if bad.all() else modality.scale_warning(kept.inputs),
    )
    if bad.all():
        raise BadInput("--data has usable rows that training, validation and test have not seen", fresh.summary)
    return fresh


class _File(NamedTuple):
    values: NDArray[Any]
    labels: NDArray[Any] | None
    header: bool = False


def _read(path: Path, data: PreparedData) -> _File:
    if data.data and data.data.target and path.suffix.lower() != ".npz":
        from training.data.readers.further import columns  # noqa: PLC0415 (polars takes half a second)

        return _File(*columns(path, data.data, data.inputs, data.label_names))
    if path.suffix.lower() == ".npz":
        arrays = npz.arrays(str(path), "--data")
        if "x" not in arrays:
            raise BadInput("a .npz of --data has the array x, and y where the rows have labels", ", ".join(arrays))
        return _File(arrays["x"], arrays.get("y"))
    if path.suffix.lower() not in (".npy", ".csv"):
        raise BadInput("--data is a .npz, .npy or .csv", str(path))
    try:
        rows = read(path.name, path.read_bytes(), RowReader(data.inputs))
    except OSError as exc:
        raise BadInput("--data is a file that can be read", exc) from exc
    except BadBody as exc:
        raise BadInput(exc.rule, exc.got) from exc
    if rows.errors:
        number, error = next(iter(rows.errors.items()))
        raise BadInput("every row of --data can be read", f"{len(rows.errors)} can't; row {number}: {error}")
    return _File(rows.values, None, rows.header)


def _labels(given: NDArray[Any] | None, count: int, names: tuple[str, ...]) -> Labels:
    if given is None:
        return np.full(count, UNKNOWN, np.int64)
    rule = f"y has the number of a label for each row, 0 to {len(names) - 1} ({', '.join(names)})"
    if given.shape != (count,) or given.dtype.kind not in "iu":
        raise BadInput(rule, f"{given.dtype} {given.shape} for {count} rows")
    wrong = (given < 0) | (given >= len(names))
    if wrong.any():
        raise BadInput(rule, f"{given[wrong][0]} in row {int(np.argmax(wrong))}")
    return given.astype(np.int64)
