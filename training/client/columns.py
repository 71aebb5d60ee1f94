"""Rows whose values have names -> requests of the Open Inference Protocol."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
import numpy as np

from training.client.limits import MAX_BYTES, Document, rows_per_request
from weir.api.inference import RequestBody
from weir.catalog.inputs import Text
from weir.errors import BadInput
from weir.inputs.rows import RowReader

Columns = Mapping[str, Sequence[object]]
"""tensor, column or text -> its values, one a row, as JSON has them"""


def requests(columns: Columns, reader: RowReader, metadata: Document) -> Iterator[RequestBody]:
    """Write rows as requests in JSON, each with as many rows as the API takes and answers at once.

    Texts are cut to as many characters as the model reads bytes: what is behind them changes no prediction.

    Args:
        columns: the values of each tensor that the model reads.
        reader: of the model's rows.
        metadata: of the model, as the protocol describes it.

    Raises:
        BadInput: there is no row, or a value is none of the model's; the error names the row.
    """
    columns = _cut(columns, reader)
    total, most, start = count(columns), rows_per_request(1, metadata), 0
    if not total:
        raise BadInput("INPUT has at least one row", "none")
    while start < total:
        end, size = start, 0
        while end < min(start + most, total):
            size += len(msgspec.json.encode([values[end] for values in columns.values()]))
            if end > start and size > MAX_BYTES:
                break
            end += 1
        part = {name: values[start:end] for name, values in columns.items()}
        check(part, reader, start)
        yield RequestBody(request(part, reader))
        start = end


def request(columns: Columns, reader: RowReader) -> bytes:
    """Write rows as the body of one request."""
    rows = count(columns)
    tensors = [
        {"name": name, "shape": (rows, *one.shape[1:]), "datatype": one.datatype, "data": columns[name]}
        for name, one in reader.tensors.items()
    ]
    return msgspec.json.encode({"inputs": tensors})


def count(columns: Columns) -> int:
    """Count the rows."""
    return len(next(iter(columns.values())))


def check(columns: Columns, reader: RowReader, first: int) -> None:
    """Refuse rows that the model can't read, by the number of the bad one, `first` being that of the first row.

    Raises:
        BadInput: a value is none of the model's.
    """
    try:
        _encode(columns, reader)
    except BadInput:
        for row in range(count(columns)):
            try:
                _encode({name: values[row : row + 1] for name, values in columns.items()}, reader)
            except BadInput as exc:
                raise BadInput(exc.rule, f"{exc.got} in row {first + row}") from exc
        raise


def _encode(columns: Columns, reader: RowReader) -> None:
    """Encode rows as networks read them. Raises `BadInput`."""
    arrays = {name for name, tensor in reader.tensors.items() if len(tensor.shape) > 1}
    try:
        values = {name: np.array(given, np.float64) if name in arrays else given for name, given in columns.items()}
    except (ValueError, TypeError) as exc:
        raise BadInput("pixels and tensors are lists of numbers, nested as the model's are", exc) from exc
    reader.from_values(values, count(columns))


def _cut(columns: Columns, reader: RowReader) -> Columns:
    most = {one.name: one.most_bytes for one in reader.inputs if isinstance(one, Text)}
    return {
        name: [value[: most[name]] if isinstance(value, str) else value for value in values] if name in most else values
        for name, values in columns.items()
    }
