"""weir.errors."""

import pytest

from weir import errors
from weir.errors import MethodNotAllowed, WeirError


def _tree(kind: type[WeirError]) -> list[type[WeirError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in _tree(child))]


def test_message_states_the_rule_and_then_what_came() -> None:
    """A reader learns what would have been right, and what was not."""
    assert str(WeirError("names are short", "a-long-one")) == "names are short. Got: a-long-one"


@pytest.mark.parametrize(
    ("value", "told"),
    [("x" * 500, "x" * 200 + "…"), ("a\nb\x00", "a\ufffdb\ufffd"), ([1, 2], "[1, 2]"), (ValueError("no"), "no")],
)
def test_hostile_values_are_cut_and_printable(value: object, told: str) -> None:
    """An error stays one short line, whatever came."""
    assert WeirError("rule", value).got == told


def test_method_not_allowed_lists_the_verbs() -> None:
    """The verbs stand in the message, and apart for the Allow header."""
    error = MethodNotAllowed("PUT", "/v2", ("GET",))
    assert error.allow == ("GET",)
    assert str(error) == "/v2 answers GET. Got: PUT"


def test_docstring_draws_every_class_of_weir() -> None:
    """The tree at the top of the file is the tree."""
    ours = {kind.__name__ for kind in _tree(WeirError) if kind.__module__ == "weir.errors"}
    drawn = {word for line in (errors.__doc__ or "").splitlines() for word in line.split()}
    assert ours <= drawn
