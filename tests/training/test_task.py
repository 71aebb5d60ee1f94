"""training.task."""

from pathlib import Path

import msgspec
import pytest

from tests.training.quick import LAYERED, REFINED, ROUTED, TASK
from training import task
from weir.errors import BadInput


@pytest.mark.parametrize("name", task.builtin())
def test_builtin_tasks_are_sound(name: str) -> None:
    """Each has its own name, levels before the end-to-end model, and that one last."""
    found = task.load(name)
    assert found.name == name
    assert len(found.networks) == len(found.levels) + 1 >= 2
    assert found.networks[-1] is found.end_to_end


def test_the_builtin_tasks_are_listed() -> None:
    """By name."""
    assert task.builtin() == ("digits", "fashion-mnist", "fashion-mnist-hierarchy", "mnist", "mnist-sample")


def test_a_task_file_is_read(tmp_path: Path) -> None:
    """And a seed given beside it replaces its own."""
    path = tmp_path / "a.toml"
    path.write_text(TASK)
    assert task.load(str(path)).seed == 3
    assert task.load(str(path), seed=7).seed == 7


def test_a_task_that_says_little_gets_the_defaults() -> None:
    """All optimisations are tried; there is no hierarchy."""
    head, levels = TASK.split("[optimise]")[0], TASK[TASK.index("[data]") :]
    found = task.decode((head + levels).encode())
    assert found.optimise == task.Optimise(distil=True, escalated=True, pool=True, joint_epochs=2)
    assert found.hierarchy is None
    assert (found.end_to_end.erase, found.end_to_end.weight_decay, found.end_to_end.seed) == (0, 0.0, 0)


def test_a_hierarchy_is_read() -> None:
    """Its generalist, how groups are found or named, how experts are trained, a router."""
    found, routed = task.decode(LAYERED.encode()).hierarchy, task.decode(ROUTED.encode()).hierarchy
    assert found == task.Groups(generalist="first", count=3, epochs=5, learning_rate=0.002)
    assert routed
    assert routed.named["high"] == ("5", "6", "7", "8", "9")
    assert routed.router
    assert routed.router.architecture == "mlp"


def test_what_a_manifest_keeps_of_a_task_is_the_task() -> None:
    """Its configuration, read again, is what was trained by."""
    for text in (TASK, LAYERED, ROUTED, REFINED):
        found = task.decode(text.encode())
        kept = msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(found)))
        assert msgspec.convert(kept, task.Task) == found


_LEVELS = ROUTED[ROUTED.index("[[levels]]") : ROUTED.index("[hierarchy]")]
_OF_THE_LAST = LAYERED.replace('generalist = "first"', 'generalist = "last"')


@pytest.mark.parametrize(
    "text",
    [
        TASK[: TASK.index('[[levels]]\nname = "second"')],
        _OF_THE_LAST.replace("[promise]", '[promise]\nagainst = "labels"'),
        REFINED,
        ROUTED.replace(_LEVELS, "").replace('generalist = "first"', 'generalist = "last"'),
    ],
    ids=[
        "one level before the end-to-end model",
        "experts of the end-to-end model, against labels",
        "no levels but a hierarchy",
        "experts of the end-to-end model behind a router",
    ],
)
def test_tasks_of_few_levels_are_fine(text: str) -> None:
    """As long as there is more than the end-to-end model."""
    assert task.decode(text.encode()).networks[-1].name == "last"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "quick"', 'name = "Quick!"', "a task file is TOML"),
        ("seed = 3", "seed = -1", "a task file is TOML"),
        ("seed = 3", "speed = 3", "speed"),
        ("max_loss = 0.2", "max_loss = 2.0", "a task file is TOML"),
        ("epochs = 2", "epochs = 0", "a task file is TOML"),
        ("epochs = 2", 'epochs = "2"', "a task file is TOML"),
        ("shift = 1", "erase = -1", "erase"),
        ("shift = 1", "weight_decay = 1.0", "weight_decay"),
        ("shift = 1", "seed = -1", "seed"),
        ("joint_epochs = 0", "joint_epochs = -1", "joint_epochs"),
        ("pool = false", "pools = false", "pools"),
        ("distil = false", "distil = 0", "distil"),
        ('name = "second"', 'name = "first"', "different names"),
        ("validation = 200", "validation = 0", "a task file is TOML"),
        (TASK, "", "a task file is TOML"),
        (TASK, "= =", "a task file is TOML"),
        (
            TASK[TASK.index("[[levels]]") :],
            "",
            r"a task has levels before the end-to-end model, or a hierarchy\. Got: neither",
        ),
    ],
)
def test_a_task_that_breaks_a_rule_is_refused(old: str, new: str, told: str) -> None:
    """The error names the key."""
    assert old in TASK
    with pytest.raises(BadInput, match=told):
        task.decode(TASK.replace(old, new).encode())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            LAYERED.replace('generalist = "first"', 'generalist = "nobody"'),
            r"the generalist of a hierarchy is one of first, last\. Got: nobody",
        ),
        (LAYERED.replace('generalist = "first"\n', ""), "generalist"),
        (LAYERED.replace("count = 3", "count = 1"), "count"),
        (
            ROUTED.replace("[hierarchy]", "[hierarchy]\ncount = 3"),
            r"groups are named, or found in a given number\. Got: 2 named, count 3",
        ),
        (
            _OF_THE_LAST,
            "a promise against the end-to-end model needs it as the last level; with experts after it, use labels",
        ),
        (
            ROUTED.replace('name = "router"', 'name = "first"'),
            r"networks of a task have different names\. Got: first, last, first",
        ),
        (ROUTED.replace("epochs = 4", "epochs = 0"), "epochs"),
    ],
    ids=[
        "an unknown generalist",
        "no generalist",
        "one group",
        "groups named and counted",
        "experts would be last",
        "a router's name is taken",
        "a router that does not train",
    ],
)
def test_a_hierarchy_that_breaks_a_rule_is_refused(text: str, told: str) -> None:
    """The error states the rule, and what came."""
    with pytest.raises(BadInput, match=told):
        task.decode(text.encode())


@pytest.mark.parametrize("name", ["nothing", "", "mnist_sample", "../x"])
def test_an_unknown_task_is_refused(name: str) -> None:
    """The error lists those that come with Weir."""
    with pytest.raises(BadInput, match="digits, fashion-mnist, fashion-mnist-hierarchy, mnist, mnist-sample"):
        task.load(name)


def test_a_task_file_that_is_not_there_is_refused() -> None:
    """The error says so."""
    with pytest.raises(BadInput, match="can be read"):
        task.load("/nowhere/a.toml")
