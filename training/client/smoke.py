"""Use a running system as its users do: a few rows, the whole test split over HTTP, and a batch file."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np

from training import folder
from training.client.answers import lines, outputs
from training.client.batch_client import upload_and_wait
from training.client.clients import HttpClient
from training.client.encoded_rows import EncodedRows
from training.data.splits.split import Split
from training.measuring import reload
from training.publishing.stores import WritableStore
from weir.api.inference import RequestBody
from weir.catalog.keys import batch_key
from weir.catalog.manifest import Manifest
from weir.catalog.mounts import CASCADE, MOUNTS, Mount
from weir.errors import Unavailable

_SHOWN_ROWS = 5
_TIMEOUT_S = 120

Progress = Callable[[str, int, int], None]


def smoke_test(trained: Path, url: str, store: WritableStore, on_progress: Progress) -> Iterator[str]:
    """Send the test split to both mounts and to the batch function, and yield lines about the answers.

    Raises:
        Unavailable: the batch function and the API gave the same rows different labels.
    """
    manifest = folder.manifest(trained)
    test = reload.load(manifest)
    yield from _few_rows(manifest, test, url)
    for mount in MOUNTS:
        over_http = _labels_over_http(manifest, test, url, on_progress, mount)
        name = "the cascade" if mount == CASCADE else "the end-to-end model"
        accuracy = np.mean([label == manifest.labels[y] for label, y in zip(over_http, test.labels, strict=True)])
        yield f"{name} answered {len(over_http)} test rows over HTTP, {100 * float(accuracy):.1f} % of them correctly"
        in_batch = _labels_in_batch(manifest, test, store, on_progress, mount)
        if in_batch != over_http:
            different = sum(one != other for one, other in zip(in_batch, over_http, strict=True))
            raise Unavailable("the batch function and the API disagree", f"{different} rows have different labels")
        yield f"{name} answered the same rows as a file uploaded to S3, with the same labels"


def _few_rows(manifest: Manifest, test: Split, url: str) -> Iterator[str]:
    body = EncodedRows(manifest.inputs, test.spread(_SHOWN_ROWS)).request()
    yield f"POST {url}/cascade/v2/models/{manifest.model}/infer"
    yield from (f"  {line}" for line in lines(HttpClient(url, CASCADE).infer(manifest.model, "", RequestBody(body))))


def _labels_over_http(manifest: Manifest, test: Split, url: str, on_progress: Progress, mount: Mount) -> list[str]:
    client, labels = HttpClient(url, mount), []
    for body in EncodedRows(manifest.inputs, test.inputs).requests(client.metadata(manifest.model, "")):
        labels += outputs(client.infer(manifest.model, "", body))["label"]
        on_progress("predicting over HTTP, rows", len(labels), len(test.inputs))
    return labels


def _labels_in_batch(
    manifest: Manifest, test: Split, store: WritableStore, on_progress: Progress, mount: Mount
) -> list[str]:
    extension, content = EncodedRows(manifest.inputs, test.inputs).file()
    key = batch_key(manifest.model, f"test{extension}", mount)
    summary = upload_and_wait(store, key, content, timeout_s=_TIMEOUT_S, on_wait=on_progress)
    predictions = store.read(key.predictions) if summary.error is None else None
    if predictions is None:
        raise Unavailable("the batch function did not answer the test split", summary.error or "no predictions")
    return [msgspec.json.decode(line)["label"] for line in predictions[0].splitlines()]
