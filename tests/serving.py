"""Tiny real models, the stores that hold them, and the handlers that serve them."""

import hashlib
import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from local.events import HttpRequest, to_event
from local.worker import Context
from weir.api.routes import DEFAULT, find
from weir.catalog import keys
from weir.catalog.aliases import Alias
from weir.catalog.inputs import Picture
from weir.catalog.levels import Classifier, Expert, Experts, Router
from weir.catalog.manifest import Artifact, EndToEnd, Manifest, Provenance, encode
from weir.catalog.promises import Abstention, PredictionSets, Quantile
from weir.errors import Rejected

ROOT = Path(__file__).parents[1]
NETWORKS = Path(__file__).parent / "networks"
LABELS = ("left", "middle", "right")


def artifact(name: str) -> Artifact:
    """Describe one of the networks in tests/networks."""
    content = (NETWORKS / f"{name}.tflite").read_bytes()
    return Artifact(
        digest=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        quantization="float16",
        interpreters={"ai-edge-litert": "1.2.0"},
    )


NAMES = {artifact(path.stem).digest: path.stem for path in NETWORKS.glob("*.tflite")}
"""digest -> name, of each network"""


def fetch(digest: str) -> bytes:
    """Read one of the networks by its digest."""
    return (NETWORKS / f"{NAMES[digest]}.tflite").read_bytes()


def make_manifest(model: str = "thirds", thresholds: tuple[float | None, float | None] = (0.9, 0.9)) -> Manifest:
    """Describe a three-level model over 4x4 pictures."""
    levels = zip(("tiny", "small", "large"), (*thresholds, 0.0), strict=True)
    return Manifest(
        model=model,
        task=model,
        labels=LABELS,
        prior=(0.25, 0.25, 0.5),
        inputs=(Picture(name="image", shape=(-1, 4, 4), meaning="brightness, 0 to 255"),),
        end_to_end=EndToEnd(artifact=artifact("large")),
        levels=tuple(Classifier(name=name, network=artifact(name), threshold=threshold) for name, threshold in levels),
        provenance=Provenance(data_digest="0" * 64, seed=0, libraries={}, configuration={}),
    )


def layered_manifest() -> Manifest:
    """Describe a model with groups: a router, an expert for the outer thirds, the end-to-end model; it may abstain."""
    plain = make_manifest("layers")
    levels = (
        Router(name="router", network=artifact("router"), threshold=None),
        Experts(name="experts", experts={"outer": Expert(network=artifact("outer"))}, threshold=0.8),
        Classifier(name="large", network=artifact("large"), fusion="pool", weights=(0.5, 1.0), threshold=0.0),
    )
    return msgspec.structs.replace(
        plain,
        levels=levels,
        groups={"outer": ("left", "right"), "inner": ("middle",)},
        fused_temperature=2.0,
        abstention=Abstention(
            max_error=0.05, delta=0.05, threshold=0.6, group_threshold=0.7, rows=100, answered=90, wrong=1, p_value=0.04
        ),
        sets=PredictionSets(rows=100, quantiles=(Quantile(alpha=0.1, least=0.3, least_per_label=(0.5, 0.0, 0.5)),)),
    )


def digits_manifest() -> Manifest:
    """Describe a model over 28x28 digits, with the name in the sample events."""
    network = artifact("digits")
    return Manifest(
        model="mnist-sample",
        task="mnist-sample",
        labels=tuple("0123456789"),
        prior=(0.1,) * 10,
        inputs=(Picture(name="image", shape=(-1, 28, 28), meaning="brightness, 0 to 255"),),
        end_to_end=EndToEnd(artifact=network),
        levels=(Classifier(name="only", network=network, threshold=0.0),),
        provenance=Provenance(data_digest="0" * 64, seed=0, libraries={}, configuration={}),
    )


def version_files(manifest: Manifest, number: int = 1) -> dict[str, bytes]:
    """Lay out a version and its champion alias, as publication does: key -> bytes."""
    files = {keys.artifact(manifest.model, number, digest): fetch(digest) for digest in manifest.artifacts}
    files[keys.manifest(manifest.model, number)] = encode(manifest)
    files[keys.alias(manifest.model, "champion")] = msgspec.json.encode(Alias(version=number))
    return files


def store_version(root: Path, manifest: Manifest, number: int = 1) -> None:
    """Put a version and its champion alias into a folder store."""
    for key, content in version_files(manifest, number).items():
        path = root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def load_module(path: Path, name: str) -> ModuleType:
    """Import a file anew, under a name."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_app(name: str) -> ModuleType:
    """Import a handler's file anew, as a cold start does; it reads its environment then."""
    return load_module(ROOT / "functions" / name / "app.py", f"app_{name}")


def context() -> Context:
    """Make the context of one invocation."""
    return Context("test", 1769, float("inf"))


def http_event(method: str, path: str, body: bytes = b"", headers: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
    """Make the event of one request, by the route that API Gateway would choose."""
    try:
        key = find(method, path)[0].gateway_key
    except Rejected:
        key = DEFAULT
    return to_event(HttpRequest(method, path, "", [("content-type", "application/json"), *headers], body), key, {})


def request_body(data: object, shape: list[int], **other: object) -> bytes:
    """Make the body of an inference request for 4x4 pictures."""
    tensor = {"name": "image", "shape": shape, "datatype": "FP32", "data": data}
    return json.dumps({"inputs": [tensor], **other}).encode()


def outputs(answer: dict[str, Any]) -> dict[str, Any]:
    """Read the outputs of an inference answer: name -> data."""
    assert answer["statusCode"] == 200, answer
    return {tensor["name"]: tensor["data"] for tensor in json.loads(answer["body"])["outputs"]}


def call(app: ModuleType, method: str, path: str, body: bytes = b"") -> dict[str, Any]:
    """Send one request to a function."""
    answer: dict[str, Any] = app.handler(http_event(method, path, body), context())
    return answer


def error(answer: dict[str, Any]) -> str:
    """Read the error of an answer that holds nothing else."""
    document = json.loads(answer["body"])
    assert set(document) == {"error"}
    return str(document["error"])


def metrics_line(printed: str) -> dict[str, Any]:
    """Read the line of metrics of an invocation that printed nothing else."""
    (line,) = printed.splitlines()
    metrics: dict[str, Any] = json.loads(line)
    return metrics


def metrics_among_logs(printed: str) -> dict[str, Any]:
    """Read the one line of metrics among the other lines that an invocation printed, all of them JSON."""
    documents: list[dict[str, Any]] = [json.loads(line) for line in printed.splitlines()]
    (metrics,) = [document for document in documents if "_aws" in document]
    return metrics
