"""Real, tiny models and stores for every test."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from weir import keys
from weir.interpreter import RUNTIMES, installed
from weir.manifest import (
    Alias,
    Artifact,
    EndToEnd,
    Level,
    Manifest,
    Provenance,
    TensorSpec,
    encode,
)

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


def make_manifest(model: str = "thirds", thresholds: tuple[float, float] = (0.9, 0.9)) -> Manifest:
    """Describe a three-level model over the tiny networks."""
    levels = zip(("tiny", "small", "large"), (*thresholds, 0.0), strict=True)
    return Manifest(
        model=model,
        task=model,
        labels=LABELS,
        prior=(0.25, 0.25, 0.5),
        inputs=(TensorSpec(name="image", shape=(-1, 4, 4), meaning="brightness, 0 to 255"),),
        end_to_end=EndToEnd(artifact=artifact("large")),
        levels=tuple(Level(name=name, artifact=artifact(name), threshold=threshold) for name, threshold in levels),
        provenance=Provenance(data_digest="0" * 64, seed=0, libraries={}, configuration={}),
    )


def store_version(root: Path, manifest: Manifest, number: int = 1) -> None:
    """Lay a version and its champion alias into a folder, as publication does."""
    for name in ("tiny", "small", "large"):
        content = (NETWORKS / f"{name}.tflite").read_bytes()
        path = root / keys.artifact(manifest.model, number, hashlib.sha256(content).hexdigest())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (root / keys.manifest(manifest.model, number)).write_bytes(encode(manifest))
    alias = root / keys.alias(manifest.model, "champion")
    alias.parent.mkdir(parents=True, exist_ok=True)
    alias.write_bytes(msgspec.json.encode(Alias(version=number)))


@pytest.fixture
def thirds(tmp_path: Path) -> Path:
    """A folder store that serves the model `thirds`."""
    root = tmp_path / "store"
    store_version(root, make_manifest())
    return root


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> str:
    """Each TFLite interpreter in turn; Python 3.12 has only the deployed one."""
    name: str = request.param
    if name not in installed():
        pytest.skip(f"{name} has no build for this Python")
    return name


@pytest.fixture
def pictures() -> NDArray[np.float32]:
    """Bright left, faint right, even, bright right: four rows that leave at different levels."""
    rows = np.zeros((4, 4, 4), np.float32)
    rows[0, :, 0], rows[1, :, 3], rows[3, :, 3] = 255, 60, 255
    return rows


Handler = Callable[[dict[str, object], object], dict[str, object]]
