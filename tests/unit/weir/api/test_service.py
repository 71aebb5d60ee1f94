"""weir.api.service, over a folder store."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.serving import artifact, layered_manifest, make_manifest, request_body, store_version
from tests.unit.weir.pairs import ROWS, A, B, pair_logits, pair_manifest
from weir.api.inference import Call, Inference
from weir.api.service import Service
from weir.catalog import keys
from weir.engine.confidence import softmax
from weir.errors import BadBody, BadInput, BadTensor, ModelNotFound, StoreUnavailable, TooLarge, UnsupportedMedia
from weir.protocol.messages import IndexEntry

Floats = NDArray[np.float32]

pytestmark = pytest.mark.usefixtures("runtime")


def _service(store: Path, *, cascade: bool, **variables: str) -> Service:
    return Service.from_environment({"MODEL_STORE": store.as_uri(), **variables}, cascade=cascade)


def _asked(pictures: Floats, **other: object) -> Call:
    return Call(request_body(pictures.tolist(), list(pictures.shape), **other))


def _document(answer: Inference) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(answer.body[: answer.header_length])
    return document


def _outputs(answer: Inference) -> dict[str, Any]:
    return {output["name"]: output["data"] for output in _document(answer)["outputs"]}


@pytest.mark.parametrize("cascade", [False, True])
def test_an_inference_tells_its_rows_and_what_each_level_did(thirds: Path, pictures: Floats, cascade: bool) -> None:
    """Rows are those of the request, however many levels saw them."""
    answer = _service(thirds, cascade=cascade).infer("thirds", "", _asked(pictures))
    assert (answer.model, answer.version, answer.rows) == ("thirds", 1, 4)
    assert [use.rows for use in answer.uses] == ([4, 4, 2] if cascade else [4])


def test_a_level_that_is_not_run_has_no_rows(thirds: Path, pictures: Floats) -> None:
    """A first level that can never exit is skipped; the rows of the request are counted all the same."""
    store_version(thirds, make_manifest(thresholds=(None, 0.9)))
    answer = _service(thirds, cascade=True).infer("thirds", "", _asked(pictures))
    assert answer.rows == 4
    assert [use.rows for use in answer.uses] == [0, 4, 2]


def test_paths_are_told_only_when_asked_for(thirds: Path, pictures: Floats) -> None:
    """A level that no row needs has no part in a path."""
    service = _service(thirds, cascade=True)
    paths = _outputs(service.infer("thirds", "", _asked(pictures, outputs=[{"name": "path"}])))
    assert [len(path.split("; ")) for path in paths["path"]] == [2, 3, 3, 2]
    assert set(_outputs(service.infer("thirds", "", _asked(pictures, outputs=[{"name": "label"}])))) == {"label"}


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


def test_an_alias_that_is_not_there_is_not_found(thirds: Path) -> None:
    """Nobody is told that a model is not ready which does not exist."""
    with pytest.raises(ModelNotFound):
        _service(thirds, cascade=False).model_ready("nobody")


def test_a_request_is_answered_however_it_is_written(thirds: Path, pictures: Floats) -> None:
    """JSON, bytes behind JSON, bytes alone and TensorFlow Serving's, each plain and compressed."""
    service = _service(thirds, cascade=False)
    expected = np.array(_outputs(service.infer("thirds", "", _asked(pictures)))["probabilities"], np.float32)
    parameters = {"binary_data_size": pictures.nbytes}
    tensor = {"name": "image", "shape": [4, 4, 4], "datatype": "FP32", "parameters": parameters}
    asked = {"inputs": [tensor], "outputs": [{"name": "probabilities", "parameters": {"binary_data": True}}]}
    head = json.dumps(asked).encode()
    binary = service.infer("thirds", "", Call(head + pictures.tobytes(), len(head)))
    assert binary.body[binary.header_length :] == expected.tobytes()
    raw = service.infer("thirds", "", Call(gzip.compress(pictures.tobytes()), 0, "gzip"))
    assert raw.body[raw.header_length :].startswith(expected.tobytes())
    predicted = service.predict(
        "thirds", "1", Call(gzip.compress(json.dumps({"inputs": pictures.tolist()}).encode()), None, "gzip")
    )
    assert np.array(json.loads(predicted.body)["outputs"], np.float32).tobytes() == expected.ravel().tobytes()
    assert (predicted.rows, predicted.header_length) == (4, None)


def test_one_answer_has_texts_and_bytes(thirds: Path, pictures: Floats) -> None:
    """Each output as it was asked for: classes, the exit level as four bytes, the labels' lengths before them."""
    outputs = [
        {"name": "probabilities", "parameters": {"classification": 1, "binary_data": False}},
        {"name": "exit_level"},
        {"name": "label"},
    ]
    call = _asked(pictures, outputs=outputs, parameters={"binary_data_output": True}, id="7")
    answer = _service(thirds, cascade=True).infer("thirds", "", call)
    document = _document(answer)
    assert document["id"] == "7"
    classes = [text.split(":")[1:] for text in document["outputs"][0]["data"]]
    assert classes == [["0", "left"], ["2", "right"], ["0", "left"], ["2", "right"]]
    behind = answer.body[answer.header_length :]
    assert np.frombuffer(behind[:16], "<i4").tolist() == [1, 2, 2, 1]
    assert behind[16:] == b"\4\0\0\0left\5\0\0\0right\4\0\0\0left\5\0\0\0right"


def test_a_picture_is_a_row(thirds: Path) -> None:
    """Its answer is that of the same pixels as a tensor; the header's length has no part in it."""
    pixels = np.zeros((4, 4), np.uint8)
    pixels[:, 3] = 200
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    service = _service(thirds, cascade=True)
    tensor = _asked(pixels[None].astype(np.float32))
    for call in (Call(file.getvalue(), picture="image/png"), Call(file.getvalue(), 3, picture="image/png")):
        assert _document(service.infer("thirds", "", call)) == _document(service.infer("thirds", "", tensor))


def test_a_model_of_several_inputs_is_asked_by_name(tmp_path: Path) -> None:
    """Either way of asking; bytes alone and pictures are not for it."""
    store_version(tmp_path, pair_manifest())
    service = _service(tmp_path, cascade=True)
    inputs = [
        {"name": "b", "shape": [3, 3], "datatype": "INT32", "data": B.tolist()},
        {"name": "a", "shape": [3, 2], "datatype": "FP32", "data": A.tolist()},
    ]
    asked = _outputs(service.infer("pair", "", Call(json.dumps({"inputs": inputs}).encode())))
    expected = softmax(pair_logits())
    np.testing.assert_allclose(np.reshape(asked["probabilities"], (3, 3)), expected, rtol=1e-5)
    predicted = service.predict("pair", "", Call(json.dumps({"inputs": {"a": A.tolist(), "b": B.tolist()}}).encode()))
    np.testing.assert_allclose(json.loads(predicted.body)["outputs"], expected, rtol=1e-5)
    with pytest.raises(BadBody, match="models of one input"):
        service.infer("pair", "", Call(ROWS.tobytes(), 0))
    with pytest.raises(UnsupportedMedia, match="one input is a picture"):
        service.infer("pair", "", Call(b"", picture="image/png"))


def test_sets_are_those_of_the_alpha(tmp_path: Path, pictures: Floats) -> None:
    """A version that promises sets tells them to those who name an alpha."""
    store_version(tmp_path, layered_manifest())
    service = _service(tmp_path, cascade=True)
    told = _outputs(service.infer("layers", "", _asked(pictures, parameters={"alpha": 0.1})))
    probabilities = np.reshape(told["probabilities"], (4, 3))
    best = np.eye(3, dtype=bool)[probabilities.argmax(axis=1)]
    assert np.reshape(told["set"], (4, 3)).tolist() == ((probabilities >= 0.3) | best).tolist()
    assert "set" not in _outputs(service.infer("layers", "", _asked(pictures)))
    with pytest.raises(BadBody, match="alpha is one of"):
        service.infer("layers", "", _asked(pictures, parameters={"alpha": 0.2}))


def test_a_row_that_overflows_is_refused(thirds: Path) -> None:
    """An answer never holds what JSON can't say, and the error names the row."""
    plain = make_manifest()
    store_version(
        thirds, msgspec.structs.replace(plain, end_to_end=msgspec.structs.replace(plain.end_to_end, temperature=1e-3))
    )
    rows = np.zeros((2, 4, 4), np.float32)
    rows[1] = np.finfo(np.float32).max
    with pytest.raises(BadTensor, match=r"for the network's own numbers to stay finite\. Got: row 1"):
        _service(thirds, cascade=False).infer("thirds", "", _asked(rows))


def test_no_body_has_more_than_the_most_rows_need(thirds: Path) -> None:
    """Bombs and endless lists are refused before anything is made of them."""
    service = _service(thirds, cascade=False)
    for ask in (service.infer, service.predict):
        with pytest.raises(TooLarge, match="when it is decompressed"):
            ask("thirds", "", Call(gzip.compress(b" " * 1_000_000, 1), None, "gzip"))
        with pytest.raises(TooLarge, match="a request has at most 1024 rows of this model, 16384 values"):
            ask("thirds", "", Call(b"," * 100_000))


def test_what_was_done_is_counted(thirds: Path, pictures: Floats) -> None:
    """Rows, answers and refusals of a version, by whichever name it was asked; a model that is not there has none."""
    service = _service(thirds, cascade=True)
    for version in ("", "1", "champion"):
        service.infer("thirds", version, _asked(pictures))
    service.predict("thirds", "", Call(json.dumps({"instances": pictures[:1].tolist()}).encode()))
    with pytest.raises(BadBody):
        service.infer("thirds", "", Call(b""))
    with pytest.raises(ModelNotFound):
        service.infer("nobody", "", Call(b""))
    (told,) = service.statistics("thirds").model_stats
    assert (told.name, told.version, told.inference_count, told.execution_count) == ("thirds", "1", 13, 4)
    durations = told.inference_stats
    assert (durations.success.count, durations.fail.count, durations.compute_infer.count) == (4, 1, 4)
    assert 0 < durations.compute_infer.ns < durations.success.ns
    with pytest.raises(ModelNotFound):
        service.statistics("nobody")


def test_the_index_lists_what_was_published(thirds: Path) -> None:
    """Every version of every model, the empty request and the protocol's."""
    store_version(thirds, make_manifest(), 2)
    store_version(thirds, layered_manifest())
    service = _service(thirds, cascade=False)
    expected = [
        IndexEntry(name=name, version=version) for name, version in (("layers", "1"), ("thirds", "1"), ("thirds", "2"))
    ]
    for call in (Call(b""), Call(b'{"ready": true}'), Call(gzip.compress(b"{}"), None, "gzip")):
        assert service.index(call) == expected
    with pytest.raises(BadBody, match="the body is empty"):
        service.index(Call(b"[]"))
    with pytest.raises(TooLarge):
        service.index(Call(gzip.compress(b" " * 100_000), None, "gzip"))


@pytest.mark.parametrize("cascade", [False, True])
def test_a_model_is_described_as_its_mount_serves_it(thirds: Path, cascade: bool) -> None:
    """Metadata and configuration name the same inputs and outputs."""
    service = _service(thirds, cascade=cascade)
    metadata, config = service.metadata("thirds", "1"), service.config("thirds")
    assert [tensor.name for tensor in metadata.inputs] == [tensor.name for tensor in config.input] == ["image"]
    assert [tensor.name for tensor in metadata.outputs] == [tensor.name for tensor in config.output]
    assert ("path" in [tensor.name for tensor in metadata.outputs]) == cascade


def test_no_header_lifts_the_limit_of_commas(thirds: Path) -> None:
    """A list of millions is refused before it is made, whatever else the request says."""
    body = b'{"instances": [' + b"0," * 200_000 + b"0]}"
    service = _service(thirds, cascade=False)
    for call in (Call(body), Call(body, header_length=1), Call(body, picture="image/png")):
        with pytest.raises(TooLarge, match="commas"):
            service.predict("thirds", "", call)
    with pytest.raises(TooLarge, match="commas"):
        service.infer("thirds", "", Call(body))
