"""weir.api.documentation: the document that clients are made from, and the page."""

from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import msgspec
import pytest

from tests.serving import make_manifest, store_version
from weir.api.documentation import POLICY, openapi, page
from weir.api.documentation.openapi import UNDOCUMENTED
from weir.api.routes import ROUTES, find
from weir.catalog import keys
from weir.catalog.inputs import Picture
from weir.catalog.store import Store
from weir.inputs.rows import RowReader
from weir.protocol import messages
from weir.protocol.requests import decode
from weir.runtime.registry import Registry

INFER = "/v2/models/{model}/infer"


def _document(store: Path) -> dict[str, Any]:
    return openapi(Registry(Store(store.as_uri())))


def _examples(document: dict[str, Any]) -> dict[str, Any]:
    """Take the example requests of a document: model -> request."""
    content = document["paths"][INFER]["post"]["requestBody"]["content"]["application/json"]
    return {name: example["value"] for name, example in content.get("examples", {}).items()}


def test_schemas_are_those_of_the_types_that_decode_requests(thirds: Path) -> None:
    """They are not written a second time, so they can't differ."""
    schemas = _document(thirds)["components"]["schemas"]
    _, expected = msgspec.json.schema_components(
        [messages.InferRequest, messages.IndexRequest], ref_template="#/components/schemas/{name}"
    )
    assert {name: schemas[name] for name in expected} == expected
    assert "additionalProperties" not in schemas["RequestParameters"]


def test_every_path_is_a_route(thirds: Path) -> None:
    """Each operation of the document is dispatched, and each route is documented but for a list of exceptions."""
    documented = set()
    for path, operations in _document(thirds)["paths"].items():
        for verb in operations:
            route, _ = find(verb.upper(), path.replace("{model}", "m").replace("{version}", "1"))
            assert route.path == path
            documented.add(route)
    undocumented = set(ROUTES) - documented
    assert {route.operation for route in undocumented if not route.path.endswith("/v2/")} == UNDOCUMENTED


def test_requests_go_to_where_the_document_is(thirds: Path) -> None:
    """Below a stage or the base path of a custom domain, "Try it" of the page sends its requests there too."""
    (server,) = _document(thirds)["servers"]
    for place in ("https://a.example/", "https://a.example/prod/", "https://a.example/prod/ml/"):
        assert urljoin(f"{place}openapi.json", server["url"]) == place


def test_examples_are_requests_of_the_models_in_the_store(thirds: Path) -> None:
    """Each decodes, and is for a model that answers without a version."""
    store_version(thirds, make_manifest("other"))
    requests = _examples(_document(thirds))
    assert set(requests) == {"other", "thirds"}
    for request in requests.values():
        (tensor,) = decode(msgspec.json.encode(request), None, RowReader(make_manifest().inputs)).message.inputs
        assert tensor.shape == [1, 4, 4]


def test_models_without_a_readable_example_are_left_out(thirds: Path) -> None:
    """Those without an alias, with a damaged manifest or with long rows; at most five examples are given."""
    store_version(thirds, make_manifest("nameless"))
    (thirds / keys.alias("nameless", "champion")).unlink()
    store_version(thirds, make_manifest("damaged"))
    (thirds / keys.manifest("damaged", 1)).write_bytes(b"{")
    large = Picture(name="image", shape=(-1, 224, 224, 3))
    store_version(thirds, msgspec.structs.replace(make_manifest("large"), inputs=(large,)))
    assert set(_examples(_document(thirds))) == {"thirds"}
    for number in range(9):
        store_version(thirds, make_manifest(f"m{number}"))
    assert len(_examples(_document(thirds))) == 5


def test_a_store_that_is_empty_or_down_has_a_document_without_examples(tmp_path: Path) -> None:
    """The API is described all the same."""
    down = openapi(Registry(Store("s3://nowhere", endpoint="http://127.0.0.1:9")))
    for document in (_document(tmp_path), down):
        assert _examples(document) == {}
        assert document["openapi"] == "3.1.0"


def test_the_page_is_one_document() -> None:
    """Its scripts and styles are inside it, and its policy lets nothing else load."""
    text = page()
    assert "SwaggerUIBundle(" in text
    assert "<script src" not in text
    assert '<link rel="stylesheet"' not in text
    assert "default-src 'none'" in POLICY


@pytest.mark.parametrize("host", ["http:", "https:", "*"])
def test_the_policy_names_no_host(host: str) -> None:
    """The page can load nothing from another host, and send nothing to one."""
    assert host not in POLICY
