"""training.task."""

from pathlib import Path

import msgspec
import pytest

from tests.training.quick import LAYERED, REFINED, ROUTED, TASK
from training import task
from weir.errors import BadInput


@pytest.mark.parametrize("name", task.builtin())
def test_a_builtin_task_keeps_the_rules_of_tasks(name: str) -> None:
    """It has its own name, and levels before the end-to-end model."""
    loaded = task.load(name)
    assert loaded.name == name
    assert len(loaded.networks) == len(loaded.levels) + 1 >= 2
    assert loaded.networks[-1] is loaded.end_to_end


def test_the_builtin_tasks_are_listed() -> None:
    """They are listed by name, so that the command can offer them."""
    assert task.builtin() == ("digits", "fashion-mnist", "fashion-mnist-hierarchy", "mnist", "mnist-sample")


def test_a_task_file_is_read(tmp_path: Path) -> None:
    """A seed given beside the file replaces the seed in it."""
    path = tmp_path / "a.toml"
    path.write_text(TASK)
    assert task.load(str(path)).seed == 3
    assert task.load(str(path), seed=7).seed == 7


@pytest.mark.parametrize(
    ("keys", "promise"),
    [
        ("", task.Promise(max_loss="auto", delta=0.05, against="end-to-end")),
        ('max_loss = "auto"', task.Promise()),
        ("max_loss = 0.01", task.Promise(max_loss=0.01)),
        ("max_loss_per_label = 0.1", task.Promise(max_loss_per_label=0.1)),
        ('max_loss_per_label = "auto"', task.Promise(max_loss_per_label="auto")),
        ('against = "agreement"', task.Promise(against="agreement")),
        ('against = "labels"\nmax_loss = 0.1', task.Promise(against="labels", max_loss=0.1)),
    ],
)
def test_a_promise_is_read(keys: str, promise: task.Promise) -> None:
    """Its limit is a share or `auto`, which is the default."""
    assert task.decode(TASK.replace("max_loss = 0.2", keys).encode()).promise == promise


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ('against = "labels"', 'a promise against labels states its max_loss.* Got: max_loss = "auto"'),
        ('against = "labels"\nmax_loss = "auto"', "a promise against labels states its max_loss"),
        (
            'against = "labels"\nmax_loss = 0.1\nmax_loss_per_label = "auto"',
            "a promise against labels states its max_loss_per_label",
        ),
        ("max_loss_per_label = true", "max_loss_per_label"),
        ('max_loss = "tight"', "max_loss"),
        ("max_loss = 0", "max_loss"),
        ("max_loss = 1.0", "max_loss"),
        ('against = "everything"', "against"),
    ],
)
def test_a_promise_that_breaks_a_rule_is_refused(keys: str, message: str) -> None:
    """The error names the key, or states the rule."""
    with pytest.raises(BadInput, match=message):
        task.decode(TASK.replace("max_loss = 0.2", keys).encode())


def test_a_task_gets_defaults_for_what_it_leaves_out() -> None:
    """All optimisations are tried; there is no hierarchy."""
    head, levels = TASK.split("[optimise]")[0], TASK[TASK.index("[data]") :]
    decoded = task.decode((head + levels).encode())
    assert decoded.optimise == task.Optimise(distil=True, escalated=True, pool=True, joint_epochs=2)
    assert decoded.hierarchy is None
    assert (decoded.end_to_end.erase, decoded.end_to_end.seed, decoded.end_to_end.columns) == (0, 0, ())
    assert (decoded.end_to_end.weight_decay, decoded.end_to_end.patience) == (None, None)  # as the recipe has them
    assert decoded.class_weights == "auto"


def test_a_hierarchy_is_read() -> None:
    """It has a generalist, a number of groups or their names, settings for experts, and perhaps a router."""
    layered, routed = task.decode(LAYERED.encode()).hierarchy, task.decode(ROUTED.encode()).hierarchy
    assert layered == task.Groups(generalist="first", count=3, epochs=5, learning_rate=0.002)
    assert routed
    assert routed.named["high"] == ("5", "6", "7", "8", "9")
    assert routed.router
    assert routed.router.architecture == "mlp"


def test_a_manifest_keeps_the_whole_task() -> None:
    """The configuration in a manifest, read again, is the task that was trained."""
    for text in (TASK, LAYERED, ROUTED, REFINED):
        decoded = task.decode(text.encode())
        kept = msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(decoded)))
        assert msgspec.convert(kept, task.Task) == decoded


def test_the_identity_of_a_network_is_that_of_earlier_versions() -> None:
    """Networks that an earlier version has trained are reused: settings that it did not have come only if they say."""
    spec = task.SettledNetwork(name="n", architecture="mlp", epochs=3)
    kept = (
        b'{"name":"n","architecture":"mlp","epochs":3,"batch_size":32,"learning_rate":0.002,"patience":10,"shift":0,'
        b'"flip":false,"erase":0,"weight_decay":0.0,"seed":0'
    )
    assert msgspec.json.encode(spec.identity) == kept + b"}"
    other = msgspec.structs.replace(spec, columns=("a",), balanced=True)
    assert msgspec.json.encode(other.identity) == kept + b',"columns":["a"],"balanced":true}'


_LEVELS = ROUTED[ROUTED.index("[[levels]]") : ROUTED.index("[hierarchy]")]
_EXPERTS_OF_THE_LAST = LAYERED.replace('generalist = "first"', 'generalist = "last"')


@pytest.mark.parametrize(
    "text",
    [
        TASK[: TASK.index('[[levels]]\nname = "second"')],
        _EXPERTS_OF_THE_LAST.replace("[promise]", '[promise]\nagainst = "labels"'),
        REFINED,
        ROUTED.replace(_LEVELS, "").replace('generalist = "first"', 'generalist = "last"'),
    ],
    ids=[
        "one level before the end-to-end model",
        "experts of the end-to-end model, against labels",
        "no levels but a hierarchy",
        "experts of the end-to-end model after a router",
    ],
)
def test_a_task_may_have_few_levels(text: str) -> None:
    """It is enough that there is one level more than the end-to-end model."""
    assert task.decode(text.encode()).networks[-1].name == "last"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "quick"', 'name = "Quick!"', r"a task file is TOML .* - at `\$\.name`: 'Quick!'"),
        ("seed = 3", "seed = -1", "a task file is TOML .*: -1"),
        ("seed = 3", "speed = 3", "speed"),
        ("max_loss = 0.2", "max_loss = 2.0", "a task file is TOML"),
        ("epochs = 2", "epochs = 0", "a task file is TOML"),
        ("epochs = 2", 'epochs = "2"', r"epochs`: '2'"),
        ('name = "second"', 'name = "second!"', r"levels\[\d\]\.name`: 'second!'"),
        ('name = "second"', "", r"missing required field `name` - at `\$\.levels\[\d\]`$"),
        ("shift = 1", "erase = -1", "erase"),
        ("shift = 1", "weight_decay = 1.0", "weight_decay"),
        ("shift = 1", "seed = -1", "seed"),
        ("joint_epochs = 0", "joint_epochs = -1", "joint_epochs"),
        ("seed = 3", 'class_weights = "heavy"', "class_weights"),
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
def test_a_task_that_breaks_a_rule_is_refused(old: str, new: str, message: str) -> None:
    """The error names the key, or states the rule of the file."""
    assert old in TASK
    with pytest.raises(BadInput, match=message):
        task.decode(TASK.replace(old, new).encode())


@pytest.mark.parametrize(
    ("text", "message"),
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
            _EXPERTS_OF_THE_LAST,
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
        "experts would be the last level",
        "a router's name is taken",
        "a router that does not train",
    ],
)
def test_a_hierarchy_that_breaks_a_rule_is_refused(text: str, message: str) -> None:
    """The error states the rule, and what came."""
    with pytest.raises(BadInput, match=message):
        task.decode(text.encode())


@pytest.mark.parametrize("name", ["nothing", "", "mnist_sample", "../x"])
def test_an_unknown_task_is_refused(name: str) -> None:
    """The error lists those that come with Weir."""
    with pytest.raises(BadInput, match="digits, fashion-mnist, fashion-mnist-hierarchy, mnist, mnist-sample"):
        task.load(name)


def test_a_task_file_that_does_not_exist_is_refused() -> None:
    """The error says that the file cannot be read."""
    with pytest.raises(BadInput, match="can be read"):
        task.load("/nowhere/a.toml")
