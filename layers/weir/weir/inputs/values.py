"""Values of rows before they are encoded: as tensors, JSON and files have them."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

Values = NDArray[Any] | Sequence[object]
"""of one tensor or column, one a row: an array of numbers, or values as JSON has them, None for null"""
