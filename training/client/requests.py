"""Read the INPUT of `weir predict` as requests of the Open Inference Protocol."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.client import array_rows, arrays, columns, described, named_rows
from training.client.limits import Document
from weir.api.inference import RequestBody
from weir.catalog.inputs import Text
from weir.errors import BadInput
from weir.inputs.npy import read_npy
from weir.inputs.rows import RowReader
from weir.inputs.tensor import InputRows, TensorReader


def requests(path: Path, metadata: Document) -> Iterator[RequestBody]:
    """Read a file as one or more requests, each of rows that the API takes at once; a picture is sent unchanged.

    Args:
        path: a .png or .jpg; a .csv or .jsonl as a batch file has it; a .txt of one text; a .npy of one row or of rows;
            or a .json: a request of the protocol, a row or a list of rows by name, or nested numbers.
        metadata: of the model, as the protocol describes it.

    Raises:
        BadInput: the file is none of them, can't be read, or has rows that are none of the model's.
    """
    content, suffix = read(path, "INPUT"), path.suffix.lower()
    if suffix in named_rows.PICTURES:
        yield RequestBody(content, picture=named_rows.PICTURES[suffix])
        return
    document = _json(content) if suffix == ".json" else None
    if isinstance(document, dict) and isinstance(document.get("inputs"), list):
        yield RequestBody(content)
        return
    reader = described.reader(metadata)
    if reader.plain is not None:
        rows = _array(path.name, content, document, reader, reader.plain)
        yield from arrays.requests(rows, reader.plain.described, metadata)
    else:
        given = named_rows.with_pictures(_named(suffix, content, document, reader), reader, path.parent)
        yield from columns.requests(given, reader, metadata)


def of_texts(texts: Sequence[str], metadata: Document) -> Iterator[RequestBody]:
    """Write texts as requests to a model that reads a text and nothing else. Raises `BadInput`."""
    reader = described.reader(metadata)
    match reader.inputs:
        case (Text(name=name),):
            yield from columns.requests({name: texts}, reader, metadata)
        case _:
            raise BadInput("--text is for a model that reads one text", f"one of {', '.join(reader.tensors)}")


def check_file(path: Path) -> None:
    """Refuse an INPUT that can't be opened, before anything is asked of an API or a store. Raises `BadInput`."""
    try:
        path.open("rb").close()
    except OSError as exc:
        raise BadInput("INPUT is a file that can be read", exc) from exc


def read(path: Path, argument: str) -> bytes:
    """Read the file that a person named as an argument of a command. Raises `BadInput`."""
    try:
        return path.read_bytes()
    except OSError as exc:
        raise BadInput(f"{argument} is a file that can be read", exc) from exc


def _named(suffix: str, content: bytes, document: object, reader: RowReader) -> columns.Columns:
    """Read the rows of a table, of texts, or of several inputs."""
    match suffix, document:
        case ".csv", _:
            return named_rows.from_csv(content, reader)
        case ".jsonl", _:
            return named_rows.from_lines(content, reader)
        case ".txt", _:
            return named_rows.from_records([_text(content)], reader)
        case ".json", (dict() | str() | [dict() | str(), *_]) as rows:
            return named_rows.from_records(rows if isinstance(rows, list) else [rows], reader)
        case ".json", _:
            return named_rows.from_numbers(_numbers(document), reader)
        case ".npy", _:
            return named_rows.from_numbers(read_npy(content).values(), reader)
        case _:
            raise BadInput("INPUT is a .csv, .jsonl, .json, .txt, .npy, .png or .jpg", suffix or "no extension")


def _array(file: str, content: bytes, document: object, reader: RowReader, plain: TensorReader) -> InputRows:
    """Read the rows of a picture or of a tensor."""
    match Path(file).suffix.lower(), document:
        case ((".csv" | ".jsonl"), _):
            return array_rows.from_lines(file, content, reader)
        case ".json", dict() as record:
            reader.check_names(list(record))
            return array_rows.from_numbers(_numbers(record[plain.described.name]), plain)
        case ".json", _:
            return array_rows.from_numbers(_numbers(document), plain)
        case ".npy", _:
            return array_rows.from_numbers(read_npy(content).values().astype(np.float64), plain)
        case suffix, _:
            raise BadInput("INPUT is a .png, .jpg, .npy, .csv, .jsonl or .json", suffix or "no extension")


def _json(content: bytes) -> object:
    try:
        return msgspec.json.decode(content)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        raise BadInput("a .json INPUT is JSON", exc) from exc


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise BadInput("a .txt INPUT is a text in UTF-8", exc) from exc


def _numbers(document: object) -> NDArray[np.float64]:
    try:
        return np.array(document, np.float64)
    except (ValueError, TypeError, OverflowError) as exc:
        rule = "a .json INPUT is a request of the protocol, rows by name, or numbers nested as the row is"
        raise BadInput(rule, exc) from exc
