"""The tree of errors, as it is drawn and as it is answered."""

import re
from importlib import import_module
from pkgutil import walk_packages

import pytest

import weir
from weir import errors
from weir.api import http_responses as http
from weir.errors import WeirError

DRAWN = re.compile(r"(?P<branches>[│├└─ ]*)(?P<name>[A-Z]\w+)")


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


@pytest.mark.parametrize("kind", _all(), ids=lambda kind: kind.__name__)
def test_every_error_of_weir_has_a_status(kind: type[WeirError]) -> None:
    """A new class of error can't be forgotten: it, or an ancestor below the root, is in the table."""
    assert any(ancestor in http.STATUS for ancestor in kind.__mro__)


def test_the_drawn_tree_is_the_tree() -> None:
    """The picture at the top of the file has every class below its parent, and nothing else."""
    assert _drawn() == {kind.__name__: kind.__mro__[1].__name__ for kind in _all()}


def test_the_root_has_no_status() -> None:
    """A status of the root would hide a class that was forgotten."""
    assert WeirError not in http.STATUS
