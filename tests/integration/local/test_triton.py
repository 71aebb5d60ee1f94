"""Triton's published client, unmodified and with its defaults; `make check` runs the same class under `sam local`."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

from local.system import System
from tests.serving import make_manifest, store_version

LABELS = ["left", "right", "left", "right"]
EXITS = [1, 2, 2, 1]
"""of the four rows of the fixture `pictures`, under the champion of `thirds`"""
NEVER_ESCALATE = make_manifest(thresholds=(0.0, 0.0))
"""the version beside it"""

OUTPUTS = {"": ["probabilities", "label"], "/cascade": ["probabilities", "label", "exit_level", "confidence", "path"]}
NO_SUCH_PARAMETER = "with no parameters but those of /openapi.json. Got: Object contains unknown field"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A system over a folder with two versions of `thirds`, the first one its champion: host and port."""
    store = tmp_path_factory.mktemp("triton") / "store"
    store_version(store, NEVER_ESCALATE, 2)
    store_version(store, make_manifest())
    with System(store=store.as_uri()) as system:
        yield system.url.removeprefix("http://")


def _input(rows: NDArray[np.float32], *, binary: bool = True) -> InferInput:
    found = InferInput("image", list(rows.shape), "FP32")
    found.set_data_from_numpy(rows, binary_data=binary)
    return found


def _texts(values: NDArray[Any]) -> list[str]:
    """Read an output of BYTES: bytes when it stood behind the JSON, else texts."""
    return [value.decode() if isinstance(value, bytes) else value for value in values.ravel()]


class TestTriton:
    """What the client can ask, at both mounts; the fixture `address` says of whom."""

    @pytest.fixture(params=list(OUTPUTS), ids=["end-to-end", "cascade"])
    def mount(self, request: pytest.FixtureRequest) -> str:
        """The base path in the client's URL."""
        return str(request.param)

    @pytest.fixture
    def client(self, address: str, mount: str) -> Iterator[InferenceServerClient]:
        """The client."""
        with InferenceServerClient(address + mount) as found:
            yield found

    @pytest.fixture
    def tensor(self, pictures: NDArray[np.float32]) -> InferInput:
        """The four rows as the client takes them, behind the JSON."""
        return _input(pictures)

    def test_server_and_model_are_ready(self, client: InferenceServerClient) -> None:
        """The model by its name, by number and by alias; one that nobody published is not."""
        assert client.is_server_live()
        assert client.is_server_ready()
        assert [client.is_model_ready("thirds", version) for version in ("", "2", "champion")] == [True] * 3
        assert [client.is_model_ready("thirds", version) for version in ("9", "nobody")] == [False] * 2
        assert not client.is_model_ready("nobody")

    def test_the_server_tells_what_it_is(self, client: InferenceServerClient) -> None:
        """Its name, and the extensions that the client can use."""
        told = client.get_server_metadata()
        assert told["name"] == "weir"
        assert {"binary_tensor_data", "classification", "statistics"} < set(told["extensions"])

    @pytest.mark.parametrize(("version", "numbers"), [("", ["1", "2"]), ("2", ["2"]), ("champion", ["1"])])
    def test_a_model_tells_what_it_is(
        self, client: InferenceServerClient, mount: str, version: str, numbers: list[str]
    ) -> None:
        """Inputs and outputs, as the mount has them, and which versions can be asked for."""
        told = client.get_model_metadata("thirds", version)
        assert (told["name"], told["versions"]) == ("thirds", numbers)
        assert told["inputs"] == [{"name": "image", "datatype": "FP32", "shape": [-1, 4, 4]}]
        assert [output["name"] for output in told["outputs"]] == OUTPUTS[mount]

    @pytest.mark.parametrize("version", ["", "2"])
    def test_a_model_has_a_configuration(self, client: InferenceServerClient, mount: str, version: str) -> None:
        """In Triton's words."""
        told = client.get_model_config("thirds", version)
        assert (told["name"], told["max_batch_size"]) == ("thirds", 1024)
        assert told["input"] == [{"name": "image", "data_type": "TYPE_FP32", "dims": [4, 4]}]
        assert [output["name"] for output in told["output"]] == OUTPUTS[mount]

    def test_the_index_lists_every_version(self, client: InferenceServerClient) -> None:
        """Though the client sends no body."""
        told = [entry for entry in client.get_model_repository_index() if entry["name"] == "thirds"]
        assert [(entry["version"], entry["state"]) for entry in told] == [("1", "READY"), ("2", "READY")]

    @pytest.mark.parametrize("version", ["", "1", "champion"])
    def test_statistics_count_what_was_answered(
        self, client: InferenceServerClient, tensor: InferInput, version: str
    ) -> None:
        """The rows and the requests of the process that answers."""

        def counted() -> tuple[int, int, int]:
            (told,) = client.get_inference_statistics("thirds", version)["model_stats"]
            assert (told["name"], told["version"]) == ("thirds", "1")
            return told["inference_count"], told["execution_count"], told["inference_stats"]["success"]["count"]

        client.infer("thirds", [tensor])
        before = counted()
        client.infer("thirds", [tensor])
        assert np.subtract(counted(), before).tolist() == [4, 1, 1]

    @pytest.mark.parametrize("behind", [True, False], ids=["binary in", "JSON in"])
    @pytest.mark.parametrize("outputs", [None, True, False], ids=["default out", "binary out", "JSON out"])
    def test_rows_are_answered(
        self,
        client: InferenceServerClient,
        mount: str,
        pictures: NDArray[np.float32],
        *,
        behind: bool,
        outputs: bool | None,
    ) -> None:
        """Inputs inside the JSON or behind it, and so the outputs."""
        names = OUTPUTS[mount]
        asked = None if outputs is None else [InferRequestedOutput(name, binary_data=outputs) for name in names]
        found = client.infer("thirds", [_input(pictures, binary=behind)], outputs=asked)
        assert [output["name"] for output in found.get_response()["outputs"]] == names
        assert ["data" in output for output in found.get_response()["outputs"]] == [outputs is False] * len(names)
        probabilities = found.as_numpy("probabilities")
        assert (probabilities.shape, probabilities.dtype) == ((4, 3), np.float32)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
        assert _texts(found.as_numpy("label")) == LABELS
        if mount:
            assert found.as_numpy("exit_level").tolist() == EXITS
            np.testing.assert_array_equal(found.as_numpy("confidence"), probabilities.max(axis=1))
            assert [path.count(";") for path in _texts(found.as_numpy("path"))] == EXITS

    def test_one_output_alone_may_be_binary(self, client: InferenceServerClient, tensor: InferInput) -> None:
        """Each has its own word, and what is not asked for is not sent."""
        asked = [InferRequestedOutput("label", binary_data=False), InferRequestedOutput("probabilities")]
        found = client.infer("thirds", [tensor], outputs=asked)
        assert found.get_output("label")["data"] == LABELS
        assert found.as_numpy("probabilities").argmax(axis=1).tolist() == [0, 2, 0, 2]

    @pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
    def test_the_best_classes_are_named(
        self, client: InferenceServerClient, tensor: InferInput, *, binary: bool
    ) -> None:
        """As `value:index:label`, the most probable first."""
        asked = InferRequestedOutput("probabilities", binary_data=binary, class_count=2)
        found = client.infer("thirds", [tensor], outputs=[asked]).as_numpy("probabilities")
        assert found.shape == (4, 2)
        best = [text.split(":") for text in _texts(found[:, 0])]
        assert [label for _, _, label in best] == LABELS
        assert [index for _, index, _ in best] == ["0", "2", "0", "2"]
        second = [text.split(":") for text in _texts(found[:, 1])]
        assert all(float(more) >= float(less) for (more, _, _), (less, _, _) in zip(best, second, strict=True))

    def test_a_request_id_comes_back(self, client: InferenceServerClient, tensor: InferInput) -> None:
        """The one that was given, and none when there was none."""
        assert client.infer("thirds", [tensor], request_id="ä 1").get_response()["id"] == "ä 1"
        assert "id" not in client.infer("thirds", [tensor]).get_response()

    @pytest.mark.parametrize(
        ("version", "number", "exits"),
        [("", "1", EXITS), ("1", "1", EXITS), ("champion", "1", EXITS), ("2", "2", [0] * 4)],
    )
    def test_a_version_is_asked_by_number_or_alias(
        self, client: InferenceServerClient, mount: str, tensor: InferInput, version: str, number: str, exits: list[int]
    ) -> None:
        """The answer says which it was."""
        found = client.infer("thirds", [tensor], model_version=version)
        assert found.get_response()["model_version"] == number
        assert not mount or found.as_numpy("exit_level").tolist() == exits

    def test_requests_may_run_at_once(self, address: str, mount: str, tensor: InferInput) -> None:
        """Each gets its own answer; one that is refused says so when its result is fetched."""
        with InferenceServerClient(address + mount, concurrency=2) as client:
            asked = [client.async_infer("thirds", [tensor], request_id=str(number)) for number in range(6)]
            refused = client.async_infer("nobody", [tensor])
            found = [one.get_result() for one in asked]
            with pytest.raises(InferenceServerException, match="Got: nobody"):
                refused.get_result()
        assert [one.get_response()["id"] for one in found] == [str(number) for number in range(6)]
        assert all(_texts(one.as_numpy("label")) == LABELS for one in found)

    @pytest.mark.parametrize(("sent", "taken"), list(product([None, "gzip", "deflate"], repeat=2))[1:])
    @pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
    def test_bodies_may_be_compressed(
        self,
        client: InferenceServerClient,
        pictures: NDArray[np.float32],
        sent: str | None,
        taken: str | None,
        *,
        binary: bool,
    ) -> None:
        """Requests, answers, and both."""
        found = client.infer(
            "thirds",
            [_input(np.tile(pictures, (10, 1, 1)), binary=binary)],
            outputs=[InferRequestedOutput(name, binary_data=binary) for name in ("probabilities", "label")],
            request_compression_algorithm=sent,
            response_compression_algorithm=taken,
        )
        assert found.as_numpy("probabilities").shape == (40, 3)
        assert _texts(found.as_numpy("label")) == LABELS * 10

    @pytest.mark.parametrize(
        ("model", "other", "status", "message"),
        [
            ("nobody", {}, "404", "the model is published under the alias champion. Got: nobody"),
            ("thirds", {"model_version": "9"}, "404", "the model has this version. Got: thirds 9"),
            ("thirds", {"model_version": "any"}, "404", "the model is published under the alias any. Got: thirds"),
            ("No", {}, "400", "model names are 1–64 of a-z, 0-9, '-', '_'. Got: No"),
            ("thirds", {"priority": 1}, "400", f"{NO_SUCH_PARAMETER} `priority`"),
            ("thirds", {"timeout": 1}, "400", f"{NO_SUCH_PARAMETER} `timeout`"),
            ("thirds", {"sequence_id": 1, "sequence_start": True}, "400", f"{NO_SUCH_PARAMETER} `sequence_id`"),
            ("thirds", {"parameters": {"speed": 9}}, "400", f"{NO_SUCH_PARAMETER} `speed`"),
            (
                "thirds",
                {"outputs": [InferRequestedOutput("odds")]},
                "400",
                "outputs of the model are probabilities, label",
            ),
            ("nobody", {"response_compression_algorithm": "gzip"}, "404", "Got: nobody"),
        ],
    )
    def test_a_refusal_is_the_clients_own_exception(
        self,
        client: InferenceServerClient,
        tensor: InferInput,
        model: str,
        other: dict[str, Any],
        status: str,
        message: str,
    ) -> None:
        """With our message and our status."""
        with pytest.raises(InferenceServerException) as caught:
            client.infer(model, [tensor], **other)
        assert caught.value.status() == status
        assert message in caught.value.message()

    def test_a_wrong_shape_is_refused(self, client: InferenceServerClient) -> None:
        """The message says which is right."""
        with pytest.raises(InferenceServerException) as caught:
            client.infer("thirds", [_input(np.zeros((1, 4, 5), np.float32))])
        assert (caught.value.status(), caught.value.message()) == (
            "400",
            "the shape of image is [-1, 4, 4], -1 for the rows. Got: [1, 4, 5]",
        )

    @pytest.mark.parametrize("what", ["get_model_metadata", "get_model_config", "get_inference_statistics"])
    def test_what_is_told_of_no_model_is_a_refusal(self, client: InferenceServerClient, what: str) -> None:
        """Whatever is asked of it."""
        with pytest.raises(InferenceServerException) as caught:
            getattr(client, what)("nobody")
        assert (caught.value.status(), "Got: nobody" in caught.value.message()) == ("404", True)
