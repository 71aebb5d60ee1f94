"""training.learning.views."""

import numpy as np
import pytest

from training.learning import views
from training.learning.views import Teacher, TeacherViews
from weir.engine.arrays import Floats

RANDOM = np.random.default_rng(0)
ROWS: Floats = RANDOM.uniform(0, 1, (50, 3, 4)).astype(np.float32)


def _signs(rows: Floats, random: np.random.Generator) -> Floats:
    """Change the sign of some rows."""
    return np.where(random.random((len(rows), 1, 1)) < 0.5, rows, -rows)


class Teaching:
    """A teacher that remembers what it saw, and says the first four values of each row."""

    def __init__(self, made_of: str = "teacher") -> None:
        self.seen: list[Floats] = []
        self.teacher = Teacher(self._logits, _signs, made_of)

    def views(self, seed: int = 0) -> TeacherViews:
        """Describe its views of the rows."""
        return TeacherViews(ROWS, self.teacher, seed)

    def _logits(self, rows: Floats) -> Floats:
        self.seen.append(rows)
        return rows[:, 0]


@pytest.fixture
def teaching() -> Teaching:
    return Teaching()


def test_a_student_gets_the_rows_that_the_teacher_saw(teaching: Teaching) -> None:
    """They are the very same array, and the logits are in the order of its rows."""
    inputs, logits = teaching.views().view(0)
    assert inputs is teaching.seen[0]
    np.testing.assert_array_equal(logits, inputs[:, 0])


def test_nothing_is_asked_of_a_teacher_before_a_view_is_made(teaching: Teaching) -> None:
    """Describing views is free, so a network that is resumed does not run its teacher."""
    made = teaching.views()
    assert (len(made), made.depends_on) == (50, ["teacher", views.COUNT, views.MIXED])
    assert not teaching.seen


def test_all_students_share_what_the_teacher_said(teaching: Teaching) -> None:
    """A view that is made again has the same rows and logits, and the teacher does not run again."""
    made = teaching.views()
    first, again = made.view(3), made.view(3)
    assert len(teaching.seen) == 1
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)


def test_views_differ_by_number_and_seed(teaching: Teaching) -> None:
    """The same number and seed give the same view, whatever was made before."""
    different = {teaching.views(seed).view(number)[0].tobytes() for seed in (0, 1) for number in range(4)}
    assert len(different) == 8
    made = teaching.views()
    made.view(2)
    np.testing.assert_array_equal(made.view(1)[0], teaching.views().view(1)[0])


def test_views_come_again_after_a_number_of_them(teaching: Teaching, monkeypatch: pytest.MonkeyPatch) -> None:
    """The teacher's cost is bounded, however long its students learn."""
    monkeypatch.setattr(views, "COUNT", 2)
    made = teaching.views()
    seen = [made.view(number)[0] for number in range(6)]
    assert len(teaching.seen) == 2
    for number, inputs in enumerate(seen):
        np.testing.assert_array_equal(inputs, seen[number % 2])


@pytest.mark.parametrize("chunk", [7, 1000])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_some_rows_of_a_view_are_mixed(
    share: float, chunk: int, teaching: Teaching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are the training rows in their order, as the teacher's training changes them."""
    monkeypatch.setattr(views, "MIXED", share)
    monkeypatch.setattr(views, "_CHUNK", chunk)
    inputs, _ = teaching.views().view(0)
    unmixed = (np.abs(inputs) == ROWS).all(axis=(1, 2))
    assert (~unmixed).mean() == pytest.approx(share, abs=0.15)
