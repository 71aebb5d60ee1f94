"""weir.api.inference: what is not computed, and what is refused before it costs memory."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.serving import layered_manifest, request_body, store_version
from weir.api.inference import Call, Target
from weir.api.outputs import OutputContext
from weir.catalog.store import Store
from weir.engine.cascade import Predictions
from weir.errors import BadBody, TooLarge
from weir.protocol.responses import Values
from weir.runtime.model import LevelUse, Model
from weir.runtime.registry import Registry

Floats = NDArray[np.float32]


@pytest.fixture
def target(tmp_path: Path, runtime: str) -> Target:
    """The levels of a model with a router, an expert and a pool."""
    store_version(tmp_path, layered_manifest())
    number, model = Registry(Store(tmp_path.as_uri())).model("layers")
    return Target("layers", number, model, cascade=True)


@pytest.mark.parametrize(
    ("outputs", "parameters", "traced", "whole"),
    [
        (["label"], {}, False, False),
        (["confidence", "exit_level", "group"], {}, False, False),
        (["path"], {}, True, False),
        (["probabilities"], {}, False, True),
        (["set"], {"alpha": 0.1}, False, True),
        ([], {}, True, True),
    ],
)
def test_the_engine_is_asked_for_no_more_than_the_outputs_need(
    target: Target,
    pictures: Floats,
    monkeypatch: pytest.MonkeyPatch,
    outputs: list[str],
    parameters: dict[str, float],
    traced: bool,
    whole: bool,
) -> None:
    """No trace without a path, no whole posterior without probabilities or sets."""
    asked: list[dict[str, object]] = []
    answer = Model.answer

    def watched(
        model: Model, rows: Floats, *, cascade: bool, traced: bool, whole: bool
    ) -> tuple[Predictions, list[LevelUse]]:
        asked.append({"cascade": cascade, "traced": traced, "whole": whole})
        return answer(model, rows, cascade=cascade, traced=traced, whole=whole)

    monkeypatch.setattr(Model, "answer", watched)
    names = [{"name": name} for name in outputs]
    target.infer(Call(request_body(pictures.tolist(), [4, 4, 4], outputs=names, parameters=parameters)))
    assert asked == [{"cascade": True, "traced": traced, "whole": whole}]


def test_an_output_that_is_not_asked_for_is_not_told(
    target: Target, pictures: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its values are never made."""
    told: list[str] = []
    values = OutputContext.values

    def watched(self: OutputContext, output: str) -> Values:
        told.append(output)
        return values(self, output)

    monkeypatch.setattr(OutputContext, "values", watched)
    target.infer(Call(request_body(pictures.tolist(), [4, 4, 4], outputs=[{"name": "label"}])))
    assert told == ["label"]


@pytest.mark.parametrize(("picture", "limit"), [("image/png", "4500000"), ("", "589824")])
def test_a_compressed_body_has_a_limit(target: Target, picture: str, limit: str) -> None:
    """A picture that of the gateway, rows that of their text."""
    bomb = Call(gzip.compress(bytes(20_000_000), 1), encoding="gzip", picture=picture)
    with pytest.raises(TooLarge, match=f"at most {limit} bytes"):
        target.infer(bomb)


def test_no_body_is_longer_than_a_function_can_bear(target: Target) -> None:
    """However large a row is."""
    target.model.__dict__["row_values"] = 10**9
    with pytest.raises(TooLarge, match="at most 67108864 bytes"):
        target.infer(Call(gzip.compress(bytes(70_000_000), 1), encoding="gzip"))


@pytest.mark.parametrize(
    "text", ['"id": null', '"outputs": null', '"parameters": null', '"parameters": {"headers": null}']
)
def test_null_is_as_good_as_absent(target: Target, pictures: Floats, text: str) -> None:
    """Some libraries write all they leave out, MLServer's among them."""
    body = request_body(pictures.tolist(), [4, 4, 4])
    same = target.infer(Call(body))
    assert target.infer(Call(body[:-1] + b", " + text.encode() + b"}")).body == same.body


@pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"])
def test_a_picture_without_its_type_is_told_what_it_lacks(target: Target, start: bytes) -> None:
    """What one forgets first with curl."""
    with pytest.raises(BadBody, match="sent with Content-Type: image/png or image/jpeg"):
        target.infer(Call(start + bytes(100)))
