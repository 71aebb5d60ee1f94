"""The part of a network that no training changes: it is computed once for a data set, and the rest is trained on it."""

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from training.configured_keras import keras
from training.modalities.text.architectures.hashed import FRONT
from training.modalities.text.cleaning import Rows

Front = Callable[[Rows], NDArray[Any]]
"""rows `(n, most_bytes)` -> what the rest of the network reads, `(n, …)`"""


def parted(model: keras.Model) -> tuple[Front, keras.Model]:
    """Part a network into its front and the rest, which shares its weights.

    The rest of what the front makes of rows is what the network makes of them. A network without a front is all rest.
    """
    names = [layer.name for layer in model.layers]
    if FRONT not in names:
        return (lambda rows: rows), model
    front = names.index(FRONT)
    inputs = outputs = keras.Input((None,), dtype="int32")
    for layer in model.layers[front + 1 :]:
        outputs = layer(outputs)
    return model.layers[front].compact, keras.Model(inputs, outputs, name=model.name)
