"""Models of the tiny networks of tests/networks, and pictures for them."""

import numpy as np

from tests.serving import artifact, fetch, layered_manifest, make_manifest
from training.data.split import Split
from weir.engine.arrays import Floats, Labels
from weir.engine.confidence import softmax
from weir.runtime.interpreter import DEPLOYED, Network

MANIFESTS = (make_manifest(thresholds=(0.4, 0.6)), layered_manifest())
"""a cascade of classifiers, and one with groups that may abstain; `pictures` exit at more than one level of each"""


def pictures(rows: int = 200, seed: int = 2) -> Split:
    """Draw noise that is brighter on the left, in the middle or on the right."""
    random = np.random.default_rng(seed)
    labels: Labels = random.integers(0, 3, rows)
    images = random.uniform(0, 120, (rows, 4, 4)).astype(np.float32)
    for row, label in enumerate(labels):
        images[row, :, (0, 1, 3)[label]] += 60
    return Split(images, labels)


def probabilities(name: str, rows: Floats, temperature: float = 1.0) -> Floats:
    """Run a network alone on rows `(n, 4, 4)`, and return its probabilities `(n, outputs)`."""
    return softmax(Network(fetch(artifact(name).digest), DEPLOYED).logits(rows), temperature)
