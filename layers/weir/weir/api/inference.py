"""Answer one inference request with one version of a model: its body -> rows -> the engine -> the response's body."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from weir.api.outputs import NEED_FULL_POSTERIOR, OutputContext, outputs
from weir.catalog.manifest import Artifact
from weir.catalog.mounts import CASCADE, END_TO_END, Mount
from weir.engine.cascade import Cascade
from weir.engine.predictions import Predictions
from weir.errors import BadTensor, TooLarge
from weir.inputs.rows import RowReader
from weir.inputs.scale import warn_if_narrow
from weir.inputs.tensor import InputRows
from weir.protocol import requests, responses, rest_predict
from weir.protocol.compression import decompress
from weir.protocol.messages import InferRequest, RequestedOutput
from weir.protocol.requests import MAX_ROWS
from weir.protocol.responses import Output
from weir.runtime.model import OVERFLOW, LevelUse, Model, Predictor

_LEAST_LIMIT_BYTES = 1 << 24
"""of a decompressed body, however small the rows of a model are: long texts are cut, and columns may be ignored"""

_MAX_BODY_BYTES = 1 << 26
"""of a decompressed body, however large the rows of a model are"""

_SPARE = 65_536
"""bytes and commas that a body may have beside those of its rows"""


_V1_OUTPUTS = {END_TO_END: ("probabilities",), CASCADE: ("label", "confidence", "exit_level", "group")}
"""outputs of TensorFlow Serving's predict below each mount; a cascade without groups has no `group`"""


class RequestBody(Struct, frozen=True):
    """The body of a request, and its headers that say how to read it."""

    content: bytes
    header_length: int | None = None
    """Inference-Header-Content-Length"""
    encoding: str = ""
    """Content-Encoding"""
    picture: str = ""
    """Content-Type, when it is that of a picture"""


class Inference(Struct, frozen=True):
    """The answer to one inference request, and what its metrics count."""

    body: bytes
    header_length: int | None
    """length of the JSON, when tensors follow it"""
    model: str
    version: int
    rows: int
    uses: list[LevelUse]
    escalations: int
    """how often a row escalated to a further level, summed over the rows"""
    full_texts: int = 0
    """texts that were cut, or are exactly as long as the model reads them"""


class ServedModel(Struct, frozen=True):
    """A version of a model below a mount, which answers requests."""

    name: str
    version: int
    model: Model
    mount: Mount

    def infer(self, body: RequestBody) -> Inference:
        """Answer a request of the Open Inference Protocol, or a picture.

        Raises:
            BadInput: the request breaks the protocol, or does not fit this model.
            ModelUnavailable: a network can't be loaded.
        """
        manifest = self.model.manifest
        message, rows = self._read(body)
        known = outputs(manifest, self.mount)
        requested = requests.wanted(message, tuple(known))
        names = [output.name for output in requested]
        limits = requests.set_parameters(message.settings, manifest.sets) if manifest.sets and "set" in names else None
        predictions, uses = self._predict(rows, names)
        context = OutputContext(predictions, manifest.labels, self._predictor.definition, limits)
        tensors = [
            self._output(Output.of(known[output.name], context.values(output.name)), output, message)
            for output in requested
        ]
        content, header_length = responses.encode(self.name, str(self.version), tensors, message.id)
        return self._inference(content, header_length, rows, predictions, uses)

    def predict(self, body: RequestBody) -> Inference:
        """Answer a request of TensorFlow Serving's REST API. Raises as `infer` does."""
        reader = self.model.reader
        plain = RequestBody(body.content, encoding=body.encoding)  # the other headers belong to the other protocol
        rows, instances = rest_predict.decode(_content(plain, reader), reader)
        warn_if_narrow(rows, reader.inputs, self.name)
        names = [name for name in _V1_OUTPUTS[self.mount] if name in outputs(self.model.manifest, self.mount)]
        predictions, uses = self._predict(rows, names)
        context = OutputContext(predictions, self.model.manifest.labels, self._predictor.definition)
        content = rest_predict.encode({name: context.values(name) for name in names}, instances=instances)
        return self._inference(content, None, rows, predictions, uses)

    @property
    def _predictor(self) -> Predictor:
        return self.model.predictor(self.mount)

    def _read(self, body: RequestBody) -> tuple[InferRequest, InputRows]:
        reader = self.model.reader
        content = _content(body, reader)
        if body.picture:
            return InferRequest(inputs=[]), reader.from_file(content, body.picture)
        request = requests.decode(content, body.header_length, reader)
        rows = requests.rows(request, reader)
        warn_if_narrow(rows, reader.inputs, self.name)
        return request.message, rows

    def _predict(self, rows: InputRows, names: Sequence[str]) -> tuple[Predictions, list[LevelUse]]:
        needs_full = not NEED_FULL_POSTERIOR.isdisjoint(names)
        predictions, uses = self._predictor.answer(rows, trace="path" in names, full=needs_full)
        finite = np.isfinite(predictions.confidence)
        if not finite.all():
            raise BadTensor(OVERFLOW, f"row {int(np.argmin(finite))}")
        return predictions, uses

    def _output(self, output: Output, requested: RequestedOutput, message: InferRequest) -> Output:
        best = requested.classification
        if best is not None:
            output = responses.classified(output, self.model.manifest.labels, best)
        return output.sent_binary() if requests.is_binary(requested, message.settings) else output

    def _inference(
        self,
        content: bytes,
        header_length: int | None,
        rows: InputRows,
        predictions: Predictions,
        uses: list[LevelUse],
    ) -> Inference:
        return Inference(
            body=content,
            header_length=header_length,
            model=self.name,
            version=self.version,
            rows=len(predictions.label),
            uses=uses,
            escalations=_escalations(predictions, self._predictor.definition),
            full_texts=self.model.reader.filled_texts(rows),
        )


def _content(body: RequestBody, reader: RowReader) -> bytes:
    """Decompress a body; it is at most as long as the text of 1,024 rows, and has no more commas than their numbers."""
    if body.picture:
        return decompress(body.content, body.encoding, _LEAST_LIMIT_BYTES)
    limit = max(MAX_ROWS * reader.max_row_bytes + _SPARE, _LEAST_LIMIT_BYTES)
    content = decompress(body.content, body.encoding, min(limit, _MAX_BODY_BYTES))
    if reader.plain is not None:  # elsewhere, texts may have any number of them
        values = MAX_ROWS * reader.plain.described.row_values
        if (commas := content.count(b",", 0, body.header_length)) > values + _SPARE:
            raise TooLarge(f"a request has at most {MAX_ROWS} rows of this model, {values} values", f"{commas} commas")
    return content


def _escalations(predictions: Predictions, cascade: Cascade[Artifact]) -> int:
    """Count how often a row escalated to a further level, summed over the rows."""
    if len(cascade.runs) == 1:
        return 0
    return int(np.searchsorted(cascade.runs, predictions.exit_level).sum())
