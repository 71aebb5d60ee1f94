"""Compare the time of a warm request with that of a handler written by hand: `make bench-warm`.

Both handlers run in one process, on the demo's model: an API Gateway event goes in, a response comes out, and ours
writes its metrics as deployed. The one written by hand has `json.loads`, the interpreter and `json.dumps`, and nothing
else. For a table and a text there is a second one, which routes and counts as ours does, with Powertools. They
alternate, so that other load on the machine affects both.
"""

import base64
import contextlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.setting import header
from benchmarks.trained import DEMO, ensure
from benchmarks.warm_kinds import KINDS, Event, Handler, Kind
from local.events import HttpRequest, to_event
from tests.serving import context, load_app, outputs
from training import folder
from training.measuring import reload
from training.publishing.publication import publish
from training.publishing.stores import open_store
from weir.api.gateway_events import HEADER_LENGTH
from weir.api.routes import url_path
from weir.catalog.mounts import CASCADE, END_TO_END, Mount
from weir.engine.arrays import Floats
from weir.runtime.interpreter import DEPLOYED, load
from weir.settings import DEFAULT_ALIAS

MODEL = "mnist-sample"
TRAINED = DEMO
ROWS = 256
_PAIRS, _PAIRS_OF_256 = 3_000, 200


@dataclass(frozen=True)
class Measured:
    """Median times of one comparison, in seconds."""

    what: str
    """the request"""
    ours: float
    by_hand: float

    def line(self) -> str:
        """Describe the comparison in one line."""
        ratio = self.ours / self.by_hand
        return f"{self.what:56}{self.ours * 1e6:9.1f} µs, by hand {self.by_hand * 1e6:9.1f} µs, ratio {ratio:.3f}"


def main() -> None:
    """Measure, and print the figures."""
    ensure(TRAINED)
    images = reload.load(folder.manifest(TRAINED)).inputs
    with _served() as (predict, cascade):
        measured = measure(predict, cascade, images)
    kinds = measure_kinds()
    lines = (one.line() for one in (*measured, *(one for pair in kinds for one in pair)))
    print("\n".join((*header(), "", *lines, "")))
    one, levels, many, *_ = measured
    figures = {
        "predict_ratio": one.ours / one.by_hand,
        "cascade_ratio": levels.ours / levels.by_hand,
        "rows256_share": many.by_hand / many.ours,
        **{
            f"{kind.model}_{name}ratio": one.ours / one.by_hand
            for kind, pair in zip(KINDS, kinds, strict=True)
            for name, one in zip(("", "bare_"), pair, strict=True)
        },
    }
    print(json.dumps({name: round(figure, 4) for name, figure in figures.items()}))


def measure(predict: Handler, cascade: Handler, images: Floats) -> list[Measured]:
    """Compare both handlers with those written by hand: one row as JSON, twice, and 256 rows as bytes."""
    content = folder.artifact(TRAINED, folder.manifest(TRAINED).end_to_end.artifact.digest)
    interpreter = load(content, DEPLOYED)
    row = _answered_by_level_0(cascade, images)
    one, levels = (_json_event(mount, row) for mount in (END_TO_END, CASCADE))
    many = _binary_event(np.resize(images, (ROWS, *images.shape[1:])))
    by_hand, loop = _by_hand(interpreter), _loop(interpreter)
    _agree(_data(predict(one)), by_hand(one))
    return [
        Measured("predict, one row as JSON", *_alternating(predict, one, by_hand, one, _PAIRS)),
        Measured("cascade, one row that level 0 answers", *_alternating(cascade, levels, by_hand, one, _PAIRS)),
        Measured(f"predict, {ROWS} rows as bytes", *_alternating(predict, many, loop, many, _PAIRS_OF_256)),
        *(
            Measured(f"beside: {how}", *_alternating(predict, event, by_hand, event, _PAIRS // 3))
            for how, event in _other_encodings(row).items()
        ),
    ]


def measure_kinds() -> list[tuple[Measured, Measured]]:
    """Compare requests of a table and of a text with handlers written by hand: with the same duties, and without."""
    with tempfile.TemporaryDirectory() as store, Path(os.devnull).open("w", buffering=1) as nowhere:
        networks = [kind.publish(Path(store)) for kind in KINDS]
        os.environ["MODEL_STORE"] = Path(store).as_uri()
        app, invocation = load_app("predict"), context()

        def ours(event: Event) -> Any:  # noqa: ANN401 (JSON)
            return app.handler(event, invocation)

        with contextlib.redirect_stdout(nowhere):
            return [_of_kind(kind, ours, content) for kind, content in zip(KINDS, networks, strict=True)]


def _of_kind(kind: Kind, ours: Handler, content: bytes) -> tuple[Measured, Measured]:
    path = url_path("predict", END_TO_END, kind.model)
    event = to_event(HttpRequest("POST", path, "", [("host", "localhost")], kind.body), "POST /v1/{proxy+}", {})
    hands = {"as Powertools routes and counts": kind.with_duties(content), "bare": kind.bare(content)}
    for by_hand in hands.values():
        first, second = (json.loads(one(event)["body"])["predictions"] for one in (ours, by_hand))
        if not np.allclose(first, second, atol=1e-5):
            raise SystemExit(f"both handlers give the same probabilities. Got: {first} and {second}")
    with_duties, bare = (
        Measured(f"{kind.about}; {how}", *_alternating(ours, event, by_hand, event, _PAIRS))
        for how, by_hand in hands.items()
    )
    return with_duties, bare


@contextlib.contextmanager
def _served() -> Iterator[tuple[Handler, Handler]]:
    """Publish the model to a folder, and load the handlers of both functions on it."""
    with tempfile.TemporaryDirectory() as store, Path(os.devnull).open("w", buffering=1) as nowhere:
        publish(TRAINED, open_store(Path(store).as_uri()), DEFAULT_ALIAS)
        os.environ["MODEL_STORE"] = Path(store).as_uri()
        apps = [load_app(name) for name in ("predict", "cascade")]
        with contextlib.redirect_stdout(nowhere):  # each line of metrics is written, as on Lambda
            invocation = context()
            yield (lambda event: apps[0].handler(event, invocation)), (lambda event: apps[1].handler(event, invocation))


def _by_hand(interpreter: Any) -> Handler:  # noqa: ANN401 (the runtimes have no types)
    """Make a handler as one would write it by hand."""
    read, written = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def handler(event: Event) -> Any:  # noqa: ANN401 (JSON)
        body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"]
        tensor = json.loads(body)["inputs"][0]
        interpreter.set_tensor(read, np.array(tensor["data"], np.float32).reshape(tensor["shape"]))
        interpreter.invoke()
        logits = interpreter.get_tensor(written)
        output = {"name": "logits", "datatype": "FP32", "shape": list(logits.shape), "data": logits.ravel().tolist()}
        return {"statusCode": 200, "body": json.dumps({"outputs": [output]})}

    return handler


def _loop(interpreter: Any) -> Handler:  # noqa: ANN401
    """Make a handler by hand that loops over rows sent as bytes."""
    read, written = interpreter.get_input_details()[0], interpreter.get_output_details()[0]["index"]
    shape = read["shape"][1:]

    def handler(event: Event) -> Floats:
        content = base64.b64decode(event["body"])
        values = np.frombuffer(content, np.float32, offset=int(event["headers"][HEADER_LENGTH.lower()]))
        rows = values.reshape(-1, *shape)
        out = np.empty((len(rows), 10), np.float32)
        for number in range(len(rows)):
            interpreter.set_tensor(read["index"], rows[number : number + 1])
            interpreter.invoke()
            out[number] = interpreter.get_tensor(written)[0]
        return out

    return handler


def _alternating(
    ours: Handler, our_event: Event, theirs: Handler, their_event: Event, pairs: int
) -> tuple[float, float]:
    """Time two handlers in turn, and return their median times, in seconds; the first tenth warms up."""
    taken: list[tuple[float, float]] = []
    for _ in range(pairs + pairs // 10):
        start = time.perf_counter()
        ours(our_event)
        between = time.perf_counter()
        theirs(their_event)
        taken.append((between - start, time.perf_counter() - between))
    first, second = zip(*taken[pairs // 10 :], strict=True)
    return median(first), median(second)


def _answered_by_level_0(cascade: Handler, images: Floats) -> Floats:
    """Find a row that exits at the cheapest level."""
    for number in range(len(images)):
        row = images[number : number + 1]
        if outputs(cascade(_json_event(CASCADE, row)))["exit_level"] == [0]:
            return row
    raise SystemExit("a test row exits at level 0. Got: none")


def _agree(probabilities: Floats, answer: Any) -> None:  # noqa: ANN401 (JSON)
    """Check that both handlers ran the same network."""
    logits = json.loads(answer["body"])["outputs"][0]["data"]
    if int(np.argmax(probabilities)) != int(np.argmax(logits)):
        raise SystemExit("both handlers give the same label. Got: two labels")


def _data(answer: Any) -> Floats:  # noqa: ANN401 (JSON)
    return np.array(outputs(answer)["probabilities"])


def _json_event(mount: Mount, row: Floats, data: object = None) -> Event:
    data = row.ravel().tolist() if data is None else data
    tensor = {"name": "image", "shape": row.shape, "datatype": "FP32", "data": data}
    return _event(mount, json.dumps({"inputs": [tensor]}).encode(), [])


def _other_encodings(row: Floats) -> dict[str, Event]:
    """Encode the same row in other ways: the standard library's json reads whole numbers four times as fast."""
    flat = _json_event(END_TO_END, row)
    text = base64.b64decode(flat["body"]).decode()
    return {
        "one row, nested": _json_event(END_TO_END, row, row.tolist()),
        "one row of whole numbers": _json_event(END_TO_END, row, row.ravel().astype(int).tolist()),
        "one row as text, not in base64": {**flat, "body": text, "isBase64Encoded": False},
    }


def _binary_event(rows: Floats) -> Event:
    data = rows.astype("<f4").tobytes()
    tensor = {"name": "image", "shape": rows.shape, "datatype": "FP32", "parameters": {"binary_data_size": len(data)}}
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    return _event(END_TO_END, head + data, [(HEADER_LENGTH, str(len(head)))])


def _event(mount: Mount, body: bytes, headers: list[tuple[str, str]]) -> Event:
    path = url_path("infer", mount, MODEL)
    return to_event(HttpRequest("POST", path, "", [("host", "localhost"), *headers], body), path, {"model": MODEL})


if __name__ == "__main__":
    main()
