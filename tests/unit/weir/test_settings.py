"""weir.settings."""

import pytest

from weir.errors import BadSettings
from weir.settings import Settings

STORE = {"MODEL_STORE": "s3://bucket/prefix"}


@pytest.mark.parametrize("empty", [{}, dict.fromkeys(("MODEL_STORE_ENDPOINT", "MODEL_ALIAS", "MODEL_REFRESH_S"), "")])
def test_missing_and_empty_variables_have_defaults(empty: dict[str, str]) -> None:
    """A template leaves a variable empty rather than out."""
    expected = Settings(store="s3://bucket/prefix", store_endpoint="", alias="champion", refresh_s=60.0, preload=())
    assert Settings.from_environment({**STORE, **empty}) == expected


def test_every_variable_is_read() -> None:
    """Each into a value of its type; variables of others are ignored."""
    variables = {
        "MODEL_STORE": "file:///a/b",
        "MODEL_STORE_ENDPOINT": "http://127.0.0.1:9000",
        "MODEL_ALIAS": "challenger",
        "MODEL_REFRESH_S": "2.5",
        "MODELS_PRELOAD": " one,two ,, ",
        "API_BASE_PATH": "/ml",
        "PATH": "/bin",
    }
    assert Settings.from_environment(variables) == Settings(
        store="file:///a/b",
        store_endpoint="http://127.0.0.1:9000",
        alias="challenger",
        refresh_s=2.5,
        preload=("one", "two"),
        base_path="/ml",
    )


@pytest.mark.parametrize(
    ("value", "base_path"),
    [("", ""), ("/", ""), ("ml", "/ml"), ("/ml", "/ml"), ("ml/", "/ml"), ("/ml/v1.0~b", "/ml/v1.0~b")],
)
def test_a_base_path_has_a_slash_before_it_and_none_behind_it(value: str, base_path: str) -> None:
    """API Gateway's own mappings are written without a slash."""
    assert Settings.from_environment({**STORE, "API_BASE_PATH": value}).base_path == base_path


@pytest.mark.parametrize(
    ("variable", "value", "rule"),
    [
        ("MODEL_STORE", "", "s3://bucket"),
        ("MODEL_STORE", "bucket", "s3://bucket"),
        ("MODEL_STORE", "s3://", "s3://bucket"),
        ("MODEL_STORE", "s3:///prefix", "s3://bucket"),
        ("MODEL_STORE", "file://host/path", "file:///path"),
        ("MODEL_STORE", "file:relative", "file:///path"),
        ("MODEL_STORE", "s3://[", "s3://bucket"),
        ("MODEL_STORE_ENDPOINT", "127.0.0.1:9000", "http:// or https:// URL"),
        ("MODEL_ALIAS", "1", "a letter a-z"),
        ("MODEL_ALIAS", "Champion", "a letter a-z"),
        ("MODEL_REFRESH_S", "soon", "a number of seconds"),
        ("MODEL_REFRESH_S", "-1", "a number of seconds"),
        ("MODEL_REFRESH_S", "nan", "a number of seconds"),
        ("MODEL_REFRESH_S", "inf", "a number of seconds"),
        ("API_BASE_PATH", "/a//b", "such as /ml"),
        ("API_BASE_PATH", "/a b", "such as /ml"),
        ("API_BASE_PATH", "/ä", "such as /ml"),
        ("API_BASE_PATH", "https://x", "such as /ml"),
    ],
)
def test_a_wrong_variable_is_named_with_its_rule(variable: str, value: str, rule: str) -> None:
    """The error has the rule, and the value as it is set."""
    with pytest.raises(BadSettings) as caught:
        Settings.from_environment({**STORE, variable: value})
    assert caught.value.rule.startswith(f"{variable} is ")
    assert rule in caught.value.rule
    assert caught.value.got == (f"{variable}={value!r}" if value else f"no {variable}")


def test_all_wrong_variables_are_in_one_error() -> None:
    """A deployment is corrected at once, not one variable at a time."""
    with pytest.raises(BadSettings) as caught:
        Settings.from_environment({"MODEL_REFRESH_S": "soon", "MODEL_ALIAS": "x" * 500})
    rules = caught.value.rule.split("; ")
    assert [rule.partition(" is ")[0] for rule in rules] == ["MODEL_STORE", "MODEL_ALIAS", "MODEL_REFRESH_S"]
    assert caught.value.got.startswith("no MODEL_STORE, MODEL_ALIAS='xxx")
    assert caught.value.got.endswith("MODEL_REFRESH_S='soon'")
    assert len(caught.value.got) < 200
