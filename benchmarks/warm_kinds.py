"""Tables and texts in `make bench-warm`: networks of random weights, and handlers written by hand for their rows."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from training.data.splits.split import Split
from training.export.convert import convert
from training.modalities import modality_of
from training.task import NetworkSpec
from weir.catalog import keys
from weir.catalog.aliases import Alias
from weir.catalog.columns import FIRST_CODE, UNKNOWN, Category, Number
from weir.catalog.inputs import Input, Table, Text
from weir.catalog.levels import Classifier
from weir.catalog.manifest import Artifact, EndToEnd, Manifest, Provenance, encode
from weir.runtime.interpreter import DEPLOYED, load, version
from weir.settings import DEFAULT_ALIAS

Event = dict[str, Any]
Handler = Callable[[Event], Any]
Record = dict[str, Any]

_NUMBERS, _CATEGORIES = 12, 8
_COLOURS = ("red", "green", "blue", "yellow", "grey")
_SENTENCE = "The parcel came a day late, but all of it was there and the driver was kind."
_MOST_BYTES = 256
_ROWS = 400
_SEED = 7

TABLE = Table(
    name="table",
    columns=(
        *(Number(name=f"number_{number}") for number in range(_NUMBERS)),
        *(Category(name=f"category_{number}", vocabulary=_COLOURS) for number in range(_CATEGORIES)),
    ),
)
TEXT = Text(name="text", most_bytes=_MOST_BYTES)


@dataclass(frozen=True)
class Kind:
    """A model of one kind of input, one row for it, and what one would write by hand to read such a row."""

    model: str
    about: str
    one: Input
    architecture: str
    record: Record
    by_hand: Callable[[Mapping[str, Any]], Any]
    """a row by name -> what the network reads, `(1, …)`"""

    def publish(self, store: Path) -> bytes:
        """Put the model into a folder store, and return its network."""
        content = _network(self.one, self.architecture)
        artifact = Artifact(
            digest=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            quantization="dynamic",
            interpreters={DEPLOYED: version(DEPLOYED)},
        )
        manifest = Manifest(
            model=self.model,
            task=self.model,
            labels=("no", "yes"),
            prior=(0.5, 0.5),
            inputs=(self.one,),
            end_to_end=EndToEnd(artifact=artifact),
            levels=(Classifier(name="only", network=artifact, threshold=0.0),),
            provenance=Provenance(data_digest="0" * 64, seed=_SEED, libraries={}, configuration={}),
        )
        files = {
            keys.artifact(self.model, 1, artifact.digest): content,
            keys.manifest(self.model, 1): encode(manifest),
            keys.alias(self.model, DEFAULT_ALIAS): msgspec.json.encode(Alias(version=1)),
        }
        for key, value in files.items():
            (store / key).parent.mkdir(parents=True, exist_ok=True)
            (store / key).write_bytes(value)
        return content

    @property
    def body(self) -> bytes:
        """The row as a request of TensorFlow Serving's REST API."""
        return json.dumps({"instances": [self.record]}).encode()

    def bare(self, content: bytes) -> Handler:
        """Make a handler for such requests that does nothing else: it neither routes nor counts."""
        predicted = self._predicted(content)

        def handler(event: Event) -> Any:  # noqa: ANN401 (JSON)
            body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"]
            return {"statusCode": 200, "body": json.dumps({"predictions": [predicted(json.loads(body))]})}

        return handler

    def with_duties(self, content: bytes) -> Handler:
        """Make a handler that also routes requests and prints metrics, with Powertools, as one would by hand."""
        predicted, app = self._predicted(content), APIGatewayHttpResolver()
        metrics = Metrics(namespace="Warm", service="warm")

        @app.post("/v1/models/<model>")
        def predict(model: str) -> dict[str, Any]:
            event = app.current_event
            body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"]
            metrics.add_dimension(name="model", value=model)
            metrics.add_metric(name="Predictions", unit="Count", value=1)
            metrics.add_metric(name="Errors", unit="Count", value=0)
            return {"predictions": [predicted(json.loads(body))]}

        def handler(event: Event, context: object) -> Any:  # noqa: ANN401 (JSON)
            return app.resolve(event, context)  # type: ignore[arg-type] # no part of it is read

        counted = metrics.log_metrics(handler)
        return lambda event: counted(event, None)

    def _predicted(self, content: bytes) -> Callable[[Any], list[float]]:
        interpreter = load(content, DEPLOYED)
        read, written = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

        def predicted(document: Any) -> list[float]:  # noqa: ANN401 (JSON)
            interpreter.set_tensor(read, self.by_hand(document["instances"][0]))
            interpreter.invoke()
            logits = interpreter.get_tensor(written)[0]
            exponentials = np.exp(logits - logits.max())
            probabilities: list[float] = (exponentials / exponentials.sum()).tolist()
            return probabilities

        return predicted


def _network(one: Input, architecture: str) -> bytes:
    """Convert a network of random weights, whose statistics are of random rows."""
    random = np.random.default_rng(_SEED)
    if isinstance(one, Table):
        numbers = random.normal(size=(_ROWS, _NUMBERS))
        codes = random.integers(FIRST_CODE, FIRST_CODE + len(_COLOURS), (_ROWS, _CATEGORIES))
        rows = np.hstack([numbers, codes]).astype(np.float32)
    else:
        rows = random.integers(ord("a"), ord("z"), (_ROWS, _MOST_BYTES)).astype(np.int32)
    labels = random.integers(0, 2, _ROWS).astype(np.int64)
    spec = NetworkSpec(name="only", architecture=architecture)
    model = modality_of([one]).build(spec, 2, _SEED, Split(rows, labels))
    return convert(model, [one], "dynamic", rows[:1])


_CODES = {colour: code for code, colour in enumerate(_COLOURS, FIRST_CODE)}


def _row(record: Mapping[str, Any]) -> Any:  # noqa: ANN401 (an array)
    numbers = [record[f"number_{number}"] for number in range(_NUMBERS)]
    codes = [_CODES.get(record[f"category_{number}"], UNKNOWN) for number in range(_CATEGORIES)]
    return np.array([[*numbers, *codes]], np.float32)


def _bytes(record: Mapping[str, Any]) -> Any:  # noqa: ANN401 (an array)
    row = np.zeros((1, _MOST_BYTES), np.int32)
    content = record["text"].encode()[:_MOST_BYTES]
    row[0, : len(content)] = np.frombuffer(content, np.uint8)
    return row


KINDS = (
    Kind(
        "customers",
        f"a row of {_NUMBERS + _CATEGORIES} columns",
        TABLE,
        "table-mlp",
        {
            **{f"number_{number}": number + 0.5 for number in range(_NUMBERS)},
            **{f"category_{number}": _COLOURS[number % len(_COLOURS)] for number in range(_CATEGORIES)},
        },
        _row,
    ),
    Kind("moods", "a sentence", TEXT, "text-hash", {"text": _SENTENCE}, _bytes),
)
