"""weir.api.service, over a folder store."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image

from tests.serving import artifact, layered_manifest, make_manifest, request_body, store_version
from tests.unit.weir.pairs import ROWS, A, B, pair_logits, pair_manifest
from weir.api.inference import Inference, RequestBody
from weir.api.service import Service
from weir.catalog import keys
from weir.catalog.mounts import CASCADE, END_TO_END, MOUNTS, Mount
from weir.engine.arrays import Floats
from weir.engine.confidence import softmax
from weir.errors import BadBody, BadTensor, ModelNotFound, TooLarge, UnsupportedMedia
from weir.observability import warn_once
from weir.protocol.messages import IndexEntry
from weir.runtime.registry import Registry
from weir.settings import Settings

pytestmark = pytest.mark.usefixtures("runtime")


def _service(store: Path, mount: Mount, **variables: str) -> Service:
    settings = Settings.from_environment({"MODEL_STORE": store.as_uri(), **variables})
    return Service(Registry.from_settings(settings), mount)


def _body(pictures: Floats, **other: object) -> RequestBody:
    return RequestBody(request_body(pictures.tolist(), list(pictures.shape), **other))


def _document(answer: Inference) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(answer.body[: answer.header_length])
    return document


def _outputs(answer: Inference) -> dict[str, Any]:
    return {output["name"]: output["data"] for output in _document(answer)["outputs"]}


@pytest.mark.parametrize("mount", MOUNTS, ids=lambda mount: mount.name)
def test_an_inference_counts_its_rows_and_the_work_of_each_level(thirds: Path, pictures: Floats, mount: Mount) -> None:
    """Its rows are those of the request, however many levels ran on them."""
    answer = _service(thirds, mount).infer("thirds", "", _body(pictures))
    assert (answer.model, answer.version, answer.rows) == ("thirds", 1, 4)
    assert [use.rows for use in answer.uses] == ([4, 4, 2] if mount == CASCADE else [4])


def test_a_level_that_is_not_run_has_no_rows(thirds: Path, pictures: Floats) -> None:
    """A first level at which no row can exit is skipped; the rows of the request are counted all the same."""
    store_version(thirds, make_manifest(thresholds=(None, 0.9)))
    answer = _service(thirds, CASCADE).infer("thirds", "", _body(pictures))
    assert answer.rows == 4
    assert [use.rows for use in answer.uses] == [0, 4, 2]


def test_paths_are_computed_only_when_requested(thirds: Path, pictures: Floats) -> None:
    """A path names the levels that ran on its row, and no other."""
    service = _service(thirds, CASCADE)
    paths = _outputs(service.infer("thirds", "", _body(pictures, outputs=[{"name": "path"}])))
    assert [len(path.split("; ")) for path in paths["path"]] == [2, 3, 3, 2]
    assert set(_outputs(service.infer("thirds", "", _body(pictures, outputs=[{"name": "label"}])))) == {"label"}


def test_the_environment_names_alias_and_refresh_time(thirds: Path) -> None:
    """Empty variables, as a template leaves them, mean the defaults."""
    path = thirds / keys.alias("thirds", "challenger")
    path.write_bytes(b'{"version": 1}')
    (thirds / keys.alias("thirds", "champion")).unlink()
    service = _service(thirds, END_TO_END, MODEL_ALIAS="challenger", MODEL_REFRESH_S="5")
    assert service.metadata("thirds").versions == ("1",)
    with pytest.raises(ModelNotFound, match="champion"):
        _service(thirds, END_TO_END, MODEL_ALIAS="", MODEL_REFRESH_S="", MODELS_PRELOAD="").metadata("thirds")


def test_scaled_pixels_are_warned_of_once_whatever_protocol_they_come_by(
    thirds: Path, pictures: Floats, caplog: pytest.LogCaptureFixture
) -> None:
    """They are answered all the same; raw pixels and black pictures are no reason to warn."""
    for protocol in ("infer", "predict"):
        warn_once.cache_clear()
        caplog.clear()
        service = _service(thirds, CASCADE)
        answer = getattr(service, protocol)

        def body(rows: Floats, protocol: str = protocol) -> RequestBody:
            return _body(rows) if protocol == "infer" else RequestBody(json.dumps({"inputs": rows.tolist()}).encode())

        answer("thirds", "", body(pictures))
        answer("thirds", "", body(np.zeros_like(pictures)))
        assert not caplog.records
        assert [answer("thirds", "", body(pictures / 255)).rows for _ in range(2)] == [4, 4]
        (record,) = caplog.records
        assert (record.levelname, "model thirds" in record.message) == ("WARNING", True)


def test_nothing_is_read_until_a_request_needs_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A service starts over a store that is down; so does one that preloads, and its log has the failure."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    settings = Settings(store="s3://nowhere", store_endpoint="http://127.0.0.1:9")
    service = Service(Registry.from_settings(settings), CASCADE)
    assert not service.ready()
    assert "the store is not ready: " in caplog.text
    service.preload(["thirds"])
    assert "preloading the model thirds failed: " in caplog.text
    assert "StoreUnavailable" in caplog.text


@pytest.mark.parametrize("wrong", ["nobody", "NO NAME", "damaged"])
def test_a_model_that_cannot_be_preloaded_stops_no_other(
    thirds: Path, pictures: Floats, caplog: pytest.LogCaptureFixture, wrong: str
) -> None:
    """A typo or a damaged network is logged; the models after it are loaded and answer without the store."""
    store_version(thirds, make_manifest("damaged"))
    (thirds / keys.artifact("damaged", 1, artifact("small").digest)).write_bytes(b"damaged")
    service = _service(thirds, CASCADE)
    service.preload([wrong, "thirds"])
    (record,) = caplog.records
    assert (record.levelname, f"preloading the model {wrong} failed" in record.message) == ("ERROR", True)
    for name in ("tiny", "small", "large"):
        (thirds / keys.artifact("thirds", 1, artifact(name).digest)).unlink()
    assert service.infer("thirds", "", _body(pictures)).rows == 4


def test_not_even_an_error_outside_weirs_tree_stops_the_function(
    thirds: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A network that breaks the interpreter, say: a function that does not start answers 500 for every model."""
    monkeypatch.setattr(Registry, "model", lambda *_: (_ for _ in ()).throw(MemoryError("too large")))
    _service(thirds, CASCADE).preload(["thirds"])
    assert "preloading the model thirds failed: too large" in caplog.text


@pytest.mark.parametrize(("mount", "network"), [(END_TO_END, "large"), (CASCADE, "tiny")])
def test_a_model_is_ready_when_its_first_network_loads(thirds: Path, mount: Mount, network: str) -> None:
    """Later levels are fetched only when a row needs them, so they don't count."""
    service = _service(thirds, mount)
    for name in {"tiny", "small", "large"} - {network}:
        (thirds / keys.artifact("thirds", 1, artifact(name).digest)).unlink()
    assert service.model_ready("thirds")
    (thirds / keys.artifact("thirds", 1, artifact(network).digest)).write_bytes(b"damaged")
    assert not _service(thirds, mount).model_ready("thirds")


def test_readiness_of_an_unknown_model_is_not_found(thirds: Path) -> None:
    """A model that does not exist is a 404, not a model that is not ready."""
    with pytest.raises(ModelNotFound):
        _service(thirds, END_TO_END).model_ready("nobody")


def test_every_encoding_of_a_request_has_the_same_answer(thirds: Path, pictures: Floats) -> None:
    """JSON, JSON followed by bytes, bytes alone and TensorFlow Serving's JSON, plain and compressed."""
    service = _service(thirds, END_TO_END)
    expected = np.array(_outputs(service.infer("thirds", "", _body(pictures)))["probabilities"], np.float32)
    parameters = {"binary_data_size": pictures.nbytes}
    tensor = {"name": "image", "shape": [4, 4, 4], "datatype": "FP32", "parameters": parameters}
    request = {"inputs": [tensor], "outputs": [{"name": "probabilities", "parameters": {"binary_data": True}}]}
    head = json.dumps(request).encode()
    binary = service.infer("thirds", "", RequestBody(head + pictures.tobytes(), len(head)))
    assert binary.body[binary.header_length :] == expected.tobytes()
    raw = service.infer("thirds", "", RequestBody(gzip.compress(pictures.tobytes()), 0, "gzip"))
    assert raw.body[raw.header_length :].startswith(expected.tobytes())
    predicted = service.predict(
        "thirds", "1", RequestBody(gzip.compress(json.dumps({"inputs": pictures.tolist()}).encode()), None, "gzip")
    )
    assert np.array(json.loads(predicted.body)["outputs"], np.float32).tobytes() == expected.ravel().tobytes()
    assert (predicted.rows, predicted.header_length) == (4, None)


def test_one_answer_has_texts_and_bytes(thirds: Path, pictures: Floats) -> None:
    """Each output is encoded as requested: classes as JSON, exit levels as four bytes, labels after their lengths."""
    outputs = [
        {"name": "probabilities", "parameters": {"classification": 1, "binary_data": False}},
        {"name": "exit_level"},
        {"name": "label"},
    ]
    sent = _body(pictures, outputs=outputs, parameters={"binary_data_output": True}, id="7")
    answer = _service(thirds, CASCADE).infer("thirds", "", sent)
    document = _document(answer)
    assert document["id"] == "7"
    classes = [text.split(":")[1:] for text in document["outputs"][0]["data"]]
    assert classes == [["0", "left"], ["2", "right"], ["0", "left"], ["2", "right"]]
    behind = answer.body[answer.header_length :]
    assert np.frombuffer(behind[:16], "<i4").tolist() == [1, 2, 2, 1]
    assert behind[16:] == b"\4\0\0\0left\5\0\0\0right\4\0\0\0left\5\0\0\0right"


def test_a_picture_is_a_row(thirds: Path) -> None:
    """Its answer is that of the same pixels as a tensor; a length of JSON is ignored."""
    pixels = np.zeros((4, 4), np.uint8)
    pixels[:, 3] = 200
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    service = _service(thirds, CASCADE)
    tensor = _body(pixels[None].astype(np.float32))
    for sent in (
        RequestBody(file.getvalue(), picture="image/png"),
        RequestBody(file.getvalue(), 3, picture="image/png"),
    ):
        assert _document(service.infer("thirds", "", sent)) == _document(service.infer("thirds", "", tensor))


def test_a_model_of_several_inputs_reads_them_by_name(tmp_path: Path) -> None:
    """Both protocols name its inputs; bytes alone and pictures, which do not, are refused."""
    store_version(tmp_path, pair_manifest())
    service = _service(tmp_path, CASCADE)
    inputs = [
        {"name": "b", "shape": [3, 3], "datatype": "INT32", "data": B.tolist()},
        {"name": "a", "shape": [3, 2], "datatype": "FP32", "data": A.tolist()},
    ]
    values = _outputs(service.infer("pair", "", RequestBody(json.dumps({"inputs": inputs}).encode())))
    expected = softmax(pair_logits())
    np.testing.assert_allclose(np.reshape(values["probabilities"], (3, 3)), expected, rtol=1e-5)
    predicted = _service(tmp_path, END_TO_END).predict(
        "pair", "", RequestBody(json.dumps({"inputs": {"a": A.tolist(), "b": B.tolist()}}).encode())
    )
    np.testing.assert_allclose(json.loads(predicted.body)["outputs"], expected, rtol=1e-5)
    with pytest.raises(BadBody, match="models of one tensor of numbers"):
        service.infer("pair", "", RequestBody(ROWS.tobytes(), 0))
    with pytest.raises(UnsupportedMedia, match="one input is a picture"):
        service.infer("pair", "", RequestBody(b"", picture="image/png"))


def test_sets_are_those_of_the_alpha(tmp_path: Path, pictures: Floats) -> None:
    """A version that promises sets returns them to requests that name an alpha, and to no other."""
    store_version(tmp_path, layered_manifest())
    service = _service(tmp_path, CASCADE)
    values = _outputs(service.infer("layers", "", _body(pictures, parameters={"alpha": 0.1})))
    probabilities = np.reshape(values["probabilities"], (4, 3))
    best = np.eye(3, dtype=bool)[probabilities.argmax(axis=1)]
    assert np.reshape(values["set"], (4, 3)).tolist() == ((probabilities >= 0.3) | best).tolist()
    assert "set" not in _outputs(service.infer("layers", "", _body(pictures)))
    with pytest.raises(BadBody, match="alpha is one of"):
        service.infer("layers", "", _body(pictures, parameters={"alpha": 0.2}))


def test_a_row_that_overflows_is_refused(thirds: Path) -> None:
    """An answer never holds NaN, which JSON can't express, and the error names the row."""
    plain = make_manifest()
    store_version(
        thirds, msgspec.structs.replace(plain, end_to_end=msgspec.structs.replace(plain.end_to_end, temperature=1e-3))
    )
    rows = np.zeros((2, 4, 4), np.float32)
    rows[1] = np.finfo(np.float32).max
    with pytest.raises(BadTensor, match=r"for the network's own numbers to stay finite\. Got: row 1"):
        _service(thirds, END_TO_END).infer("thirds", "", _body(rows))


def test_no_body_is_larger_than_the_most_rows_need(thirds: Path) -> None:
    """Decompression bombs and endless lists are refused before they are decoded."""
    service = _service(thirds, END_TO_END)
    for answer in (service.infer, service.predict):
        with pytest.raises(TooLarge, match="when it is decompressed"):
            answer("thirds", "", RequestBody(gzip.compress(b" " * 20_000_000, 1), None, "gzip"))
        with pytest.raises(TooLarge, match="a request has at most 1024 rows of this model, 16384 values"):
            answer("thirds", "", RequestBody(b"," * 100_000))


def test_answers_and_refusals_are_counted(thirds: Path, pictures: Floats) -> None:
    """They are counted by version, under whichever name it is requested; an unknown model has no counts."""
    service = _service(thirds, CASCADE)
    for version in ("", "1", "champion"):
        service.infer("thirds", version, _body(pictures))
    service.predict("thirds", "", RequestBody(json.dumps({"instances": pictures[:1].tolist()}).encode()))
    with pytest.raises(BadBody):
        service.infer("thirds", "", RequestBody(b""))
    with pytest.raises(ModelNotFound):
        service.infer("nobody", "", RequestBody(b""))
    (counts,) = service.statistics("thirds").model_stats
    assert (counts.name, counts.version, counts.inference_count, counts.execution_count) == ("thirds", "1", 13, 4)
    durations = counts.inference_stats
    assert (durations.success.count, durations.fail.count, durations.compute_infer.count) == (4, 1, 4)
    assert 0 < durations.compute_infer.ns < durations.success.ns
    with pytest.raises(ModelNotFound):
        service.statistics("nobody")


def test_the_index_lists_every_published_version(thirds: Path) -> None:
    """The request may be empty or the protocol's, plain or compressed; any other is refused."""
    store_version(thirds, make_manifest(), 2)
    store_version(thirds, layered_manifest())
    service = _service(thirds, END_TO_END)
    expected = [
        IndexEntry(name=name, version=version) for name, version in (("layers", "1"), ("thirds", "1"), ("thirds", "2"))
    ]
    for sent in (RequestBody(b""), RequestBody(b'{"ready": true}'), RequestBody(gzip.compress(b"{}"), None, "gzip")):
        assert service.index(sent) == expected
    with pytest.raises(BadBody, match="the body is empty"):
        service.index(RequestBody(b"[]"))
    for body in (RequestBody(b" " * 2_000_000), RequestBody(gzip.compress(b" " * 2_000_000), None, "gzip")):
        with pytest.raises(TooLarge):
            service.index(body)


@pytest.mark.parametrize("mount", MOUNTS, ids=lambda mount: mount.name)
def test_a_model_is_described_as_its_mount_serves_it(thirds: Path, mount: Mount) -> None:
    """Metadata and configuration name the same inputs and outputs."""
    service = _service(thirds, mount)
    metadata, config = service.metadata("thirds", "1"), service.config("thirds")
    assert [tensor.name for tensor in metadata.inputs] == [tensor.name for tensor in config.input] == ["image"]
    assert [tensor.name for tensor in metadata.outputs] == [tensor.name for tensor in config.output]
    assert ("path" in [tensor.name for tensor in metadata.outputs]) == (mount == CASCADE)


def test_no_header_lifts_the_limit_of_commas(thirds: Path) -> None:
    """A list of millions of values is refused before it is decoded, with any headers."""
    body = b'{"instances": [' + b"0," * 200_000 + b"0]}"
    service = _service(thirds, END_TO_END)
    for sent in (RequestBody(body), RequestBody(body, header_length=1), RequestBody(body, picture="image/png")):
        with pytest.raises(TooLarge, match="commas"):
            service.predict("thirds", "", sent)
    with pytest.raises(TooLarge, match="commas"):
        service.infer("thirds", "", RequestBody(body))
