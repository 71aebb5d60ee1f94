"""weir.api.inference: outputs that are not computed, and bodies that are refused before they cost memory."""

import gzip
from pathlib import Path

import pytest

from tests.serving import layered_manifest, request_body, store_version
from weir.api.inference import RequestBody, ServedModel
from weir.api.outputs import OutputContext
from weir.catalog.mounts import CASCADE
from weir.catalog.store import Store
from weir.engine.arrays import Floats
from weir.engine.predictions import Predictions
from weir.errors import BadBody, TooLarge
from weir.protocol.responses import Values
from weir.runtime.model import LevelUse, Predictor
from weir.runtime.registry import Registry


@pytest.fixture
def target(tmp_path: Path, runtime: str) -> ServedModel:
    """The levels of a model with a router, an expert and a pool."""
    store_version(tmp_path, layered_manifest())
    number, model = Registry(Store(tmp_path.as_uri())).model("layers")
    return ServedModel("layers", number, model, CASCADE)


@pytest.mark.parametrize(
    ("outputs", "parameters", "trace", "full"),
    [
        (["label"], {}, False, False),
        (["confidence", "exit_level", "group"], {}, False, False),
        (["path"], {}, True, False),
        (["probabilities"], {}, False, True),
        (["set"], {"alpha": 0.1}, False, True),
        ([], {}, True, True),
    ],
)
def test_the_engine_computes_no_more_than_the_outputs_need(
    target: ServedModel,
    pictures: Floats,
    monkeypatch: pytest.MonkeyPatch,
    outputs: list[str],
    parameters: dict[str, float],
    trace: bool,
    full: bool,
) -> None:
    """No trace without a path, no full posterior without probabilities or sets."""
    arguments: list[dict[str, object]] = []
    answer = Predictor.answer

    def watched(predictor: Predictor, rows: Floats, *, trace: bool, full: bool) -> tuple[Predictions, list[LevelUse]]:
        arguments.append({"levels": len(predictor.definition.levels), "trace": trace, "full": full})
        return answer(predictor, rows, trace=trace, full=full)

    monkeypatch.setattr(Predictor, "answer", watched)
    names = [{"name": name} for name in outputs]
    target.infer(RequestBody(request_body(pictures.tolist(), [4, 4, 4], outputs=names, parameters=parameters)))
    assert arguments == [{"levels": 3, "trace": trace, "full": full}]


def test_an_output_that_is_not_requested_is_not_computed(
    target: ServedModel, pictures: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the values of the requested outputs are computed."""
    computed: list[str] = []
    values = OutputContext.values

    def watched(self: OutputContext, output: str) -> Values:
        computed.append(output)
        return values(self, output)

    monkeypatch.setattr(OutputContext, "values", watched)
    target.infer(RequestBody(request_body(pictures.tolist(), [4, 4, 4], outputs=[{"name": "label"}])))
    assert computed == ["label"]


@pytest.mark.parametrize("picture", ["image/png", ""])
@pytest.mark.parametrize("encoding", ["gzip", ""])
def test_a_body_has_a_limit(target: ServedModel, picture: str, encoding: str) -> None:
    """It is the same for one that is compressed and one that is not."""
    content = bytes(20_000_000)
    body = gzip.compress(content, 1) if encoding else content
    with pytest.raises(TooLarge, match="at most 16777216 bytes"):
        target.infer(RequestBody(body, encoding=encoding, picture=picture))


def test_the_limit_grows_with_the_rows_of_a_model(target: ServedModel) -> None:
    """That of large rows is the text of 1,024 of them."""
    target.model.reader.__dict__["max_row_bytes"] = 20_000
    with pytest.raises(TooLarge, match=f"at most {1024 * 20_000 + 65_536} bytes"):
        target.infer(RequestBody(bytes(21_000_000)))


def test_no_body_is_longer_than_a_function_can_bear(target: ServedModel) -> None:
    """The limit holds for models of any row size."""
    target.model.reader.__dict__["max_row_bytes"] = 10**9
    with pytest.raises(TooLarge, match="at most 67108864 bytes"):
        target.infer(RequestBody(gzip.compress(bytes(70_000_000), 1), encoding="gzip"))


@pytest.mark.parametrize(
    "text", ['"id": null', '"outputs": null', '"parameters": null', '"parameters": {"headers": null}']
)
def test_null_is_as_good_as_absent(target: ServedModel, pictures: Floats, text: str) -> None:
    """Some clients write null for each field that they leave out, MLServer's among them."""
    body = request_body(pictures.tolist(), [4, 4, 4])
    same = target.infer(RequestBody(body))
    assert target.infer(RequestBody(body[:-1] + b", " + text.encode() + b"}")).body == same.body


@pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"])
def test_a_picture_without_its_media_type_is_refused_with_advice(target: ServedModel, start: bytes) -> None:
    """The error names the header that is easily forgotten with curl."""
    with pytest.raises(BadBody, match="sent with Content-Type: image/png or image/jpeg"):
        target.infer(RequestBody(start + bytes(100)))
