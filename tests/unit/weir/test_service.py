"""weir.service, over a folder store."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.serving import artifact, make_manifest, request_body, store_version
from weir import __version__, keys
from weir.cascade import ALWAYS_ESCALATE
from weir.errors import BadInput, ModelNotFound, StoreUnavailable
from weir.service import Service, server_metadata

Floats = NDArray[np.float32]

pytestmark = pytest.mark.usefixtures("runtime")


def _service(store: Path, *, cascade: bool, **variables: str) -> Service:
    return Service.from_environment({"MODEL_STORE": store.as_uri(), **variables}, cascade=cascade)


@pytest.mark.parametrize("cascade", [False, True])
def test_an_inference_tells_its_rows_and_what_each_level_did(thirds: Path, pictures: Floats, cascade: bool) -> None:
    """Rows are those of the request, however many levels saw them."""
    answer = _service(thirds, cascade=cascade).infer("thirds", "", request_body(pictures.tolist(), [4, 4, 4]))
    assert (answer.model, answer.version, answer.rows) == ("thirds", 1, 4)
    assert [use.rows for use in answer.uses] == ([4, 4, 2] if cascade else [4])


def test_a_level_that_is_not_run_has_no_rows(thirds: Path, pictures: Floats) -> None:
    """A first level that can never exit is skipped; the rows of the request are counted all the same."""
    store_version(thirds, make_manifest(thresholds=(ALWAYS_ESCALATE, 0.9)))
    answer = _service(thirds, cascade=True).infer("thirds", "", request_body(pictures.tolist(), [4, 4, 4]))
    assert answer.rows == 4
    assert [use.rows for use in answer.uses] == [0, 4, 2]


def test_paths_are_told_only_when_asked_for(thirds: Path, pictures: Floats) -> None:
    """A level that no row needs has no part in a path."""
    service = _service(thirds, cascade=True)
    body = request_body(pictures.tolist(), [4, 4, 4], outputs=[{"name": "path"}])
    (output,) = json.loads(service.infer("thirds", "", body).body)["outputs"]
    assert [len(path.split("; ")) for path in output["data"]] == [2, 3, 3, 2]


def test_the_environment_names_alias_and_refresh_time(thirds: Path) -> None:
    """Empty variables, as a template leaves them, mean the defaults."""
    path = thirds / keys.alias("thirds", "challenger")
    path.write_bytes(b'{"version": 1}')
    (thirds / keys.alias("thirds", "champion")).unlink()
    found = _service(thirds, cascade=False, MODEL_ALIAS="challenger", MODEL_REFRESH_S="5")
    assert found.metadata("thirds").versions == ("1",)
    with pytest.raises(ModelNotFound, match="champion"):
        _service(thirds, cascade=False, MODEL_ALIAS="", MODEL_REFRESH_S="", MODELS_PRELOAD="").metadata("thirds")


def test_nothing_is_read_until_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service over a store that is down begins; one that preloads does not."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    variables = {"MODEL_STORE": "s3://nowhere", "MODEL_STORE_ENDPOINT": "http://127.0.0.1:9"}
    service = Service.from_environment(variables, cascade=True)
    assert not service.ready()
    with pytest.raises(StoreUnavailable):
        Service.from_environment({**variables, "MODELS_PRELOAD": "thirds"}, cascade=True)


def test_a_store_that_is_no_url_is_refused() -> None:
    """A wrong configuration shows when the function starts."""
    with pytest.raises(BadInput, match="a store is"):
        Service.from_environment({"MODEL_STORE": "bucket"}, cascade=False)


@pytest.mark.parametrize(("cascade", "network"), [(False, "large"), (True, "tiny")])
def test_a_model_is_ready_when_its_first_network_loads(thirds: Path, cascade: bool, network: str) -> None:
    """Later levels are fetched only when a row needs them, so they don't count."""
    service = _service(thirds, cascade=cascade)
    for name in {"tiny", "small", "large"} - {network}:
        (thirds / keys.artifact("thirds", 1, artifact(name).digest)).unlink()
    assert service.model_ready("thirds")
    (thirds / keys.artifact("thirds", 1, artifact(network).digest)).write_bytes(b"damaged")
    assert not _service(thirds, cascade=cascade).model_ready("thirds")


def test_the_server_tells_its_version() -> None:
    """As the protocol asks."""
    assert server_metadata() == {"name": "weir", "version": __version__, "extensions": []}
