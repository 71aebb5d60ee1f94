"""The rows of one batch file."""

from dataclasses import dataclass

from weir.inputs.tensor import InputRows


@dataclass(frozen=True)
class FileRows:
    """All rows of one file, in order."""

    values: InputRows
    """`(n, …)`; a bad row's values are zeros"""
    errors: dict[int, str]
    """number of a bad row, from 0 -> the rule and what came"""
    header: bool = False
    """whether the first line was taken for a header"""
