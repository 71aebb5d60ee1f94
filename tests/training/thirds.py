"""Pictures for the tiny networks of tests/networks, and the bytes of those networks."""

import numpy as np

from tests.serving import NETWORKS, artifact
from training.data.split import Split
from weir.engine.arrays import Labels

_FILES = {artifact(name).digest: name for name in ("tiny", "small", "large", "router", "outer")}


def fetch(digest: str) -> bytes:
    """Read a network of tests/networks by its digest."""
    return (NETWORKS / f"{_FILES[digest]}.tflite").read_bytes()


def pictures(rows: int = 200, seed: int = 2) -> Split:
    """Draw noise that is brighter on the left, in the middle or on the right."""
    random = np.random.default_rng(seed)
    labels: Labels = random.integers(0, 3, rows)
    images = random.uniform(0, 120, (rows, 4, 4)).astype(np.float32)
    for row, label in enumerate(labels):
        images[row, :, (0, 1, 3)[label]] += 60
    return Split(images, labels)
