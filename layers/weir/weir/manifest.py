"""The manifest: all that serving needs to know of one published version, and nothing else."""

import re
from typing import Annotated, Literal

import msgspec

from weir.errors import BadManifest

SCHEMA_VERSION = "1.0"
FILE = "manifest.json"

Quantization = Literal["float32", "float16", "dynamic", "int8"]
Fusion = Literal["replace"]


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable `.tflite`: bytes in, logits out."""

    digest: str
    """sha256 of the bytes, in hex; the file's name"""
    size_bytes: int
    quantization: Quantization
    interpreters: dict[str, str]
    """interpreter package -> the oldest version known to load it"""


class TensorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One input of the model."""

    name: str
    shape: tuple[int, ...]
    """-1 (any number of rows) first"""
    datatype: Literal["FP32"] = "FP32"
    meaning: str = ""
    """what a value stands for, in words"""


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured on the test split, on one thread of the training machine."""

    accuracy: float
    latency_us: float
    """microseconds per row"""
    ece: float | None = None
    share: float | None = None
    """share of rows this level answered"""


class EndToEnd(msgspec.Struct, frozen=True, kw_only=True):
    """The one network that does everything."""

    artifact: Artifact
    temperature: float = 1.0
    metrics: Metrics | None = None


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the cascade; level 0 is the cheapest."""

    name: str
    kind: Literal["cascade"] = "cascade"
    artifact: Artifact
    temperature: float = 1.0
    fusion: Fusion = "replace"
    threshold: float
    """rows whose confidence is at or above it exit here; the last level answers all the same"""
    metrics: Metrics | None = None


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Where the version comes from."""

    data_digest: str
    seed: int
    libraries: dict[str, str]
    configuration: dict[str, object]


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of one publication; absent in a training folder."""

    version: int
    published_at: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one model."""

    schema_version: str = SCHEMA_VERSION
    model: str
    task: str
    labels: tuple[str, ...]
    prior: tuple[float, ...]
    """share of each label among the training rows"""
    inputs: tuple[TensorSpec, ...]
    end_to_end: EndToEnd
    levels: tuple[Level, ...]
    certificate: dict[str, object] | None = None
    """what the thresholds promise; this version makes no promise, and shows those of later ones"""
    certificate_absent_because: str = "thresholds were chosen on validation rows, without a certificate"
    provenance: Provenance
    publication: Publication | None = None

    @property
    def artifacts(self) -> dict[str, Artifact]:
        """Every artifact once, by digest."""
        found = [self.end_to_end.artifact, *(level.artifact for level in self.levels)]
        return {artifact.digest: artifact for artifact in found}


def encode(manifest: Manifest) -> bytes:
    """Write a manifest as indented JSON, keys in the order of the type."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def decode(data: bytes) -> Manifest:
    """Read a manifest, ignoring unknown keys and refusing an unknown major version.

    Raises:
        BadManifest: it is no manifest, its schema is of another major version, or its parts disagree.
    """
    try:
        version = msgspec.json.decode(data, type=_Versioned).schema_version
        _check_version(version)
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        raise BadManifest("a manifest is the JSON document that `weir train` writes", exc) from exc
    _check(manifest)
    return manifest


class _Versioned(msgspec.Struct):
    schema_version: str


def _check_version(version: str) -> None:
    ours = SCHEMA_VERSION.partition(".")[0]
    if version.partition(".")[0] != ours:
        raise BadManifest(f"this Weir reads manifests of schema version {ours}.x; upgrade it to read others", version)


def _check(manifest: Manifest) -> None:
    if len(manifest.labels) < 2 or len(set(manifest.labels)) != len(manifest.labels):  # noqa: PLR2004
        raise BadManifest("a model has at least two labels, all different", manifest.labels)
    if len(manifest.prior) != len(manifest.labels):
        raise BadManifest("the prior has one share for each label", manifest.prior)
    if not manifest.levels:
        raise BadManifest("a model has at least one level", manifest.levels)
    if len(manifest.inputs) != 1 or not _is_input(manifest.inputs[0]):
        raise BadManifest("a model has one input, of shape [-1, then sizes of at least 1]", manifest.inputs)
    for temperature in (manifest.end_to_end.temperature, *(level.temperature for level in manifest.levels)):
        if not temperature > 0:
            raise BadManifest("temperatures are above 0", temperature)
    for digest in manifest.artifacts:
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise BadManifest("artifacts are named by the sha256 of their bytes", digest)


def _is_input(spec: TensorSpec) -> bool:
    return len(spec.shape) > 1 and spec.shape[0] == -1 and all(size >= 1 for size in spec.shape[1:])


Version = Annotated[int, msgspec.Meta(ge=1, le=999_999_999)]


class Canary(msgspec.Struct, frozen=True, kw_only=True):
    """A second version that gets `weight` percent of the requests."""

    version: Version
    weight: int


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    """Which version a name like `champion` stands for, and which ones it stood for, newest first."""

    version: Version
    history: tuple[Version, ...] = ()
    canary: Canary | None = None


def decode_alias(data: bytes) -> Alias:
    """Read an alias document, else raise `BadManifest`."""
    try:
        return msgspec.json.decode(data, type=Alias)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        raise BadManifest('an alias is {"version": n, "history": [n, …]}', exc) from exc
