"""Publish a training folder: claim a version, upload its artifacts, its manifest last, and move the alias."""

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
from weir.errors import Conflict, ModelUnavailable
from weir.inputs.rows import zeros
from weir.runtime.interpreter import Network

_ATTEMPTS = 50
"""races that one publication may lose before it gives up"""


@dataclass(frozen=True)
class Published:
    """What a publication made."""

    model: str
    version: int
    alias: str
    store: str


def publish(trained: Path, store: WritableStore, alias: str) -> Published:
    """Publish a complete training folder and let the alias serve it.

    The version exists once its manifest does, written after all artifacts; whoever is stopped before leaves a
    number that is never used.

    Raises:
        BadInput: the folder is not a complete training, or the alias is no name.
        ModelUnavailable: an artifact is missing or damaged, or an interpreter that it claims does not run it.
        Conflict: others kept winning the race for a version or for the alias.
        StoreUnavailable: the store did not answer, or refused.
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
    specs = manifest.inputs
    names = [spec.name for spec in specs]
    for interpreter in artifact.interpreters:
        logits = Network(content, interpreter, names).logits(zeros(specs))
        if logits.shape != (1, manifest.outputs[artifact.digest]) or not np.isfinite(logits).all():
            raise ModelUnavailable(f"{interpreter} runs the artifact", artifact.digest)
    return content


def _claim(model: str, store: WritableStore) -> int:
    """Claim the next version: the number after the highest claimed one."""
    claimed = [key.removeprefix(keys.versions(model)).partition("/")[0] for key in store.keys(keys.versions(model))]
    number = max((int(version) for version in claimed if keys.is_version(version)), default=0)
    for _ in range(_ATTEMPTS):
        number += 1
        if store.create(keys.claim(model, number), msgspec.json.encode({"claimed_at": _now()})):
            return number
    raise Conflict(f"a version is claimed within {_ATTEMPTS} attempts", number)


def _move(model: str, alias: str, number: int, store: WritableStore) -> None:
    """Let the alias serve a version; the version it served joins its history."""
    key = keys.alias(model, alias)
    for _ in range(_ATTEMPTS):
        found = store.read(key)
        if found is None:
            if store.create(key, msgspec.json.encode(Alias(version=number))):
                return
            continue
        before = decode_alias(found[0])
        after = Alias(version=number, history=(before.version, *before.history), canary=before.canary)
        if store.swap(key, msgspec.json.encode(after), found[1]):
            return
    raise Conflict(f"the alias moves within {_ATTEMPTS} attempts", alias)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
