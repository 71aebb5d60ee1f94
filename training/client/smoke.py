"""Use a running system as its users do: single requests, the whole test split, a batch file."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np

from training import folder
from training.client.answers import lines, outputs
from training.client.batch_client import drop_and_wait
from training.client.clients import HttpClient
from training.client.requests import request
from training.data.split import Split
from training.measuring import reload as testsplit
from training.publishing.stores import WritableStore
from weir.api.inference import Call
from weir.catalog.keys import batch_key
from weir.catalog.manifest import Manifest
from weir.errors import Unavailable

_SHOWN = 5
_PER_REQUEST = 256
_TIMEOUT_S = 120

Progress = Callable[[str, int, int], None]


def tour(trained: Path, url: str, store: WritableStore, on_progress: Progress) -> Iterator[str]:
    """Ask both mounts and the batch function for the test split, and tell what they said.

    Raises:
        Unavailable: the same rows got other labels from the batch function than from the API.
    """
    manifest = folder.manifest(trained)
    test = testsplit.load(manifest)
    yield from _single(manifest, test, url)
    for cascade in (False, True):
        asked = _labels(manifest, test, url, on_progress, cascade=cascade)
        name = "the cascade" if cascade else "the end-to-end model"
        right = float(np.mean([label == manifest.labels[y] for label, y in zip(asked, test.labels, strict=True)]))
        yield f"{name} answered {len(asked)} test rows over HTTP, {100 * right:.1f} % of them right"
        dropped = _dropped(manifest, test, store, on_progress, cascade=cascade)
        if dropped != asked:
            raise Unavailable("the batch function and the API give the same labels", dropped)
        yield f"{name} answered the same rows as a file dropped in S3, with the same labels"


def _single(manifest: Manifest, test: Split, url: str) -> Iterator[str]:
    body = request(manifest.inputs[0].name, test.spread(_SHOWN).astype(np.float64))
    yield f"POST {url}/cascade/v2/models/{manifest.model}/infer"
    yield from (f"  {line}" for line in lines(HttpClient(url, cascade=True).infer(manifest.model, "", Call(body))))


def _labels(manifest: Manifest, test: Split, url: str, on_progress: Progress, *, cascade: bool) -> list[str]:
    client, found = HttpClient(url, cascade=cascade), []
    for start in range(0, len(test.inputs), _PER_REQUEST):
        rows = test.inputs[start : start + _PER_REQUEST].astype(np.float64)
        found += outputs(client.infer(manifest.model, "", Call(request(manifest.inputs[0].name, rows))))["label"]
        on_progress("asking over HTTP, rows", len(found), len(test.inputs))
    return found


def _dropped(
    manifest: Manifest, test: Split, store: WritableStore, on_progress: Progress, *, cascade: bool
) -> list[str]:
    file = io.BytesIO()
    np.save(file, test.inputs)
    key = batch_key(manifest.model, "test.npy", cascade=cascade)
    summary = drop_and_wait(store, key, file.getvalue(), timeout_s=_TIMEOUT_S, on_wait=on_progress)
    answered = store.read(key.predictions) if summary.error is None else None
    if answered is None:
        raise Unavailable("the batch function answers the test split", summary.error)
    return [msgspec.json.decode(line)["label"] for line in answered[0].splitlines()]
