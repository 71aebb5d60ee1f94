"""training.task."""

from pathlib import Path

import pytest

from tests.training.quick import TASK
from training import task
from weir.errors import BadInput


@pytest.mark.parametrize("name", ["mnist-sample", "digits", "fashion-mnist", "mnist"])
def test_builtin_tasks_are_sound(name: str) -> None:
    """Each has its own name, and at least three levels in all."""
    found = task.load(name)
    assert found.name == name
    assert len(found.networks) >= 3
    assert found.networks[-1] is found.end_to_end


def test_the_builtin_tasks_are_listed() -> None:
    """By name."""
    assert task.builtin() == ("digits", "fashion-mnist", "mnist", "mnist-sample")


def test_a_task_file_is_read(tmp_path: Path) -> None:
    """And a seed given beside it replaces its own."""
    path = tmp_path / "a.toml"
    path.write_text(TASK)
    assert task.load(str(path)).seed == 3
    assert task.load(str(path), seed=7).seed == 7


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "quick"', 'name = "Quick!"', "a task file is TOML"),
        ("seed = 3", "seed = -1", "a task file is TOML"),
        ("seed = 3", "speed = 3", "speed"),
        ("max_loss = 0.2", "max_loss = 2.0", "a task file is TOML"),
        ("epochs = 2", "epochs = 0", "a task file is TOML"),
        ("epochs = 2", 'epochs = "2"', "a task file is TOML"),
        ('name = "second"', 'name = "first"', "different names"),
        ("validation = 200", "validation = 0", "a task file is TOML"),
        (TASK, "", "a task file is TOML"),
        (TASK, "= =", "a task file is TOML"),
        (TASK[TASK.index('[[levels]]\nname = "second"') :], "", "a task file is TOML"),
    ],
)
def test_a_task_that_breaks_a_rule_is_refused(old: str, new: str, told: str) -> None:
    """The error names the key."""
    assert old in TASK
    with pytest.raises(BadInput, match=told):
        task.decode(TASK.replace(old, new).encode())


@pytest.mark.parametrize("name", ["nothing", "", "mnist_sample", "../x"])
def test_an_unknown_task_is_refused(name: str) -> None:
    """The error lists those that come with Weir."""
    with pytest.raises(BadInput, match="digits, fashion-mnist, mnist, mnist-sample"):
        task.load(name)


def test_a_task_file_that_is_not_there_is_refused() -> None:
    """The error says so."""
    with pytest.raises(BadInput, match="can be read"):
        task.load("/nowhere/a.toml")
