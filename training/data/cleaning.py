"""Drop rows that would corrupt training or evaluation, and count them by reason."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.data.dataset import Dataset
from training.data.digests import numbered, repeated
from training.data.rows import Rows, RowStore, chunks
from training.modalities import modality_of
from training.modalities.modality import Masks, Modality
from weir.catalog.inputs import Table
from weir.errors import BadInput

_REASONS = ("not_finite", "out_of_range", "unknown_label", "constant_row", "empty")
"""a row counts for the first that applies"""
_MANY = 0.1
"""share of rows above which dropping them is warned of"""
_LOOKED_AT = 4096
"""rows of a file that are looked at for their scale"""
_COARSE = 0.1
"""share of equal rows above which those of a table are not copies, but cases that its few values can't tell apart"""


class Cleaning(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows were dropped, by the first reason that applied, and how many input values never change."""

    not_finite: int = 0
    """a value is NaN or infinite"""
    out_of_range: int = 0
    """a value is outside the range of the input"""
    unknown_label: int = 0
    """the label is none of the label names"""
    duplicate: int = 0
    """the same values as an earlier row; of a training row and a test row the test row stays"""
    constant_row: int = 0
    """all values of the row are the same"""
    empty: int = 0
    """the row has no value at all: an empty text, a table whose columns are all missing"""
    constant_inputs: int = 0
    """values of a row that are the same in all rows; they are kept, so that rows keep their shape. Not counted where
    rows are kept in a file."""
    kept: int
    warnings: tuple[str, ...] = ()
    """what makes the data doubtful, though nothing is refused for it"""

    def summary(self) -> str:
        """Summarise in one line what was kept and what was dropped."""
        reasons = {
            "not finite": self.not_finite,
            "out of range": self.out_of_range,
            "unknown label": self.unknown_label,
            "duplicate": self.duplicate,
            "constant": self.constant_row,
            "empty": self.empty,
        }
        dropped = ", ".join(f"{count} {reason}" for reason, count in reasons.items() if count)
        inputs = f"; {self.constant_inputs} inputs never change" if self.constant_inputs else ""
        return f"{self.kept} rows kept, dropped: {dropped or 'none'}{inputs}"


def clean(data: Dataset) -> tuple[Dataset, Cleaning]:
    """Check shapes and types, drop unusable rows and duplicates, and count them.

    Raises:
        BadInput: the arrays are not rows of the input with a label each, no row is left, or training does not know this
            kind of input.
    """
    labels = _labels(data)
    modality = modality_of(data.inputs)
    rows = _as_rows(modality, data.rows)
    masks = {
        **_unusable(modality, rows),
        "unknown_label": (labels < 0) | (labels >= len(data.label_names)) | (labels != np.floor(labels)),
    }
    bad = np.zeros(len(rows), bool)
    counts: dict[str, int] = {}
    for reason in sorted(masks, key=_REASONS.index):
        counts[reason] = int((masks[reason] & ~bad).sum())
        bad |= masks[reason]
    duplicate = _duplicates(rows, bad, data)
    coarse = is_coarse(data, duplicate)
    if coarse:
        duplicate = np.zeros_like(duplicate)
    counts["duplicate"] = int(duplicate.sum())
    kept = np.flatnonzero(~(bad | duplicate))
    if not len(kept):
        dropped = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in counts.items() if count)
        raise BadInput("cleaning leaves some rows", f"{len(rows)} rows, all dropped: {dropped}")
    cleaned = replace(data, rows=rows, labels=labels).chosen(kept)
    cleaned = replace(cleaned, near_duplicates=data.near_duplicates and not coarse)
    return cleaned, Cleaning(
        kept=len(kept),
        constant_inputs=0 if isinstance(cleaned.rows, RowStore) else modality.constant_inputs(cleaned.rows),
        warnings=(*data.warnings, *_warnings(modality, cleaned, len(rows))),
        **counts,
    )


def is_coarse(data: Dataset, duplicate: NDArray[np.bool_]) -> bool:
    """Tell whether equal rows of a table are cases of their own rather than copies: they are over a tenth of its rows.

    Rows of a few categories must coincide; to drop all but one would change how frequent each kind of row is.
    """
    return all(isinstance(one, Table) for one in data.inputs) and duplicate.sum() > _COARSE * len(duplicate)


def _warnings(modality: Modality, data: Dataset, given: int) -> Iterator[str]:
    """Warn of many rows that were dropped, and of values on another scale: of training rows, or of the test set's."""
    rows = data.rows
    if given - len(rows) > _MANY * given:
        yield f"{given - len(rows)} of {given} rows were dropped"
    end = len(rows) if data.test_from is None else data.test_from
    for name, part in (("", _some(rows, 0, end)), ("the test set's ", _some(rows, end, len(rows)))):
        if len(part) and (odd := modality.scale_warning(part)):
            yield f"{name}values {odd}: if requests have other values, the model will answer them wrongly"


def _some(rows: Rows, start: int, end: int) -> NDArray[Any]:
    """Return a range of rows; of rows in a file, some of it, evenly spaced."""
    if not isinstance(rows, RowStore) or end - start <= _LOOKED_AT:
        return rows[start:end]
    return rows[np.linspace(start, end - 1, _LOOKED_AT).astype(np.intp)]


def _as_rows(modality: Modality, given: Rows) -> Rows:
    """Check raw values, and return them as rows. Raises `BadInput`."""
    if not isinstance(given, RowStore):
        return modality.as_rows(given)
    return given.read_as(modality.as_rows(given[:1]).dtype)


def _unusable(modality: Modality, rows: Rows) -> Masks:
    found = [modality.unusable(chunk) for chunk in chunks(rows)]
    return {reason: np.concatenate([one[reason] for one in found]) for reason in found[0]}


def _labels(data: Dataset) -> NDArray[np.float64]:
    labels, count = data.labels, len(data.rows)
    if len(data.label_names) < 2:  # noqa: PLR2004 (a classifier decides between them)
        raise BadInput("there are at least two labels", ", ".join(data.label_names) or "none")
    if labels.shape != (count,):
        raise BadInput(f"there is one label a row, {count} in all", labels.shape)
    if labels.dtype.kind not in "fiub":
        raise BadInput("labels are numbers", labels.dtype)
    return labels.astype(np.float64)


def _duplicates(rows: Rows, bad: NDArray[np.bool_], data: Dataset) -> NDArray[np.bool_]:
    """Mark every row that equals an earlier one.

    The rows of a test set count as earlier, so that it stays whole, and those of a validation set come next.
    """
    end = len(rows)
    test = end if data.test_from is None else data.test_from
    validation = test if data.validation_from is None else data.validation_from
    order = np.concatenate([np.arange(test, end), np.arange(validation, test), np.arange(validation)])
    order = order[~bad[order]]
    duplicate = np.zeros(len(rows), bool)
    duplicate[order] = repeated(numbered(rows)[order])
    return duplicate
