"""Which rows of an input training can use: pictures as their modality says, tables and texts as said here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from training.modalities import modality_of
from training.modalities.modality import Masks
from weir.catalog.columns import MISSING, Category, width
from weir.catalog.inputs import Input, Table, Text
from weir.errors import BadInput

_OF_THE_WHOLE_ROW = ("constant_row", "empty")
"""reasons that count only where they apply to every input of a row"""


class Checks(Protocol):
    """What cleaning asks of an input; every `Modality` answers it."""

    def as_rows(self, inputs: NDArray[np.generic]) -> NDArray[Any]:
        """Check the raw values of a data set and return them as rows. Raises `BadInput`."""

    def unusable(self, rows: NDArray[Any]) -> Masks:
        """Mark the rows that training can't use, by each reason that this kind has."""

    def constant_inputs(self, rows: NDArray[Any]) -> int:
        """Count the values of a row that are the same in all rows."""

    def scale_warning(self, rows: NDArray[Any]) -> str:
        """Say what is odd in the scale of the values of rows, or nothing."""


@dataclass(frozen=True)
class ArrayChecks:
    """Rows of a table or of a text: FP32 or INT32 `(n, values)`."""

    described: Table | Text

    def as_rows(self, inputs: NDArray[np.generic]) -> NDArray[Any]:
        """Return rows in the datatype of the input. Raises `BadInput` for another shape."""
        one = self.described
        if inputs.shape[1:] != one.row_shape or not len(inputs):
            raise BadInput(f"rows of {one.name} have the shape (rows, {one.row_values})", inputs.shape)
        return inputs.astype(one.dtype)

    def unusable(self, rows: NDArray[Any]) -> Masks:
        """Mark rows with an infinity, and those without any value."""
        if isinstance(self.described, Text):
            return {"empty": ~rows.any(axis=1)}
        return {"not_finite": np.isinf(rows).any(axis=1), "empty": ~self._present(rows).any(axis=1)}

    def _present(self, rows: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell which values are there, `(n, values)`: NaN is no number or date, code 0 no category."""
        assert isinstance(self.described, Table)
        kinds = [one for one in self.described.columns for _ in range(width(one))]
        codes = np.array([isinstance(one, Category) for one in kinds])
        present: NDArray[np.bool_] = np.where(codes, rows != MISSING, ~np.isnan(rows))
        return present

    def constant_inputs(self, rows: NDArray[Any]) -> int:
        """Count the values of a table that are the same in all rows; those of a text do not count."""
        if isinstance(self.described, Text):
            return 0
        same = (rows == rows[0]) | (np.isnan(rows) & np.isnan(rows[0]))
        return int(same.all(axis=0).sum())

    def scale_warning(self, rows: NDArray[Any]) -> str:
        """Find nothing odd: networks scale columns themselves."""
        del rows
        return ""


@dataclass(frozen=True)
class SeveralChecks:
    """Rows of several inputs: a structured array `(n,)` with a field for each."""

    each: tuple[tuple[Input, Checks], ...]

    def as_rows(self, inputs: NDArray[Any]) -> NDArray[Any]:
        """Check every input, and return rows with the same fields. Raises `BadInput`."""
        names = tuple(one.name for one, _ in self.each)
        if inputs.dtype.names != names:
            raise BadInput(f"rows have the fields {', '.join(names)}", inputs.dtype)
        rows = np.empty(len(inputs), [(one.name, one.dtype, one.row_shape) for one, _ in self.each])
        for one, checks in self.each:
            rows[one.name] = checks.as_rows(inputs[one.name])
        return rows

    def unusable(self, rows: NDArray[Any]) -> Masks:
        """Mark rows that any input can't use, and those that are empty in every input."""
        found = [checks.unusable(rows[one.name]) for one, checks in self.each]
        masks: Masks = {}
        for reason in {reason for one in found for reason in one}:
            given = [one.get(reason, np.zeros(len(rows), bool)) for one in found]
            if reason not in _OF_THE_WHOLE_ROW:
                masks[reason] = np.any(given, axis=0)
        blank = [np.any([one[name] for name in _OF_THE_WHOLE_ROW if name in one], axis=0) for one in found]
        return {**masks, "empty": np.all(blank, axis=0)}

    def constant_inputs(self, rows: NDArray[Any]) -> int:
        """Count the values of all inputs that are the same in all rows."""
        return sum(checks.constant_inputs(rows[one.name]) for one, checks in self.each)

    def scale_warning(self, rows: NDArray[Any]) -> str:
        """Join what is odd in the scale of each input."""
        return "; ".join(filter(None, (checks.scale_warning(rows[one.name]) for one, checks in self.each)))


def checks_of(inputs: Sequence[Input]) -> Checks:
    """Choose the checks of the inputs of a row. Raises `BadInput` for a kind that training does not know."""
    each = tuple((one, _one(one)) for one in inputs)
    return each[0][1] if len(each) == 1 else SeveralChecks(each)


def _one(one: Input) -> Checks:
    return ArrayChecks(one) if isinstance(one, Table | Text) else modality_of(one)
