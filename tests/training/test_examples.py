"""The examples of docs/examples.md: data, task files and commands fit together."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec
import pytest

from tests.serving import ROOT, load_module
from tests.training.training_runs import OFF
from training import folder
from training.cli import weir
from training.client.requests import of_texts, requests
from training.data.preparation import PreparedData, prepare
from training.modalities import modality_of
from training.pipeline import train
from training.task import NetworkSpec, Task, decode
from training.terminal.callbacks import Callbacks
from weir.catalog.inputs import Picture

PAGE = (ROOT / "docs/examples.md").read_text()
TASKS = {path.stem: path for path in (ROOT / "docs/examples").glob("*.toml")}
COMMANDS = [shlex.split(line) for line in re.findall(r"^weir (.*)$", PAGE, re.MULTILINE)]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which the commands of the page run, with its data; of the files of packages it reads a part."""
    root = tmp_path_factory.mktemp("examples")
    data = load_module(ROOT / "docs/examples/data.py", "examples_data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "DOCSTRINGS", 100)
        for write in (data.cancer, data.docstrings, data.photographs, data.purchases):
            write(root / "build/examples")
        patch.chdir(root)
        yield root


def _task(name: str) -> Task:
    return decode(TASKS[name].read_bytes())


@cache
def _prepared(name: str) -> PreparedData:
    """Prepare the data of an example, in the folder of the fixture `repository`."""
    return prepare(_task(name))


def test_every_example_has_its_commands() -> None:
    """Each task file is trained, published and predicted, under the name of its model, and has its figures."""
    assert {name: tomllib.loads(path.read_text())["name"] for name, path in TASKS.items()} == {n: n for n in TASKS}
    for name in TASKS:
        assert ["train", f"docs/examples/{name}.toml", "--out", f"build/examples/models/{name}"] in COMMANDS
        assert ["publish", f"build/examples/models/{name}", "--store", "file:///tmp/models"] in COMMANDS
        assert any(command[:2] == ["predict", name] for command in COMMANDS)
        assert re.search(rf"^\| {name} +\|.* %", PAGE, re.MULTILINE)
    for command in COMMANDS:
        weir.commands[command[0]].make_context(command[0], command[1:])


@pytest.mark.parametrize("name", list(TASKS))
def test_networks_read_the_data(repository: Path, name: str) -> None:
    """Each network of an example is one that its inputs have."""
    task, modality = _task(name), modality_of(_prepared(name).inputs)
    networks: list[NetworkSpec] = [task.end_to_end, *task.levels]
    if task.hierarchy and task.hierarchy.router:
        networks.append(task.hierarchy.router)
    for network in networks:
        modality.check(network)


def test_pictures_are_in_colour(repository: Path) -> None:
    """Training finds that out by itself."""
    (one,) = _prepared("photographs").inputs
    assert isinstance(one, Picture)
    assert one.channels == 3


@pytest.mark.parametrize("command", [one for one in COMMANDS if one[0] in {"predict", "batch"}], ids=" ".join)
def test_what_is_predicted_is_what_the_model_reads(repository: Path, command: list[str]) -> None:
    """The files and the texts of the commands are rows of the models."""
    inputs = msgspec.to_builtins(_prepared(command[1]).inputs)
    metadata = {"outputs": [{"shape": [-1, 2]}], "parameters": {"inputs": inputs}}
    if command[2] == "--text":
        assert list(of_texts([command[3]], metadata))
    else:
        assert list(requests(Path(command[2]), metadata))


def test_the_recommendation_trains(repository: Path, tmp_path: Path) -> None:
    """A router of categories and an expert for each of them, of a table; here for a few steps only."""
    task = _task("purchases")
    assert task.hierarchy
    assert task.hierarchy.router

    def short(spec: NetworkSpec) -> NetworkSpec:
        return msgspec.structs.replace(spec, epochs=1, batch_size=512, architecture="table-linear")

    hierarchy = msgspec.structs.replace(task.hierarchy, router=short(task.hierarchy.router), epochs=1)
    promise = msgspec.structs.replace(task.promise, max_loss=0.9)
    quick = msgspec.structs.replace(
        task, end_to_end=short(task.end_to_end), hierarchy=hierarchy, optimise=OFF, promise=promise
    )
    messages: list[str] = []
    train(quick, tmp_path / "out", Callbacks(messages.append, lambda *_: None))
    groups = ["books", "garden", "music", "sport"]
    assert list(folder.manifest(tmp_path / "out").groups) == groups
    assert [name for name in groups if any(line.startswith(f"expert of {name}: ") for line in messages)] == groups
