"""Triton's asyncio client, unmodified, on both mounts: every call, and gzip both ways."""

import asyncio
import gc
import warnings
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tritonclient.http import InferInput, InferRequestedOutput
from tritonclient.http.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from local.system import System
from tests.serving import make_manifest, store_version

LABELS = ["left", "right", "left", "right"]
"""of the four rows of the fixture `pictures`"""

Call = Callable[[InferenceServerClient], Awaitable[Any]]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A system that serves `thirds`: host and port."""
    store = tmp_path_factory.mktemp("triton-aio") / "store"
    store_version(store, make_manifest())
    with System(store=store.as_uri()) as system:
        yield system.url.removeprefix("http://")


@pytest.fixture(params=["", "/cascade"], ids=["end-to-end", "cascade"])
def url(request: pytest.FixtureRequest, address: str) -> str:
    """The address of each mount."""
    return f"{address}{request.param}"


def _ask(url: str, *calls: Call) -> list[Any]:
    """Make calls one after the other with one client, and return their answers.

    The client leaves the connections of health calls to the garbage collector, which warns of them.
    """

    async def ask() -> list[Any]:
        async with InferenceServerClient(url) as client:
            return [await call(client) for call in calls]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        answers = asyncio.run(ask())
        gc.collect()
    return answers


def _input(rows: NDArray[np.float32], *, binary: bool) -> InferInput:
    tensor = InferInput("image", list(rows.shape), "FP32")
    tensor.set_data_from_numpy(rows, binary_data=binary)
    return tensor


def test_health_is_answered(url: str) -> None:
    """Server and model are live and ready, and an unknown model is not."""
    answers = _ask(
        url,
        lambda client: client.is_server_live(),
        lambda client: client.is_server_ready(),
        lambda client: client.is_model_ready("thirds"),
        lambda client: client.is_model_ready("thirds", "1"),
        lambda client: client.is_model_ready("nobody"),
        lambda client: client.is_model_ready("Nobody"),
    )
    assert answers == [True, True, True, True, False, False]


@pytest.mark.parametrize("version", ["", "1", "champion"])
def test_descriptions_are_read(url: str, version: str) -> None:
    """The client asks for gzip everywhere, and unzips predictions only: metadata, configuration, counts and index."""
    server, metadata, config, statistics, index = _ask(
        url,
        lambda client: client.get_server_metadata(),
        lambda client: client.get_model_metadata("thirds", version),
        lambda client: client.get_model_config("thirds", version),
        lambda client: client.get_inference_statistics("thirds", version),
        lambda client: client.get_model_repository_index(),
    )
    assert server["name"] == "weir"
    assert (metadata["name"], config["name"]) == ("thirds", "thirds")
    assert statistics["model_stats"][0]["inference_stats"]["queue"] == {"count": 0, "ns": 0}
    assert [entry["name"] for entry in index] == ["thirds"]


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
@pytest.mark.parametrize("sent", [None, "gzip", "deflate"])
@pytest.mark.parametrize("taken", [None, "gzip", "deflate"])
def test_rows_are_answered(
    url: str, pictures: NDArray[np.float32], sent: str | None, taken: str | None, *, binary: bool
) -> None:
    """Compressed or not, and with tensors in the JSON or behind it."""
    outputs = [InferRequestedOutput(name, binary_data=binary) for name in ("probabilities", "label")]
    rows = np.tile(pictures, (10, 1, 1))
    (result,) = _ask(
        url,
        lambda client: client.infer(
            "thirds",
            [_input(rows, binary=binary)],
            outputs=outputs,
            request_id="7",
            request_compression_algorithm=sent,
            response_compression_algorithm=taken,
        ),
    )
    assert result.get_response()["id"] == "7"
    assert result.as_numpy("probabilities").shape == (40, 3)
    labels = [value.decode() if isinstance(value, bytes) else value for value in result.as_numpy("label")]
    assert labels == LABELS * 10


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.get_model_metadata("nobody"),
        lambda client: client.get_model_config("nobody"),
        lambda client: client.get_inference_statistics("nobody"),
        lambda client: client.infer("nobody", [_input(np.zeros((1, 4, 4), np.float32), binary=True)]),
        lambda client: client.get_inference_statistics(),
        lambda client: client.load_model("thirds"),
        lambda client: client.unload_model("thirds"),
        lambda client: client.update_trace_settings(),
        lambda client: client.get_trace_settings(),
        lambda client: client.get_log_settings(),
        lambda client: client.get_system_shared_memory_status(),
        lambda client: client.register_system_shared_memory("a", "b", 0),
        lambda client: client.unregister_system_shared_memory(),
        lambda client: client.get_cuda_shared_memory_status(),
        lambda client: client.register_cuda_shared_memory("a", b"", 0, 0),
        lambda client: client.unregister_cuda_shared_memory(),
    ],
)
def test_what_is_not_there_is_the_clients_own_exception(url: str, call: Call) -> None:
    """An unknown model and an extension that Weir does not have are a 404 with a message."""
    with pytest.raises(InferenceServerException) as caught:
        _ask(url, call)
    assert caught.value.status() == "404"
    assert "Got: " in caught.value.message()
