"""Cases of other servers' public suites: a request, what the suite wants, and whether Weir agrees."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import pytest

from local import template
from local.events import HttpRequest, HttpResponse
from local.gateway import Gateway
from local.system import TEMPLATE
from tests.serving import context, digits_manifest, layered_manifest, load_app, make_manifest, store_version
from tests.unit.weir.pairs import pair_manifest

ROW = [0.0] * 16
"""one picture of the model `thirds`"""

V2, V1 = ("", "/cascade"), ("",)
"""the mounts on which a case is tried"""


@dataclass(frozen=True)
class Case:
    """One request of a suite, in our own words."""

    about: str
    """what is tried"""
    wants: str
    """what the suite or the specification wants"""
    verb: str
    path: str
    status: int
    """what Weir answers"""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    has: str = ""
    """a text in the answer"""
    why_not: str = ""
    """why Weir does otherwise; empty where it agrees"""
    mounts: tuple[str, ...] = V2


@dataclass(frozen=True)
class Suite:
    """The cases of one suite."""

    name: str
    url: str
    cases: tuple[Case, ...]

    def parameters(self) -> list[Any]:
        """Make a parameter of pytest of each case on each of its mounts."""
        return [
            pytest.param(case, mount, id=f"{case.about}{' below /cascade' if mount else ''}")
            for case in self.cases
            for mount in case.mounts
        ]


Ask = Callable[[str, Case], HttpResponse]


class _InProcess:
    """A function that is called in this process."""

    def __init__(self, app: ModuleType) -> None:
        self._app = app

    def invoke(self, event: object) -> object:
        """Answer an event as Lambda would pass it on."""
        return self._app.handler(json.loads(json.dumps(event)), context())

    def close(self) -> None:
        """Nothing runs."""


@contextmanager
def server(store: Path) -> Iterator[Ask]:
    """Serve five models from a folder through the gateway of the template, all in this process."""
    for manifest in (make_manifest(), layered_manifest(), digits_manifest(), pair_manifest()):
        store_version(store, manifest)
    store_version(store, make_manifest(), 2)
    store_version(store, make_manifest("two"), 1)
    store_version(store, make_manifest())
    deployed = template.read(TEMPLATE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODEL_STORE", store.as_uri())
        functions = {
            name: _InProcess(load_app(deployed.functions[name].folder.name))
            for name in {route.function for route in deployed.routes}
        }
    gateway = Gateway(deployed.routes, functions)

    def ask(mount: str, case: Case) -> HttpResponse:
        path, _, query = (mount + case.path).partition("?")
        return gateway.answer(HttpRequest(case.verb, path, query, list(case.headers.items()), case.body))

    yield ask


def check(ask: Ask, case: Case, mount: str) -> None:
    """Ask, and compare the answer with the case; whatever it is, it is not an error of Weir."""
    answer = ask(mount, case)
    assert answer.status == case.status, answer.body
    assert answer.status < 500
    assert case.has.encode() in answer.body, answer.body
    if answer.status >= 400 and case.verb != "HEAD":
        assert set(json.loads(answer.body)) == {"error"}


def tensor(data: object = None, **changes: object) -> dict[str, Any]:
    """Describe the input of `thirds`: one picture of zeros, with changes; what is changed to `...` is left out."""
    whole = {"name": "image", "shape": [1, 4, 4], "datatype": "FP32", "data": ROW if data is None else data, **changes}
    return {key: value for key, value in whole.items() if value is not ...}


def infer(*tensors: object, **other: object) -> bytes:
    """Write the body of an inference request."""
    return json.dumps({"inputs": list(tensors or (tensor(),)), **other}).encode()


def get(about: str, path: str, status: int, wants: str, **other: Any) -> Case:  # noqa: ANN401 (fields of a case)
    """Make a case of GET."""
    return Case(about, wants, "GET", path, status, **other)


def post(about: str, path: str, body: object, status: int, wants: str, **other: Any) -> Case:  # noqa: ANN401 (as above)
    """Make a case of POST: bytes as they are, anything else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Case(about, wants, "POST", path, status, content, **other)


def named(names: Sequence[str]) -> list[dict[str, str]]:
    """Request outputs by their names."""
    return [{"name": name} for name in names]


def encoded(text: str) -> str:
    """Write a text as one segment of a path."""
    return quote(text, safe="")
