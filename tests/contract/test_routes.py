"""The list of verbs for 405 against the routes that the handlers registered."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.serving import load_app
from weir.api.routes import _VERBS, verbs

HANDLERS = ("predict", "cascade", "models")
PATHS = st.one_of(
    *(st.from_regex(pattern.pattern.replace("[^/]", "[a-z0-9_-]"), fullmatch=True) for pattern, _ in _VERBS)
)


@pytest.fixture
def routes(served: Path) -> list[tuple[str, re.Pattern[str]]]:
    """Every route of every handler: verb and pattern."""
    apps = [load_app(name).app for name in HANDLERS]
    return [(route.method, route.rule) for app in apps for route in [*app._static_routes, *app._dynamic_routes]]


@given(path=PATHS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_path_with_verbs_is_answered_by_one_route(routes: list[tuple[str, re.Pattern[str]]], path: str) -> None:
    """No path promises a verb that nobody answers, and none is answered twice."""
    found = [method for method, rule in routes if rule.match(path)]
    assert tuple(found) == verbs(path)


def test_every_route_has_its_verb(routes: list[tuple[str, re.Pattern[str]]]) -> None:
    """No route is missing from the list."""
    for method, rule in routes:
        path = re.sub(r"\(\?P<\w+>.*?\]\+\)", "x", rule.pattern).strip("^$")
        assert rule.match(path)
        assert verbs(path) == (method,)
