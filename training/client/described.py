"""What a model reads, as its metadata say."""

from typing import Any

import msgspec

from weir.catalog.inputs import Input, Tensor
from weir.errors import BadInput
from weir.inputs.rows import RowReader

Document = dict[str, Any]


def reader(metadata: Document) -> RowReader:
    """Make the reader of a model's rows from its metadata, as the protocol describes them.

    A server that does not describe its inputs (Weir's parameter `inputs`) has tensors of numbers.

    Raises:
        BadInput: an input is of a kind that this version does not know.
    """
    kinds = metadata.get("parameters", {}).get("inputs")
    try:
        if kinds is None:
            return RowReader(tuple(_tensor(one) for one in metadata["inputs"]))
        return RowReader(msgspec.convert(kinds, tuple[Input, ...]))
    except msgspec.ValidationError as exc:
        raise BadInput("the model reads pictures, tensors, tables and texts", exc) from exc


def _tensor(described: Document) -> Tensor:
    """Describe a tensor of numbers by its metadata."""
    known = {key: described[key] for key in ("name", "shape", "datatype") if key in described}
    return msgspec.convert({"shape": (-1,), **known}, Tensor)
