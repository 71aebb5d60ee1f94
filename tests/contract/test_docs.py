"""What the documents claim exists: links, commands, options, make targets, functions, events, routes."""

import re
from pathlib import Path

import pytest

from local import template
from local.system import TEMPLATE
from tests.serving import ROOT
from training.cli import weir
from training.data.sources import SOURCES
from training.modalities.picture.architectures import BODIES
from training.task import builtin

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
EVERYTHING = "\n".join(path.read_text() for path in DOCUMENTS)
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """Every relative link names a file of the repository, and the heading it points to."""
    for target, heading in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([\w-]+))?\)", path.read_text()):
        found = (path.parent / target).resolve() if target else path
        assert found.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.*)$", found.read_text(), re.MULTILINE)
            assert heading in {text.lower().replace(" ", "-") for text in headings}


def test_commands_and_their_options_exist() -> None:
    """Each `weir …` of a document is a command, and its options are the command's."""
    for name, rest in re.findall(
        r"\bweir ([a-z]+)\b([^`|\n]*)", "\n".join(re.findall(r"`[^`]+`|^[^`]*weir .*$", EVERYTHING))
    ):
        assert name in weir.commands, name
        options = {option for parameter in weir.commands[name].params for option in parameter.opts} | {"--help"}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options, (name, rest)


def test_every_command_is_documented() -> None:
    """In the README."""
    assert {name for name in weir.commands if f"weir {name}" not in README and f"make {name}" not in README} == set()


def test_make_targets_exist() -> None:
    """Each `make …` of a document is a target."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", EVERYTHING, re.MULTILINE)) <= targets


def test_routes_are_the_templates() -> None:
    """Those of the architecture page, and no other."""
    page = (ROOT / "docs/architecture.md").read_text()
    for route in template.read(TEMPLATE).routes:
        if route.path.startswith("/v2") and not route.path.endswith("/ready"):
            assert f"{route.path}`" in page, route.path


def test_environment_and_parameters_are_the_templates() -> None:
    """Every variable and parameter of the page stands in the template, and every variable of ours on the page."""
    page = (ROOT / "docs/architecture.md").read_text()
    text = TEMPLATE.read_text()
    rows = re.findall(r"^\| `(MODELS?_\w+)` \| `(\w+)` ", page, re.MULTILINE)
    assert {variable for variable, _ in rows} == set(re.findall(r"\bMODELS?_[A-Z_]+", text))
    assert all(re.search(rf"^  {parameter}:$", text, re.MULTILINE) for _, parameter in rows)


def test_functions_and_events_exist() -> None:
    """Those that the README invokes."""
    functions = template.read(TEMPLATE).functions
    pairs = re.findall(r'"(\w+Function) ([\w-]+)"', README)
    assert {function for function, _ in pairs} == set(functions)
    assert all((ROOT / f"events/{event}.json").exists() for _, event in pairs)


def test_names_of_tasks_are_all_documented() -> None:
    """Built-in tasks in the README; architectures and sources on the page of task files."""
    page = (ROOT / "docs/tasks.md").read_text()
    assert all(f"`{name}`" in page for name in (*BODIES, *SOURCES))
    assert all(name in README for name in builtin())


def test_concepts_name_functions_that_exist() -> None:
    """Each `Where` names a file, and the functions it names stand in it."""
    page = (ROOT / "docs/concepts.md").read_text()
    found = re.findall(r"\(\.\./([\w/.]+\.py)\), `([\w.]+)`", page)
    assert len(found) > 10
    for file, name in found:
        assert re.search(rf"(def|class) {name.rpartition('.')[2]}\b", (ROOT / file).read_text()), (file, name)
