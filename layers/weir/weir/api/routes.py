"""The routes of the API, in one table.

From it come the dispatch, the verbs of a 405, the paths of `/openapi.json`, the sample events and the URLs that clients
use. `template.yaml` repeats it for API Gateway; a test holds both equal.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Literal
from urllib.parse import quote

from msgspec import Struct

from weir.catalog.mounts import CASCADE, END_TO_END, MOUNTS, Mount
from weir.errors import MethodNotAllowed, RouteNotFound

Function = Literal["predict", "cascade", "models"]
Operation = Literal[
    "infer",
    "stats",
    "metadata",
    "config",
    "model_ready",
    "server",
    "live",
    "ready",
    "index",
    "predict",
    "alive",
    "model_names",
    "model_status",
    "signature",
    "openapi",
    "docs",
]

_V1 = "/v1/"
_PROXY = "{proxy+}"
"""variable of API Gateway for the rest of a path"""

DEFAULT = "$default"
"""API Gateway's route for all that no other one matches"""


class Route(Struct, frozen=True):
    """One route: a verb and a path, and which function answers it with which operation."""

    verb: Literal["GET", "POST"]
    path: str
    """such as `/v2/models/{model}/infer`; a variable is a segment without a colon, or its part before a suffix
    (`{model}:predict`)"""
    operation: Operation
    mount: Mount
    function: Function

    @property
    def verbs(self) -> tuple[str, ...]:
        """Its verb, and HEAD where API Gateway sends that to the function of the route: as to all without a route."""
        return (self.verb, "HEAD") if self.verb == "GET" and self.function == "models" else (self.verb,)

    @property
    def gateway_key(self) -> str:
        """Key of the route of API Gateway that leads to it.

        API Gateway's variables match whole segments only, and its paths do not end in a slash.
        """
        if self.path.endswith("/"):
            return DEFAULT
        v1 = self.mount.prefix + _V1
        return f"{self.verb} " + (v1 + _PROXY if self.path.startswith(v1) else self.path)


_ON_EACH_MOUNT: tuple[tuple[Literal["GET", "POST"], str, Operation], ...] = (
    ("POST", "/v2/models/{model}/infer", "infer"),
    ("POST", "/v2/models/{model}/versions/{version}/infer", "infer"),
    ("GET", "/v2/models/{model}/stats", "stats"),
    ("GET", "/v2/models/{model}/versions/{version}/stats", "stats"),
    ("GET", "/v2/models/{model}", "metadata"),
    ("GET", "/v2/models/{model}/versions/{version}", "metadata"),
    ("GET", "/v2/models/{model}/config", "config"),
    ("GET", "/v2/models/{model}/versions/{version}/config", "config"),
    ("GET", "/v2/models/{model}/ready", "model_ready"),
    ("GET", "/v2/models/{model}/versions/{version}/ready", "model_ready"),
    ("GET", "/v2", "server"),
    ("GET", "/v2/", "server"),
    ("GET", "/v2/health/live", "live"),
    ("GET", "/v2/health/ready", "ready"),
    ("POST", "/v2/repository/index", "index"),
)


_V1_OF_A_MODEL: tuple[tuple[Literal["GET", "POST"], str, Operation, Function], ...] = (
    ("POST", ":predict", "predict", "predict"),
    ("GET", "", "model_status", "models"),
    ("GET", "/metadata", "signature", "models"),
)
"""verb, end of the path, operation and function of the routes of TensorFlow Serving and of KServe's V1"""

_V1_VERSIONS = ("", "/versions/{version}", "/labels/{version}")
"""of a model, in paths of V1"""


def _function(operation: Operation, mount: Mount) -> Function:
    """Name the function of an operation: those that predict have one for each mount."""
    if operation in {"infer", "stats", "predict"}:
        return "cascade" if mount == CASCADE else "predict"
    return "models"


ROUTES: tuple[Route, ...] = (
    *(
        Route(verb, mount.prefix + path, operation, mount, _function(operation, mount))
        for mount in MOUNTS
        for verb, path, operation in _ON_EACH_MOUNT
    ),
    *(
        Route(verb, f"/v1/models/{{model}}{version}{ending}", operation, END_TO_END, function)
        for version in _V1_VERSIONS
        for verb, ending, operation, function in _V1_OF_A_MODEL
    ),
    *(
        Route("POST", f"{CASCADE.prefix}/v1/models/{{model}}{version}:predict", "predict", CASCADE, "cascade")
        for version in _V1_VERSIONS
    ),
    Route("GET", "/v1/models", "model_names", END_TO_END, "models"),
    Route("GET", "/", "alive", END_TO_END, "models"),
    Route("GET", "/docs", "docs", END_TO_END, "models"),
    Route("GET", "/openapi.json", "openapi", END_TO_END, "models"),
)


def _by_length() -> dict[int, list[tuple[list[str], Route]]]:
    routes: dict[int, list[tuple[list[str], Route]]] = {}
    for route in ROUTES:
        template = route.path.split("/")
        routes.setdefault(len(template), []).append((template, route))
    return routes


_BY_LENGTH = _by_length()
"""number of segments -> routes of that length, each with its path split; compiling regular expressions takes 1.5 ms"""

_KEYS = frozenset(route.gateway_key for route in ROUTES)

_PATHS = (
    "paths are those of the Open Inference Protocol, also below /cascade, and /v1/models/<model>[:predict], without a "
    "slash at the end; GET /docs lists them"
)


@lru_cache(maxsize=256)
def find(verb: str, path: str) -> tuple[Route, Mapping[str, str]]:
    """Find the route of a request, and the values of its variables; paths that come again are looked up.

    Raises:
        RouteNotFound: no route has this path.
        MethodNotAllowed: its routes have other verbs.
    """
    segments = path.split("/")
    allowed: list[str] = []
    for template, route in _BY_LENGTH.get(len(segments), ()):
        variables = _variables(template, segments)
        if variables is not None:
            if verb in route.verbs:
                return route, MappingProxyType(variables)
            allowed += route.verbs
    if allowed:
        raise MethodNotAllowed(verb, path, tuple(allowed))
    raise RouteNotFound(_PATHS, path)


def find_first(verb: str, paths: Sequence[str]) -> tuple[str, Route, Mapping[str, str]]:
    """Find the first of the paths that a route has, its route, and the values of its variables.

    Raises:
        RouteNotFound: no route has any of them.
        MethodNotAllowed: the routes of the first that has some have other verbs.
    """
    for path in paths[:-1]:
        try:
            return path, *find(verb, path)
        except RouteNotFound:
            continue
    return paths[-1], *find(verb, paths[-1])


def check_key(route: Route, verb: str, path: str, key: str) -> None:
    """Refuse a path with an encoded slash: API Gateway decodes it after it has chosen the route, but not before.

    Args:
        route: that of the decoded path.
        verb: of the request.
        path: decoded.
        key: of the route that the gateway chose; empty when it has none. Weir's template sends `$default` to the models
            function; another function gets it from a gateway without other routes, as it gets keys of other routes.

    Raises:
        RouteNotFound: the gateway chose another route of the table.
    """
    without_slash = f"{verb} {route.path.rstrip('/')}"  # as `sam local` finds it
    if key in {route.gateway_key, without_slash} or key not in _KEYS or verb != route.verb:
        return
    if key != DEFAULT or route.function == "models":
        raise RouteNotFound(_PATHS, path)


def url_path(operation: Operation, mount: Mount, model: str = "", version: str = "") -> str:
    """Write the percent-encoded path of an operation for a client: of one version of a model when there is one."""
    path = next(
        route.path
        for route in ROUTES
        if (route.operation, route.mount) == (operation, mount) and ("{version}" in route.path) == bool(version)
    )
    return path.format(model=quote(model, safe=""), version=quote(version, safe=""))


def _variables(template: Sequence[str], segments: Sequence[str]) -> dict[str, str] | None:
    """Match the segments of a path to those of a route, and return its variables; None when they differ."""
    variables = {}
    for expected, segment in zip(template, segments, strict=True):
        if expected[:1] != "{":
            if segment != expected:
                return None
            continue
        name, _, suffix = expected[1:].partition("}")
        if not segment.endswith(suffix) or len(segment) == len(suffix) or (not suffix and ":" in segment):
            return None
        variables[name] = segment.removesuffix(suffix)
    return variables
