"""The manifest: all that serving needs to know of one published version, and nothing else."""

import math
import re
from collections import Counter
from typing import Literal

import msgspec

from weir.catalog.inputs import Input, check_inputs, with_kinds
from weir.catalog.promises import Abstention, Certificate, PredictionSets
from weir.errors import BadManifest

SCHEMA_VERSION = "1.3"
FILE = "manifest.json"

Quantization = Literal["float32", "float16", "dynamic", "int8"]
Fusion = Literal["replace", "pool", "refine"]
Kind = Literal["cascade", "router", "experts"]


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable `.tflite`: bytes in, logits out."""

    digest: str
    """sha256 of the bytes, in hex; the file's name"""
    size_bytes: int
    quantization: Quantization
    interpreters: dict[str, str]
    """interpreter package -> the oldest version known to load it"""


class TestMetrics(msgspec.Struct, frozen=True, kw_only=True):
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
    metrics: TestMetrics | None = None


class Expert(msgspec.Struct, frozen=True, kw_only=True):
    """The network that knows one group's labels, in the order of the model's labels."""

    artifact: Artifact
    temperature: float = 1.0
    before_weight: float = 0.0
    """weight of the level before's word on the group's labels, pooled with the expert's own; 0: the expert's alone"""


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the ladder; level 0 is the cheapest.

    A `cascade` level knows all labels, a `router` the groups, `experts` the labels within their groups.
    """

    name: str
    kind: Kind = "cascade"
    artifact: Artifact | None = None
    """the network; experts have one each instead"""
    experts: dict[str, Expert] = {}
    """group -> its expert, of the kind `experts`; a group without one keeps the word of the level before"""
    temperature: float = 1.0
    """calibrates this level's probabilities; experts have their own"""
    fusion: Fusion = "replace"
    weights: tuple[float, float] = (1.0, 1.0)
    """of `pool`: of the levels before, of this one"""
    threshold: float
    """rows whose confidence is at or above it exit here; the last level answers all the same"""
    metrics: TestMetrics | None = None

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """Every network of this level."""
        own = () if self.artifact is None else (self.artifact,)
        return (*own, *(expert.artifact for expert in self.experts.values()))


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
    inputs: tuple[Input, ...]
    end_to_end: EndToEnd
    levels: tuple[Level, ...]
    groups: dict[str, tuple[str, ...]] = {}
    """the hierarchy: group -> its labels; every label is in one group, or there are no groups"""
    fused_temperature: float = 1.0
    """calibrates what the cascade says in the end, when `replace` or `pool` said it; labels stay"""
    certificate: Certificate | None = None
    """what the thresholds promise"""
    certificate_absent_because: str | None = None
    """why there is none; then only the last level runs"""
    abstention: Abstention | None = None
    sets: PredictionSets | None = None
    provenance: Provenance
    publication: Publication | None = None

    @property
    def artifacts(self) -> dict[str, Artifact]:
        """Every artifact once, by digest."""
        found = [self.end_to_end.artifact, *(artifact for level in self.levels for artifact in level.artifacts)]
        return {artifact.digest: artifact for artifact in found}

    @property
    def outputs(self) -> dict[str, int]:
        """How many outputs each artifact has, by digest: labels, groups of a router, an expert's labels."""
        labels, groups = len(self.labels), len(self.groups)
        found = {self.end_to_end.artifact.digest: labels}
        for level in self.levels:
            if level.artifact is not None:
                found[level.artifact.digest] = groups if level.kind == "router" else labels
            for group, expert in level.experts.items():
                found[expert.artifact.digest] = len(self.groups[group])
        return found


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
        manifest = msgspec.convert(with_kinds(msgspec.json.decode(data)), Manifest)
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
    check_inputs(manifest.inputs)
    _check_groups(manifest)
    for number, level in enumerate(manifest.levels):
        _check_level(level, number, manifest)
    _check_numbers(manifest)
    for digest in manifest.artifacts:
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise BadManifest("artifacts are named by the sha256 of their bytes", digest)


def _check_groups(manifest: Manifest) -> None:
    if manifest.groups and Counter(label for group in manifest.groups.values() for label in group) != Counter(
        manifest.labels
    ):
        raise BadManifest("every label is in one group", manifest.groups)


def _check_level(level: Level, number: int, manifest: Manifest) -> None:
    if level.kind == "experts":
        if level.artifact is not None or not level.experts or level.fusion != "refine":
            raise BadManifest("a level of experts has an expert for some group, and the fusion refine", level.name)
    elif level.artifact is None or level.experts or level.fusion == "refine":
        raise BadManifest(
            f"a level of the kind {level.kind} has one artifact, and its fusion is replace or pool", level.name
        )
    if unknown := set(level.experts) - set(manifest.groups):
        raise BadManifest(
            f"experts are for groups of the model: {', '.join(manifest.groups) or 'none'}", sorted(unknown)
        )
    if level.kind == "router" and not manifest.groups:
        raise BadManifest("a model with a router has groups", level.name)
    if not number and level.fusion == "pool":
        raise BadManifest("the first level has nothing to pool with", level.name)


def _check_numbers(manifest: Manifest) -> None:
    for temperature in _temperatures(manifest):
        if not temperature > 0:
            raise BadManifest("temperatures are above 0", temperature)
    for expert in _experts(manifest):
        if not 0 <= expert.before_weight < math.inf:
            raise BadManifest("weights of the level before are finite and at least 0", expert.before_weight)


def _experts(manifest: Manifest) -> tuple[Expert, ...]:
    return tuple(expert for level in manifest.levels for expert in level.experts.values())


def _temperatures(manifest: Manifest) -> tuple[float, ...]:
    return (
        manifest.fused_temperature,
        manifest.end_to_end.temperature,
        *(level.temperature for level in manifest.levels),
        *(expert.temperature for expert in _experts(manifest)),
    )
