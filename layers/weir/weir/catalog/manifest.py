"""The manifest: all that serving needs to know of one published version, and nothing else."""

import math
import re
from collections import Counter
from typing import Literal

import msgspec

from weir.catalog.inputs import Input, check_inputs
from weir.catalog.levels import Classifier, Expert, Experts, Level, MeasuredMetrics, Router
from weir.catalog.promises import Abstention, Certificate, PredictionSets
from weir.catalog.upgrade import Document, upgraded
from weir.errors import BadManifest

SCHEMA_VERSION = "2.1"
FILE = "manifest.json"

_UPGRADED = "1"
"""the major version that is still read"""

Quantization = Literal["float32", "float16", "dynamic", "int8"]


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable `.tflite`: rows in, logits out."""

    digest: str
    """sha256 of the bytes, in hex; the file's name"""
    size_bytes: int
    quantization: Quantization
    interpreters: dict[str, str]
    """interpreter package -> the oldest version known to load it"""


class EndToEnd(msgspec.Struct, frozen=True, kw_only=True):
    """The one network that does everything."""

    artifact: Artifact
    temperature: float = 1.0
    metrics: MeasuredMetrics | None = None


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
    levels: tuple[Level[Artifact], ...]
    cascade_metrics: MeasuredMetrics | None = None
    """of all levels together"""
    groups: dict[str, tuple[str, ...]] = {}
    """the hierarchy: group -> its labels; every label is in one group, or there are no groups"""
    fused_temperature: float = 1.0
    """calibrates the posterior at a row's exit, where `replace` or `pool` made it; labels stay"""
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
        artifacts = [self.end_to_end.artifact, *(artifact for level in self.levels for artifact in level.networks)]
        return {artifact.digest: artifact for artifact in artifacts}

    @property
    def outputs(self) -> dict[str, int]:
        """How many outputs each artifact has, by digest: labels, groups of a router, an expert's labels."""
        outputs = {self.end_to_end.artifact.digest: len(self.labels)}
        for level in self.levels:
            outputs |= self._outputs(level)
        return outputs

    def _outputs(self, level: Level[Artifact]) -> dict[str, int]:
        match level:
            case Classifier():
                return {level.network.digest: len(self.labels)}
            case Router():
                return {level.network.digest: len(self.groups)}
            case Experts():
                return {expert.network.digest: len(self.groups[group]) for group, expert in level.experts.items()}


def encode(manifest: Manifest) -> bytes:
    """Write a manifest as indented JSON, keys in the order of the type, in the schema of this Weir."""
    written = msgspec.structs.replace(manifest, schema_version=SCHEMA_VERSION)
    return msgspec.json.format(msgspec.json.encode(written), indent=1) + b"\n"


def decode(data: bytes) -> Manifest:
    """Read a manifest of schema 1.x or 2.x, ignoring unknown keys.

    Raises:
        BadManifest: it is no manifest, its schema is of another major version, or its parts disagree.
    """
    try:
        manifest = _decoded(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        raise BadManifest("a manifest is the JSON document that `weir train` writes", exc) from exc
    _check(manifest)
    return manifest


class _Versioned(msgspec.Struct):
    schema_version: str


def _decoded(data: bytes) -> Manifest:
    version = msgspec.json.decode(data, type=_Versioned).schema_version
    major, newest = version.partition(".")[0], SCHEMA_VERSION.partition(".")[0]
    if major == newest:
        return msgspec.json.decode(data, type=Manifest)
    if major == _UPGRADED:
        return msgspec.convert(upgraded(msgspec.json.decode(data, type=Document)), Manifest)
    rule = f"this Weir reads manifests of schema version {_UPGRADED}.x and {newest}.x; upgrade it to read others"
    raise BadManifest(rule, version)


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


def _check_level(level: Level[Artifact], number: int, manifest: Manifest) -> None:
    match level:
        case Experts():
            _check_experts(level, manifest)
        case Router() if not manifest.groups:
            raise BadManifest("a model with a router has groups", level.name)
    if not number and level.fusion == "pool":
        raise BadManifest("the first level has nothing to pool with", level.name)


def _check_experts(level: Experts[Artifact], manifest: Manifest) -> None:
    if not level.experts:
        raise BadManifest("a level of experts has an expert for some group", level.name)
    if unknown := set(level.experts) - set(manifest.groups):
        raise BadManifest(
            f"experts are for groups of the model: {', '.join(manifest.groups) or 'none'}", sorted(unknown)
        )


def _check_numbers(manifest: Manifest) -> None:
    for temperature in _temperatures(manifest):
        if not temperature > 0:
            raise BadManifest("temperatures are above 0", temperature)
    for expert in _experts(manifest):
        if not 0 <= expert.before_weight < math.inf:
            raise BadManifest("weights of the level before are finite and at least 0", expert.before_weight)


def _experts(manifest: Manifest) -> list[Expert[Artifact]]:
    levels = (level for level in manifest.levels if isinstance(level, Experts))
    return [expert for level in levels for expert in level.experts.values()]


def _temperatures(manifest: Manifest) -> tuple[float, ...]:
    return (
        manifest.fused_temperature,
        manifest.end_to_end.temperature,
        *(level.temperature for level in manifest.levels if not isinstance(level, Experts)),
        *(expert.temperature for expert in _experts(manifest)),
    )
