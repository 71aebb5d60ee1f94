"""One request to one version of a model: what came -> rows -> the engine -> what goes out."""

from collections.abc import Sequence

import numpy as np
from msgspec import UNSET, Struct

from weir.api.outputs import WHOLE, OutputContext, outputs
from weir.catalog.manifest import Artifact
from weir.engine.cascade import Cascade
from weir.engine.predictions import Predictions
from weir.errors import BadTensor, TooLarge
from weir.inputs.rows import from_file
from weir.inputs.tensor import InputRows
from weir.protocol import requests, responses, rest_predict
from weir.protocol.compression import decompress
from weir.protocol.messages import InferRequest, RequestedOutput
from weir.protocol.requests import MAX_ROWS
from weir.protocol.responses import Output
from weir.runtime.model import OVERFLOW, LevelUse, Model

_VALUE_BYTES, _MORE_BYTES, _MOST_BYTES = 32, 65_536, 1 << 26
"""of a decompressed body: of one value of a row, written as text; beside the rows; in all"""

_PICTURE_BYTES = 4_500_000
"""of a decompressed picture: as much as the gateway takes of one that is not compressed"""


class Call(Struct, frozen=True):
    """What came over HTTP."""

    content: bytes
    header_length: int | None = None
    """Inference-Header-Content-Length"""
    encoding: str = ""
    """Content-Encoding"""
    picture: str = ""
    """the media type, when it is one of pictures"""


class Inference(Struct, frozen=True):
    """The answer to one inference request."""

    body: bytes
    header_length: int | None
    """of the JSON, when tensors stand behind it"""
    model: str
    version: int
    rows: int
    uses: list[LevelUse]
    escalations: int
    """how often a row went on to a further level"""


class Target(Struct, frozen=True):
    """The version of a model that is asked, and which way."""

    name: str
    version: int
    model: Model
    cascade: bool

    def infer(self, call: Call) -> Inference:
        """Answer a request of the Open Inference Protocol, or a picture.

        Raises:
            BadInput: the request is not one of the protocol, or not one of this model.
            ModelUnavailable: a network can't be loaded.
        """
        manifest = self.model.manifest
        message, rows = self._read(call)
        known = outputs(self.model.manifest, cascade=self.cascade)
        asked = requests.wanted(message, tuple(known))
        names = [output.name for output in asked]
        has_sets = manifest.sets is not None and "set" in names
        limits = requests.set_parameters(message.settings, manifest.sets) if has_sets and manifest.sets else None
        answers, uses = self._answer(rows, names)
        told = OutputContext(answers, manifest, limits)
        found = [
            self._output(Output.of(known[output.name], told.values(output.name)), output, message) for output in asked
        ]
        body, header_length = responses.encode(self.name, str(self.version), found, message.id or "")
        return self._inference(body, header_length, answers, uses)

    def predict(self, call: Call) -> Inference:
        """Answer a request of TensorFlow Serving's REST API. Raises as `infer` does."""
        specs = self.model.manifest.inputs
        plain = Call(call.content, encoding=call.encoding)  # the other headers are the other protocol's
        content = _content(plain, self.model.row_values)
        rows, instances = rest_predict.decode(content, specs)
        answers, uses = self._answer(rows, ["probabilities"])
        return self._inference(rest_predict.encode(answers.probabilities, instances=instances), None, answers, uses)

    def _read(self, call: Call) -> tuple[InferRequest, InputRows]:
        specs = self.model.manifest.inputs
        content = _content(call, self.model.row_values)
        if call.picture:
            return InferRequest(inputs=[]), from_file(content, call.picture, specs)
        asked = requests.decode(content, call.header_length, specs)
        return asked.message, requests.rows(asked, specs)

    def _answer(self, rows: InputRows, names: Sequence[str]) -> tuple[Predictions, list[LevelUse]]:
        predictor = self.model.cascade if self.cascade else self.model.end_to_end
        answers, uses = predictor.answer(rows, trace="path" in names, full=not WHOLE.isdisjoint(names))
        finite = np.isfinite(answers.confidence)
        if not finite.all():
            raise BadTensor(OVERFLOW, f"row {int(np.argmin(finite))}")
        return answers, uses

    def _output(self, output: Output, asked: RequestedOutput, message: InferRequest) -> Output:
        best = asked.classification
        if best is not UNSET:
            output = responses.classified(output, self.model.manifest.labels, best)
        return output.sent_binary() if requests.is_binary(asked, message.settings) else output

    def _inference(
        self, body: bytes, header_length: int | None, answers: Predictions, uses: list[LevelUse]
    ) -> Inference:
        escalations = _escalations(answers, self.model.cascade.cascade) if self.cascade else 0
        return Inference(body, header_length, self.name, self.version, len(answers.label), uses, escalations)


def _content(call: Call, row_values: int) -> bytes:
    """Decompress a body, which is no longer than the text of the most rows, nor has more commas than their values."""
    if call.picture:
        return decompress(call.content, call.encoding, _PICTURE_BYTES)
    values = MAX_ROWS * row_values
    content = decompress(call.content, call.encoding, min(values * _VALUE_BYTES + _MORE_BYTES, _MOST_BYTES))
    if (commas := content.count(b",", 0, call.header_length)) > values + _MORE_BYTES:
        raise TooLarge(f"a request has at most {MAX_ROWS} rows of this model, {values} values", f"{commas} commas")
    return content


def _escalations(answers: Predictions, cascade: Cascade[Artifact]) -> int:
    """Count how often a row went on to a further level."""
    return int(np.searchsorted(cascade.runs, answers.exit_level).sum())
