"""A model of two inputs, of different datatypes."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from tests.serving import artifact, make_manifest
from weir.catalog.inputs import Tensor
from weir.catalog.levels import Classifier
from weir.catalog.manifest import EndToEnd, Manifest

A, B = np.array([[1, 2], [0.5, -1], [3, 3]], np.float32), np.array([[3, 4, 5], [0, -2, 7], [-9, 6, 0]], np.int32)

ROWS = np.empty(3, [("a", "<f4", (2,)), ("b", "<i4", (3,))])
ROWS["a"], ROWS["b"] = A, B


def pair_manifest() -> Manifest:
    """Describe a model over `tests/networks/pair.tflite`, as one network and as a level."""
    network = artifact("pair")
    return msgspec.structs.replace(
        make_manifest("pair"),
        inputs=(
            Tensor(name="a", shape=(-1, 2), meaning="two numbers"),
            Tensor(name="b", shape=(-1, 3), datatype="INT32", meaning="three whole numbers"),
        ),
        end_to_end=EndToEnd(artifact=network),
        levels=(Classifier(name="only", network=network, threshold=0.0),),
    )


def pair_logits() -> NDArray[np.float32]:
    """Compute the network's logits of the rows, by the formula of `tests/networks/make.py`."""
    logits: NDArray[np.float32] = A @ np.array([[1, 0, 0], [0, 2, 0]], np.float32) + B @ np.array(
        [[0, 0, 1], [0, 0.5, 0], [-1, 0, 0]], np.float32
    )
    return logits
