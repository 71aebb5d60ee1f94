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
CANNOT = "with parameters as /openapi.json describes them. Got: "


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A system over a folder with two versions of `thirds`, the first one its champion: host and port."""
    store = tmp_path_factory.mktemp("triton") / "store"
    store_version(store, NEVER_ESCALATE, 2)
    store_version(store, make_manifest())
    with System(store=store.as_uri()) as system:
        yield system.url.removeprefix("http://")


def _input(rows: NDArray[np.float32], *, binary: bool = True) -> InferInput:
    tensor = InferInput("image", list(rows.shape), "FP32")
    tensor.set_data_from_numpy(rows, binary_data=binary)
    return tensor


def _texts(values: NDArray[Any]) -> list[str]:
    """Read an output of BYTES: bytes when it followed the JSON, else texts."""
    return [value.decode() if isinstance(value, bytes) else value for value in values.ravel()]


class TestTriton:
    """All that the client can send, to both mounts of the server at the fixture `address`."""

    @pytest.fixture(params=list(OUTPUTS), ids=["end-to-end", "cascade"])
    def mount(self, request: pytest.FixtureRequest) -> str:
        """The base path in the client's URL."""
        return str(request.param)

    @pytest.fixture
    def client(self, address: str, mount: str) -> Iterator[InferenceServerClient]:
        """The client."""
        with InferenceServerClient(address + mount) as client:
            yield client

    @pytest.fixture
    def tensor(self, pictures: NDArray[np.float32]) -> InferInput:
        """The four rows as the client takes them, behind the JSON."""
        return _input(pictures)

    def test_server_and_model_are_ready(self, client: InferenceServerClient) -> None:
        """A published model is ready by name, by number and by alias, and an unpublished one is not."""
        assert client.is_server_live()
        assert client.is_server_ready()
        assert [client.is_model_ready("thirds", version) for version in ("", "2", "champion")] == [True] * 3
        assert [client.is_model_ready("thirds", version) for version in ("9", "nobody")] == [False] * 2
        assert not client.is_model_ready("nobody")

    def test_the_server_has_metadata(self, client: InferenceServerClient) -> None:
        """They have its name, and the extensions that the client uses."""
        metadata = client.get_server_metadata()
        assert metadata["name"] == "weir"
        assert {"binary_tensor_data", "classification", "statistics"} < set(metadata["extensions"])

    @pytest.mark.parametrize(("version", "numbers"), [("", ["1", "2"]), ("2", ["2"]), ("champion", ["1"])])
    def test_a_model_has_metadata(
        self, client: InferenceServerClient, mount: str, version: str, numbers: list[str]
    ) -> None:
        """They have the inputs and outputs of the mount, and the versions that are served."""
        metadata = client.get_model_metadata("thirds", version)
        assert (metadata["name"], metadata["versions"]) == ("thirds", numbers)
        assert metadata["inputs"] == [{"name": "image", "datatype": "FP32", "shape": [-1, 4, 4]}]
        assert [output["name"] for output in metadata["outputs"]] == OUTPUTS[mount]

    @pytest.mark.parametrize("version", ["", "2"])
    def test_a_model_has_a_configuration(self, client: InferenceServerClient, mount: str, version: str) -> None:
        """It is one of Triton's model configurations."""
        config = client.get_model_config("thirds", version)
        assert (config["name"], config["max_batch_size"]) == ("thirds", 1024)
        assert config["input"] == [{"name": "image", "data_type": "TYPE_FP32", "dims": [4, 4]}]
        assert [output["name"] for output in config["output"]] == OUTPUTS[mount]

    def test_the_index_lists_every_version(self, client: InferenceServerClient) -> None:
        """The client sends no body for it."""
        entries = [entry for entry in client.get_model_repository_index() if entry["name"] == "thirds"]
        assert [(entry["version"], entry["state"]) for entry in entries] == [("1", "READY"), ("2", "READY")]

    @pytest.mark.parametrize("version", ["", "1", "champion"])
    def test_statistics_count_answers(self, client: InferenceServerClient, tensor: InferInput, version: str) -> None:
        """They are the rows and requests of the answering process."""

        def counted() -> tuple[int, int, int]:
            (counts,) = client.get_inference_statistics("thirds", version)["model_stats"]
            assert (counts["name"], counts["version"]) == ("thirds", "1")
            return counts["inference_count"], counts["execution_count"], counts["inference_stats"]["success"]["count"]

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
        """Inputs are inside the JSON or follow it, and so are outputs."""
        names = OUTPUTS[mount]
        requested = None if outputs is None else [InferRequestedOutput(name, binary_data=outputs) for name in names]
        result = client.infer("thirds", [_input(pictures, binary=behind)], outputs=requested)
        assert [output["name"] for output in result.get_response()["outputs"]] == names
        assert ["data" in output for output in result.get_response()["outputs"]] == [outputs is False] * len(names)
        probabilities = result.as_numpy("probabilities")
        assert (probabilities.shape, probabilities.dtype) == ((4, 3), np.float32)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
        assert _texts(result.as_numpy("label")) == LABELS
        if mount:
            assert result.as_numpy("exit_level").tolist() == EXITS
            np.testing.assert_array_equal(result.as_numpy("confidence"), probabilities.max(axis=1))
            assert [path.count(";") for path in _texts(result.as_numpy("path"))] == EXITS

    def test_one_output_alone_may_be_binary(self, client: InferenceServerClient, tensor: InferInput) -> None:
        """Each output has its own parameter, and an output that is not requested is not sent."""
        requested = [InferRequestedOutput("label", binary_data=False), InferRequestedOutput("probabilities")]
        result = client.infer("thirds", [tensor], outputs=requested)
        assert result.get_output("label")["data"] == LABELS
        assert result.as_numpy("probabilities").argmax(axis=1).tolist() == [0, 2, 0, 2]

    @pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
    def test_the_best_classes_are_named(
        self, client: InferenceServerClient, tensor: InferInput, *, binary: bool
    ) -> None:
        """They are `value:index:label`, the most probable first."""
        requested = InferRequestedOutput("probabilities", binary_data=binary, class_count=2)
        result = client.infer("thirds", [tensor], outputs=[requested]).as_numpy("probabilities")
        assert result.shape == (4, 2)
        best = [text.split(":") for text in _texts(result[:, 0])]
        assert [label for _, _, label in best] == LABELS
        assert [index for _, index, _ in best] == ["0", "2", "0", "2"]
        second = [text.split(":") for text in _texts(result[:, 1])]
        assert all(float(more) >= float(less) for (more, _, _), (less, _, _) in zip(best, second, strict=True))

    def test_a_request_id_comes_back(self, client: InferenceServerClient, tensor: InferInput) -> None:
        """It is the request's own, or none."""
        assert client.infer("thirds", [tensor], request_id="ä 1").get_response()["id"] == "ä 1"
        assert "id" not in client.infer("thirds", [tensor]).get_response()

    @pytest.mark.parametrize(
        ("version", "number", "exits"),
        [("", "1", EXITS), ("1", "1", EXITS), ("champion", "1", EXITS), ("2", "2", [0] * 4)],
    )
    def test_a_version_is_requested_by_number_or_alias(
        self, client: InferenceServerClient, mount: str, tensor: InferInput, version: str, number: str, exits: list[int]
    ) -> None:
        """The answer has the number of the version."""
        result = client.infer("thirds", [tensor], model_version=version)
        assert result.get_response()["model_version"] == number
        assert not mount or result.as_numpy("exit_level").tolist() == exits

    def test_requests_may_be_concurrent(self, address: str, mount: str, tensor: InferInput) -> None:
        """Each gets its own answer; the error of a refused one is raised when its result is fetched."""
        with InferenceServerClient(address + mount, concurrency=2) as client:
            pending = [client.async_infer("thirds", [tensor], request_id=str(number)) for number in range(6)]
            refused = client.async_infer("nobody", [tensor])
            results = [one.get_result() for one in pending]
            with pytest.raises(InferenceServerException, match="Got: nobody"):
                refused.get_result()
        assert [one.get_response()["id"] for one in results] == [str(number) for number in range(6)]
        assert all(_texts(one.as_numpy("label")) == LABELS for one in results)

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
        """Requests, answers or both are compressed, with either algorithm."""
        result = client.infer(
            "thirds",
            [_input(np.tile(pictures, (10, 1, 1)), binary=binary)],
            outputs=[InferRequestedOutput(name, binary_data=binary) for name in ("probabilities", "label")],
            request_compression_algorithm=sent,
            response_compression_algorithm=taken,
        )
        assert result.as_numpy("probabilities").shape == (40, 3)
        assert _texts(result.as_numpy("label")) == LABELS * 10

    @pytest.mark.parametrize(
        ("model", "other", "status", "message"),
        [
            ("nobody", {}, "404", "the model is published under the alias champion. Got: nobody"),
            ("thirds", {"model_version": "9"}, "404", "the model has this version. Got: thirds 9"),
            ("thirds", {"model_version": "any"}, "404", "the model is published under the alias any. Got: thirds"),
            ("No", {}, "404", "under the alias champion; model names are 1–64 of a-z, 0-9, '-', '_'. Got: No"),
            ("thirds", {"model_version": "0"}, "404", "from 1 to 999999999. Got: thirds 0"),
            ("thirds", {"priority": 1}, "400", f"{CANNOT}Invalid enum value 1 - at `$.parameters.priority`"),
            ("thirds", {"timeout": 1}, "400", f"{CANNOT}Invalid enum value 1 - at `$.parameters.timeout`"),
            ("thirds", {"sequence_id": 1, "sequence_start": True}, "400", "at `$.parameters.sequence_id`"),
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
        """It has the message and the status of the answer."""
        with pytest.raises(InferenceServerException) as caught:
            client.infer(model, [tensor], **other)
        assert caught.value.status() == status
        assert message in caught.value.message()

    def test_parameters_that_are_not_known_are_ignored(self, client: InferenceServerClient, tensor: InferInput) -> None:
        """Callers may tag their requests."""
        assert _texts(client.infer("thirds", [tensor], parameters={"tag": "a", "speed": 9}).as_numpy("label")) == LABELS

    def test_a_wrong_shape_is_refused(self, client: InferenceServerClient) -> None:
        """The message has the shape of the input."""
        with pytest.raises(InferenceServerException) as caught:
            client.infer("thirds", [_input(np.zeros((1, 4, 5), np.float32))])
        assert (caught.value.status(), caught.value.message()) == (
            "400",
            "the shape of image is [-1, 4, 4], -1 for the rows. Got: [1, 4, 5]",
        )

    @pytest.mark.parametrize("what", ["get_model_metadata", "get_model_config", "get_inference_statistics"])
    def test_an_unknown_model_has_no_description(self, client: InferenceServerClient, what: str) -> None:
        """Each request for it is refused with a 404."""
        with pytest.raises(InferenceServerException) as caught:
            getattr(client, what)("nobody")
        assert (caught.value.status(), "Got: nobody" in caught.value.message()) == ("404", True)
