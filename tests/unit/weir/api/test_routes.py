"""weir.api.routes."""

import pytest

from weir.api.routes import ROUTES, Operation, find, url_path
from weir.catalog.mounts import CASCADE, END_TO_END, Mount
from weir.errors import MethodNotAllowed, RouteNotFound

VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get")


def _allowed(path: str) -> tuple[str, ...]:
    """Take the verbs of a path off the error about another one; none when the path is unknown."""
    try:
        find("TRACE", path)
    except MethodNotAllowed as error:
        return error.allow
    except RouteNotFound:
        return ()
    raise AssertionError(path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v2", ("GET", "HEAD")),
        ("/cascade/v2/health/live", ("GET", "HEAD")),
        ("/v2/models/m", ("GET", "HEAD")),
        ("/v2/models/m/ready", ("GET", "HEAD")),
        ("/v2/models/m/versions/1/ready", ("GET", "HEAD")),
        ("/v2/models/m/infer", ("POST",)),
        ("/cascade/v2/models/m/versions/1/infer", ("POST",)),
        ("/v2/", ("GET", "HEAD")),
        ("/v2/models/m/config", ("GET", "HEAD")),
        ("/cascade/v2/models/m/versions/1/stats", ("GET",)),
        ("/cascade/v2/repository/index", ("POST",)),
        ("/v1/models/m:predict", ("POST",)),
        ("/v1/models/m/labels/champion:predict", ("POST",)),
        ("/", ("GET", "HEAD")),
        ("/v1/models", ("GET", "HEAD")),
        ("/v1/models/m", ("GET", "HEAD")),
        ("/v1/models/m/metadata", ("GET", "HEAD")),
        ("/v1/models/m/labels/champion", ("GET", "HEAD")),
        ("/v1/models/m/versions/1/metadata", ("GET", "HEAD")),
        ("/cascade/v1/models/m", ()),
        ("/v1/models/m:classify", ()),
        ("/v2/models/a:b", ()),
        ("/v1/models/m/versions/1:predict", ("POST",)),
        ("/openapi.json", ("GET", "HEAD")),
        ("/docs", ("GET", "HEAD")),
        ("/cascade/v1/models/m:predict", ("POST",)),
        ("/cascade/docs", ()),
        ("/v2/models", ()),
        ("/v2/models/m/n/infer", ()),
        ("/v3", ()),
        ("", ()),
        ("/v2/models//infer", ()),
        ("/v1/models/:predict", ()),
        ("v2", ()),
        ("//v2", ()),
        ("/v2/models/m/", ()),
    ],
)
def test_verbs_of_a_path(path: str, expected: tuple[str, ...]) -> None:
    """A known path has its verbs, and any other verb is refused with them; an unknown path has none."""
    assert _allowed(path) == expected
    for verb in set(VERBS) - set(expected):
        with pytest.raises(MethodNotAllowed if expected else RouteNotFound):
            find(verb, path)


@pytest.mark.parametrize(
    ("verb", "path", "operation", "names"),
    [
        ("POST", "/v2/models/m/infer", "infer", {"model": "m"}),
        ("POST", "/v2/models/{model}/infer", "infer", {"model": "{model}"}),
        ("GET", "/v2/models/models/versions/versions/stats", "stats", {"model": "models", "version": "versions"}),
        ("POST", "/v1/models/a:b:predict", "predict", {"model": "a:b"}),
        ("POST", "/v1/models/m/versions/2:predict", "predict", {"model": "m", "version": "2"}),
        ("POST", "/v1/models/m/labels/champion:predict", "predict", {"model": "m", "version": "champion"}),
        ("HEAD", "/v2/models/m", "metadata", {"model": "m"}),
        ("GET", "/v2/models/a\nb", "metadata", {"model": "a\nb"}),
        ("GET", "/v2/", "server", {}),
    ],
)
def test_variables_are_whole_segments(verb: str, path: str, operation: str, names: dict[str, str]) -> None:
    """Any characters but a slash, and a colon without a suffix, are a name here; the registry knows the valid ones."""
    route, variables = find(verb, path)
    assert (route.operation, variables) == (operation, names)


@pytest.mark.parametrize(
    ("operation", "mount", "names", "path"),
    [
        ("infer", END_TO_END, ("m",), "/v2/models/m/infer"),
        ("infer", CASCADE, ("m", "3"), "/cascade/v2/models/m/versions/3/infer"),
        ("metadata", END_TO_END, ("a/b", "../1"), "/v2/models/a%2Fb/versions/..%2F1"),
        ("predict", END_TO_END, ("m",), "/v1/models/m:predict"),
        ("server", CASCADE, (), "/cascade/v2"),
    ],
)
def test_clients_write_the_paths_of_the_table(
    operation: Operation, mount: Mount, names: tuple[str, ...], path: str
) -> None:
    """Names are percent-encoded, so that none reaches into another segment."""
    assert url_path(operation, mount, *names) == path


def test_no_verb_and_path_stand_twice_in_the_table() -> None:
    """A second route of the same verb and path would never be reached."""
    assert len({(route.verb, route.path) for route in ROUTES}) == len(ROUTES)
