"""weir.errors."""

import pytest

from weir.errors import (
    BadInput,
    BadManifest,
    MethodNotAllowed,
    ModelNotFound,
    ModelUnavailable,
    ObjectNotFound,
    Rejected,
    RouteNotFound,
    StoreUnavailable,
    Unavailable,
    WeirError,
)


def test_bad_input_states_the_rule_and_then_what_came() -> None:
    """A reader learns what would have been accepted, and what was not."""
    error = BadInput("names are short", "a-long-one")
    assert (error.rule, error.got) == ("names are short", "a-long-one")
    assert str(error) == "names are short. Got: a-long-one"


def test_a_failure_states_what_failed_and_then_the_cause() -> None:
    """A reader learns what did not work and why, and no rule that was not broken."""
    error = StoreUnavailable("the store s3://x did not answer", ConnectionRefusedError("connection refused"))
    assert (error.failed, error.cause) == ("the store s3://x did not answer", "connection refused")
    assert str(error) == "the store s3://x did not answer: connection refused"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x" * 500, "x" * 200 + "…"),
        ("a\nb\x00", "a\ufffdb\ufffd"),
        ("\ud800", "\ufffd"),
        ([1, 2], "[1, 2]"),
        ((-1, 28, 28), "(-1, 28, 28)"),
        (ValueError("no"), "no"),
    ],
)
def test_hostile_values_are_cut_and_printable(value: object, shown: str) -> None:
    """An error stays one short line, whatever came."""
    assert BadInput("rule", value).got == shown


def test_a_long_cause_is_cut_and_printable() -> None:
    """An error stays one line, whatever a library wrote."""
    assert Unavailable("it failed", "a\n" + "x" * 1000).cause == "a\ufffd" + "x" * 498 + "…"


@pytest.mark.parametrize("error", [BadInput("a\nb", "c\nd"), Unavailable("a\nb", "c\nd"), BadManifest("a\nb", "c\nd")])
def test_an_error_is_one_line_whatever_its_rule_repeats(error: WeirError) -> None:
    """A URL or a path with a line break, in a rule or in what failed, leaves the error on one line."""
    assert str(error).isprintable()


def test_a_long_rule_is_not_cut() -> None:
    """A rule stays whole, for it is what the reader needs: only what came is cut."""
    rule = "r" * 3000
    assert BadInput(rule, "").rule == rule
    assert Unavailable(rule, "").failed == rule


@pytest.mark.parametrize("depth", [10, 950, 100_000])
def test_values_of_any_depth_are_shown(depth: int) -> None:
    """The nesting that a caller sends never breaks the error about it."""
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    assert BadInput("rule", value).got == "[[[[[[[...]]]]]]]"


def test_method_not_allowed_lists_the_verbs() -> None:
    """The verbs stand in the message, and apart for the Allow header."""
    error = MethodNotAllowed("PUT", "/v2", ("GET",))
    assert (error.method, error.path, error.allow) == ("PUT", "/v2", ("GET",))
    assert str(error) == "/v2 answers GET. Got: PUT"
    assert len(str(MethodNotAllowed("PUT", "/" * 9000, ("GET",)))) < 300


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (7, "the model has this version. Got: thirds 7"),
        ("champion", "the model is published under the alias champion. Got: thirds"),
    ],
)
def test_a_missing_model_is_named_with_its_version_or_alias(version: int | str, message: str) -> None:
    """Name and version are fields, and the message says whether a version or an alias is missing."""
    error = ModelNotFound("thirds", version)
    assert (error.name, error.version) == ("thirds", version)
    assert str(error) == message


def test_a_missing_key_or_route_is_a_field() -> None:
    """What was not found can be read off the error, without parsing its message."""
    missing = ObjectNotFound("models/a", "s3://b")
    assert (missing.key, missing.store) == ("models/a", "s3://b")
    assert str(missing) == "the key exists in s3://b. Got: models/a"
    assert RouteNotFound("paths are those of the API", "/nothing").path == "/nothing"


def test_a_damaged_document_is_a_failure_of_the_model_and_keeps_its_rule() -> None:
    """The caller is not at fault; the publisher learns which rule which document breaks."""
    error = BadManifest("temperatures are above 0", -1)
    assert str(error) == "a document of the store can't be used: temperatures are above 0. Got: -1"
    named = error.named("models/m/versions/1/manifest.json")
    assert isinstance(named, BadManifest)
    assert isinstance(named, ModelUnavailable)
    assert not isinstance(named, Rejected)
    assert (named.rule, named.got) == (error.rule, error.got)
    expected = "models/m/versions/1/manifest.json can't be used: temperatures are above 0. Got: -1"
    assert str(named) == expected
