"""weir.errors."""

import pytest

from weir.errors import MethodNotAllowed, WeirError


def test_message_states_the_rule_and_then_what_came() -> None:
    """A reader learns what would have been right, and what was not."""
    assert str(WeirError("names are short", "a-long-one")) == "names are short. Got: a-long-one"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("x" * 500, "x" * 200 + "…"),
        ("a\nb\x00", "a\ufffdb\ufffd"),
        ("\ud800", "\ufffd"),
        ([1, 2], "[1, 2]"),
        ((-1, 28, 28), "(-1, 28, 28)"),
        (ValueError("no"), "no"),
    ],
)
def test_hostile_values_are_cut_and_printable(value: object, told: str) -> None:
    """An error stays one short line, whatever came."""
    assert WeirError("rule", value).got == told


@pytest.mark.parametrize("depth", [10, 950, 100_000])
def test_values_of_any_depth_are_shown(depth: int) -> None:
    """The nesting that a caller sends never breaks the error about it."""
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    assert WeirError("rule", value).got == "[[[[[[[...]]]]]]]"


def test_method_not_allowed_lists_the_verbs() -> None:
    """The verbs stand in the message, and apart for the Allow header."""
    error = MethodNotAllowed("PUT", "/v2", ("GET",))
    assert error.allow == ("GET",)
    assert str(error) == "/v2 answers GET. Got: PUT"
    assert len(str(MethodNotAllowed("PUT", "/" * 9000, ("GET",)))) < 300
