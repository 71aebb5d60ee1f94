"""Views of the training rows, changed and mixed at random, and what a teacher says of each.

Teacher and student get the very same rows, on which the student matches the teacher's function: Beyer et al. 2022,
arXiv 2106.05237. Mixed rows let the teacher speak of far more inputs than there are rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.rows import Rows, RowStore
from training.data.splits.split import Indices
from training.learning.windows import windows
from training.modalities.mixing import convex
from weir.engine.arrays import Floats

COUNT = 32
"""different views of a teacher, after which the first comes again; each costs one pass of the teacher over all rows"""
MIXED = 0.5
"""share of the rows of a view that are mixed with another one"""
_CHUNK = 2048
"""rows that are changed in one step, to save memory"""


@dataclass(frozen=True)
class Teacher:
    """A network that others learn from."""

    logits: Callable[[Floats], Floats]
    """rows `(n, …)` -> its logits `(n, outputs)`"""
    change: Callable[[Floats, np.random.Generator], Floats]
    """changes rows `(n, …)` at random, as in its own training"""
    made_of: str
    """digest of everything that it was made of"""
    mix: Callable[[Floats, np.random.Generator], Floats] = convex
    """mixes each of the rows `(n, …)` at random with another"""


class TeacherViews:
    """Numbered views of the same rows; number and seed determine a view."""

    def __init__(self, rows: Rows, teacher: Teacher, seed: int) -> None:
        """Describe the views of rows `(rows, …)`; nothing is computed yet."""
        self._rows, self._teacher, self._seed = rows, teacher, seed
        self._logits: dict[int, Floats] = {}

    @property
    def depends_on(self) -> list[object]:
        """What determines the views and the logits, besides the rows and the seed."""
        return [self._teacher.made_of, COUNT, MIXED]

    def __len__(self) -> int:
        """Count the rows of a view."""
        return len(self._rows)

    def parts(self, number: int, batch_size: int) -> Iterator[tuple[Indices, NDArray[Any], Floats]]:
        """Make a view: in one part, or window by window where rows are kept in a file.

        Yields:
            The numbers `(n,)` of training rows, the rows `(n, …)` of the view, and the teacher's logits of them.
        """
        if not isinstance(self._rows, RowStore):
            yield np.arange(len(self._rows)), *self.view(number)
            return
        random = np.random.default_rng([self._seed, number % COUNT])
        for numbers, rows in windows(self._rows, batch_size, random):
            inputs = self._inputs(rows, random)
            yield numbers, inputs, self._teacher.logits(inputs)

    def view(self, number: int) -> tuple[NDArray[Any], Floats]:
        """Make a whole view: its rows `(rows, …)` in the order of the training rows, and the teacher's logits of them.

        The teacher sees each view once.
        """
        number %= COUNT
        inputs = self._inputs(self._rows[:], np.random.default_rng([self._seed, number]))
        if number not in self._logits:
            self._logits[number] = self._teacher.logits(inputs)
        return inputs, self._logits[number]

    def _inputs(self, rows: NDArray[Any], random: np.random.Generator) -> NDArray[Any]:
        """Change rows, some at a time, and mix the first of each time; the order is random."""
        inputs, order = np.empty_like(rows), random.permutation(len(rows))
        for start in range(0, len(order), _CHUNK):
            chunk = order[start : start + _CHUNK]
            changed, count = self._teacher.change(rows[chunk], random), round(MIXED * len(chunk))
            inputs[chunk] = changed
            inputs[chunk[:count]] = self._teacher.mix(changed[:count], random)
        return inputs
