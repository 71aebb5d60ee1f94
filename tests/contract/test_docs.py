"""Everything that the documents name exists: links, commands, make targets, routes, rooms, files, functions, events."""

import itertools
import re
from pathlib import Path

import pytest

from local import template
from local.system import TEMPLATE
from tests.serving import ROOT
from training.cli import weir
from training.data.sources import SOURCES
from training.modalities.picture.architectures import ARCHITECTURES
from training.modalities.table.architectures import NETWORKS
from training.task import builtin, decode

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
EVERYTHING = "\n".join(path.read_text() for path in DOCUMENTS)
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """Every relative link names a file of the repository, and the heading it points to."""
    for target, heading in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([\w-]+))?\)", path.read_text()):
        linked = (path.parent / target).resolve() if target else path
        assert linked.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(), re.MULTILINE)
            assert heading in {text.lower().replace(" ", "-") for text in headings}


def test_commands_and_their_options_exist() -> None:
    """Each `weir …` of a document is a command, and its options are options of that command."""
    for name, rest in re.findall(
        r"\bweir ([a-z]+)\b([^`|\n]*)", "\n".join(re.findall(r"`[^`]+`|^[^`]*weir .*$", EVERYTHING))
    ):
        assert name in weir.commands, name
        options = {option for parameter in weir.commands[name].params for option in parameter.opts} | {"--help"}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options, (name, rest)


def test_every_command_is_documented() -> None:
    """The README names every command of `weir`."""
    assert {name for name in weir.commands if f"weir {name}" not in README and f"make {name}" not in README} == set()


def test_make_targets_exist() -> None:
    """Each `make …` of a document is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", EVERYTHING, re.MULTILINE)) <= targets


def test_routes_are_the_templates() -> None:
    """The architecture page lists every route below /v2 of the template."""
    page = (ROOT / "docs/architecture.md").read_text()
    for route in template.read(TEMPLATE).routes:
        if route.path.startswith("/v2") and not route.path.endswith("/ready"):
            assert f"{route.path}`" in page, route.path


def test_environment_and_parameters_are_the_templates() -> None:
    """The architecture page lists exactly the template's variables, each with a parameter that exists."""
    page = (ROOT / "docs/architecture.md").read_text()
    text = TEMPLATE.read_text()
    rows = re.findall(r"^\| `((?:MODELS?|API)_\w+)` \| `(\w+)` ", page, re.MULTILINE)
    assert {variable for variable, _ in rows} == set(re.findall(r"\b(?:MODELS?|API)_[A-Z_]+", text))
    assert all(re.search(rf"^  {parameter}:$", text, re.MULTILINE) for _, parameter in rows)


def test_every_parameter_is_described() -> None:
    """The settings table of the architecture page has a row for every parameter of the template, and for no other."""
    page = (ROOT / "docs/architecture.md").read_text()
    section = page.partition("## Settings\n")[2].partition("\n## ")[0]
    parameters = TEMPLATE.read_text().partition("\nParameters:\n")[2].partition("\nConditions:\n")[0]
    described = re.findall(r"^\| (?:`\w+` )?\| `(\w+)` \|", section, re.MULTILINE)
    assert sorted(described) == sorted(re.findall(r"^  (\w+):$", parameters, re.MULTILINE))


def test_functions_and_events_exist() -> None:
    """The architecture page invokes every function, each with a sample event that exists."""
    functions = template.read(TEMPLATE).functions
    pairs = re.findall(r'"(\w+Function) ([\w-]+)"', (ROOT / "docs/architecture.md").read_text())
    assert {function for function, _ in pairs} == set(functions)
    assert all((ROOT / f"events/{event}.json").exists() for _, event in pairs)


def test_names_of_tasks_are_all_documented() -> None:
    """The README names every built-in task, the page of task files every architecture and source."""
    page = (ROOT / "docs/tasks.md").read_text()
    assert all(f"`{name}`" in page for name in (*ARCHITECTURES, *NETWORKS, *SOURCES))
    assert all(name in README for name in builtin())


def test_the_example_task_is_valid() -> None:
    """Each task on the page of task files can be read as `weir train` reads it."""
    page = (ROOT / "docs/tasks.md").read_text()
    blocks = re.findall(r"^```toml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert [decode(block.encode()).name for block in blocks] == ["letters"]


def test_concepts_name_functions_that_exist() -> None:
    """Each `Where` of the concepts page names a file, and functions that are defined in it."""
    page = (ROOT / "docs/concepts.md").read_text()
    claims = re.findall(r"\(\.\./([\w/.]+\.py)\),\s+((?:`[\w.]+`(?:(?:,| and| to)\s+)?)+)", page)
    assert len(claims) > 30
    for file, names in claims:
        code = (ROOT / file).read_text()
        for name in re.findall(r"`[\w.]*?(\w+)`", names):
            assert re.search(rf"\b(def|class) {name}\b", code), (file, name)


@pytest.mark.parametrize("package", ["layers/weir/weir", "training"])
def test_every_room_is_described(package: str) -> None:
    """The architecture page has a row for every room and top-level file of a package, and for no room that is gone."""
    page = (ROOT / "docs/architecture.md").read_text()
    section = page.partition(f"### Rooms of {Path(package).name}\n")[2].partition("\n##")[0]
    rows = [row.split("|")[1] for row in section.splitlines() if row.startswith("| `")]
    described = [name for row in rows for name in re.findall(r"`([\w/.]+)`", row)]
    folder = ROOT / package
    rooms = {f"{path.parent.name}/" for path in folder.glob("*/__init__.py")}
    files = {path.name for path in folder.glob("[!_]*.py")}
    assert len(described) == len(set(described))
    assert rooms | files <= set(described)
    assert {name for name in described if name.endswith("/")} == rooms


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_files_exist(path: Path) -> None:
    """Every path of the repository in backticks exists; in CONTRIBUTING `weir/` is short for `layers/weir/weir/`."""
    text = path.read_text()
    named = re.findall(r"`((?:layers|training|functions|tests|benchmarks|local|events|docs)/[\w./-]*)`", text)
    if path.name == "CONTRIBUTING.md":
        named += [f"layers/weir/{short}" for short in re.findall(r"`(weir/[\w./-]+)`", text)]
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_headings_skip_no_level(path: Path) -> None:
    """A heading is at most one level below the heading before it."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    depths = [len(marks) for marks in re.findall(r"^(#+) ", text, re.MULTILINE)]
    assert all(after <= before + 1 for before, after in itertools.pairwise(depths))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_promise_has_one_name(path: Path) -> None:
    """What is certified is a promise in every document, and never a guarantee."""
    assert "guarantee" not in path.read_text().lower()


def test_decisions_are_numbered_on() -> None:
    """Decision records are numbered from 1 without a gap, in their file names and in their titles."""
    records = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for number, path in enumerate(records, 1):
        assert path.read_text().startswith(f"# {number}. ")
