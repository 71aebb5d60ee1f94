"""Publish a training folder: claim a version, upload its artifacts, its manifest last, and move the alias."""

import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np

from training import folder
from training.publishing.stores import WritableStore
from weir.catalog import keys
from weir.catalog.aliases import Alias, decode_alias
from weir.catalog.manifest import Artifact, Manifest, Publication, encode
from weir.catalog.store_urls import without_credentials
from weir.errors import BadAlias, Conflict, ModelUnavailable, StoreUnavailable
from weir.inputs.rows import RowReader
from weir.runtime.interpreter import Network

_ATTEMPTS = 50
"""races with other publishers that one publication may lose before it gives up"""
_NO_TAG = '"00000000000000000000000000000000"'
"""an ETag that no object has"""


@dataclass(frozen=True)
class Published:
    """The version that was published, and the alias that serves it."""

    model: str
    version: int
    alias: str
    store: str


def publish(trained: Path, store: WritableStore, alias: str) -> Published:
    """Publish a complete training folder and let the alias serve it.

    The version exists once its manifest does, which is written after all artifacts. A publication that is stopped
    before that leaves a number that is never used.

    Raises:
        BadInput: the folder holds no complete training, or the alias breaks its rule.
        ModelUnavailable: an artifact is missing or damaged, an interpreter that it claims does not run it, or the
            alias document in the store is damaged.
        Conflict: other publishers kept winning the race for a version or for the alias.
        StoreUnavailable: the store did not answer, or refused, or can't keep two publishers apart.
    """
    manifest = folder.manifest(trained)
    keys.alias(manifest.model, alias)
    contents = {digest: _checked(trained, manifest, artifact) for digest, artifact in manifest.artifacts.items()}
    number = _claim(manifest.model, store)
    for digest, content in contents.items():
        store.put(keys.artifact(manifest.model, number, digest), content)
    publication = Publication(version=number, published_at=_now())
    store.put(keys.manifest(manifest.model, number), encode(msgspec.structs.replace(manifest, publication=publication)))
    _move(manifest.model, alias, number, store)
    return Published(manifest.model, number, alias, store.url)


def _checked(trained: Path, manifest: Manifest, artifact: Artifact) -> bytes:
    """Read an artifact after running it in every interpreter it claims."""
    content = folder.artifact(trained, artifact.digest)
    names, row = [one.name for one in manifest.inputs], RowReader(manifest.inputs).zeros()
    for interpreter in artifact.interpreters:
        logits = Network(content, interpreter, names).logits(row)
        if logits.shape != (1, manifest.outputs[artifact.digest]) or not np.isfinite(logits).all():
            raise ModelUnavailable(f"{interpreter} gives no finite logits", f"artifact {artifact.digest}")
    return content


def _claim(model: str, store: WritableStore) -> int:
    """Claim the next version: the number after the highest that is claimed."""
    claimed = [key.removeprefix(keys.versions(model)).partition("/")[0] for key in store.keys(keys.versions(model))]
    number = max((int(version) for version in claimed if keys.is_version(version)), default=0)
    for _ in range(_ATTEMPTS):
        number += 1
        claim = msgspec.json.encode({"claimed_at": _now(), "claimed_by": str(uuid.uuid4())})
        if store.create(keys.claim(model, number), claim):
            _check_conditions(keys.claim(model, number), claim, store)
            return number
    raise Conflict(f"{model} got no version", f"other publishers were first in {_ATTEMPTS} attempts, up to {number}")


def _check_conditions(key: str, content: bytes, store: WritableStore) -> None:
    """Try the writes that a store must refuse, on an object that was just created.

    A store that carries them out would let two publishers claim one version, or lose the move of an alias.

    Raises:
        StoreUnavailable: the store carried one of them out, or another publisher has replaced the object.
    """
    created = store.create(key, b"{}")
    swapped = store.swap(key, b"{}", _NO_TAG)
    stored = store.read(key)
    if created or swapped or stored is None or stored[0] != content:
        with suppress(StoreUnavailable):  # what is reported is why, not that the claim stays
            store.delete(key)
        ignored = "If-Match" if swapped and not created else "If-None-Match"
        raise StoreUnavailable(
            f"nothing can be published to {without_credentials(store.url)}",
            f"it ignores {ignored}; a store must refuse to create an object that exists (If-None-Match: *) and to "
            "replace one that has changed (If-Match)",
        )


def _move(model: str, alias: str, number: int, store: WritableStore) -> None:
    """Let the alias serve a version; the version it served joins its history."""
    key = keys.alias(model, alias)
    for _ in range(_ATTEMPTS):
        stored = store.read(key)
        if stored is None:
            if store.create(key, msgspec.json.encode(Alias(version=number))):
                return
            continue
        before = _decoded(key, stored[0])
        after = Alias(version=number, history=(before.version, *before.history), canary=before.canary)
        if store.swap(key, msgspec.json.encode(after), stored[1]):
            return
    raise Conflict(f"{alias} still serves another version", f"other publishers were first in {_ATTEMPTS} attempts")


def _decoded(key: str, document: bytes) -> Alias:
    try:
        return decode_alias(document)
    except BadAlias as exc:
        raise exc.named(key) from exc


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
