"""The tree of errors, as it is drawn and as it is answered."""

import ast
import re
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import weir
from tests.serving import ROOT
from weir import errors
from weir.api import http_responses as http
from weir.errors import Failed, Rejected, WeirError

DRAWN = re.compile(r"(?P<branches>[│├└─ ]*)(?P<name>[A-Z]\w+)")
TRUNK = {WeirError, Rejected, Failed}
"""classes that nothing raises: they say how a message is built"""


def _below(kind: type[WeirError]) -> list[type[WeirError]]:
    return [error for child in kind.__subclasses__() for error in [child, *_below(child)]]


def _all() -> list[type[WeirError]]:
    for module in walk_packages(weir.__path__, "weir."):
        import_module(module.name)
    return [kind for kind in _below(WeirError) if kind.__module__.startswith("weir.")]


def _drawn() -> dict[str, str]:
    """Read the tree of the docstring: class -> its parent."""
    parents: dict[str, str] = {}
    ancestors: list[str] = []
    for line in (errors.__doc__ or "").split("```")[1].strip().splitlines():
        match = DRAWN.match(line)
        assert match, line
        del ancestors[len(match["branches"]) // 4 :]
        if ancestors:
            parents[match["name"]] = ancestors[-1]
        ancestors.append(match["name"])
    return parents


def _raised(path: Path) -> set[str]:
    """Read the names of the classes that a file calls, as `raise` and `return` do with errors."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return {call.func.id for call in calls if isinstance(call.func, ast.Name)}


@pytest.mark.parametrize("kind", [kind for kind in _all() if kind not in TRUNK], ids=lambda kind: kind.__name__)
def test_every_error_of_weir_has_a_status(kind: type[WeirError]) -> None:
    """A new class of error can't be forgotten: it, or an ancestor below the root, is in the table."""
    assert any(ancestor in http.STATUS for ancestor in kind.__mro__)


def test_the_drawn_tree_is_the_tree() -> None:
    """The picture at the top of the file has every class below its parent, and nothing else."""
    assert _drawn() == {kind.__name__: kind.__mro__[1].__name__ for kind in _all()}


def test_the_trunk_has_no_status_and_is_never_raised() -> None:
    """A status of the trunk would hide a class that was forgotten; an error of the trunk would have no status."""
    assert not TRUNK & set(http.STATUS)
    sources = [
        path for room in ("layers/weir", "training", "local", "functions") for path in (ROOT / room).rglob("*.py")
    ]
    assert len(sources) > 100
    names = {kind.__name__ for kind in TRUNK}
    assert {path.name: names & _raised(path) for path in sources if names & _raised(path)} == {}
