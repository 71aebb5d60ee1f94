"""The table of routes against the handlers that answer them."""

from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.serving import load_app
from weir.api import routes
from weir.api.routes import ROUTES, Function, Route, find
from weir.catalog import keys

NAMES = st.from_regex(keys.NAME, fullmatch=True)
VERSIONS = st.from_regex(keys.VERSION, fullmatch=True) | st.from_regex(keys.ALIAS, fullmatch=True)


@given(route=st.sampled_from(ROUTES), model=NAMES, version=VERSIONS)
def test_every_route_is_found_by_its_paths(route: Route, model: str, version: str) -> None:
    """Each verb and path leads to its own route, with the names in the path, whatever they are."""
    names = {"model": model, "version": version}
    found, variables = find(route.verb, route.path.format(**names))
    assert found == route
    assert variables == {name: value for name, value in names.items() if f"{{{name}}}" in route.path}


@pytest.mark.parametrize("name", get_args(Function))
def test_a_function_has_the_operations_of_its_routes(served: Path, name: Function) -> None:
    """No route lacks an operation, and no operation lacks a route."""
    assert set(load_app(name).app.operations) == {route.operation for route in ROUTES if route.function == name}


@given(route=st.sampled_from(ROUTES), model=NAMES, version=VERSIONS)
def test_a_path_is_that_of_one_route(route: Route, model: str, version: str) -> None:
    """No path matches two routes of one verb, so the order of the table does not matter."""
    segments = route.path.format(model=model, version=version).split("/")
    matching = [
        one
        for one in ROUTES
        if one.verb == route.verb
        and len(one.path.split("/")) == len(segments)
        and routes._variables(one.path.split("/"), segments) is not None
    ]
    assert matching == [route]
