"""Answer a batch file: upload it to a store and wait for its summary, or answer it here."""

import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout

import msgspec

from training.publishing.stores import WritableStore
from weir.batch import answering as batch
from weir.batch.answering import Summary
from weir.catalog.keys import BATCHES_IN, BatchKey
from weir.errors import BadInput, Unavailable
from weir.runtime.registry import Registry

_POLL_S = 0.5

Progress = Callable[[str, int, int], None]


def upload_and_wait(store: WritableStore, key: BatchKey, data: bytes, *, timeout_s: int, on_wait: Progress) -> Summary:
    """Upload a file, which starts the batch function, and wait for the summary.

    Raises:
        BadInput: the store does not notify the batch function of the file; nothing was uploaded.
        Unavailable: there was no summary within the timeout.
        StoreUnavailable: the store did not answer, or refused.
    """
    if not store.notifies(key.source):
        raise BadInput(
            f"--store is a bucket that notifies a batch function of {BATCHES_IN}/; "
            "the one of Weir's stack does, for the store at its root",
            store.url,
        )
    store.delete(key.summary)  # one of an earlier file of this name
    store.put(key.source, data)
    started = time.monotonic()
    while (waited := time.monotonic() - started) < timeout_s:
        on_wait("waiting for the batch function, seconds", int(waited), timeout_s)
        if summary := store.read(key.summary):
            on_wait("waiting for the batch function, seconds", timeout_s, timeout_s)
            return msgspec.json.decode(summary[0], type=Summary)
        time.sleep(_POLL_S)
    raise Unavailable("the batch function did not answer", f"no {key.summary} after {timeout_s} seconds")


def answer_here(store: WritableStore, registry: Registry, key: BatchKey, data: bytes, *, on_rows: Progress) -> Summary:
    """Write a file to a store and answer it in this process; what the function would log goes to stderr.

    Raises what `weir.batch.answering.answer` raises.
    """
    store.put(key.source, data)
    with redirect_stdout(sys.stderr):
        return batch.answer(registry, key, lambda done, total: on_rows("answering rows", done, total))


def show(summary: Summary, key: BatchKey, *, as_json: bool) -> str:
    """Write a summary as one JSON line, or as lines for a person."""
    if as_json:
        return msgspec.json.encode(summary).decode()
    if summary.error:
        again = "; it is tried again, three times in all" if summary.failed else ""
        return f"{key.source} was not answered: {summary.error}{again}"
    labels = ", ".join(f"{label}: {rows}" for label, rows in summary.labels.items())
    levels = ", ".join(f"{level}: {rows}" for level, rows in summary.exit_levels.items())
    return "\n".join(
        [
            f"{summary.rows} rows, {summary.answered} answered, {summary.bad_rows} bad",
            *(["header:         the first line, which is no row"] if summary.header else []),
            f"model version:  {summary.model_version}",
            f"rows by label:  {labels}",
            *([f"rows by level:  {levels}"] if summary.cascade else []),
            f"predictions:    {key.predictions}",
        ]
    )
