"""Networks of pictures by name: a layer that scales the pixels, a body, and a dense layer that gives the logits.

The bodies differ, and have a file for each family; the other two layers are the same in all networks.
"""

from collections.abc import Callable

from training.configured_keras import keras
from training.modalities.picture.architectures import conv, mlp
from training.modalities.recipe import Recipe
from weir.catalog.inputs import Picture
from weir.errors import BadInput

Body = Callable[[keras.KerasTensor], keras.KerasTensor]
"""scaled pixels `(n, height, width)`, 0 to 1 -> features `(n, features)`"""

BODIES: dict[str, Body] = {
    "mlp": mlp.one_hidden,
    "mlp2": mlp.two_hidden,
    "conv-tiny": conv.tiny,
    "conv-small": conv.small,
    "conv-wide": conv.wide,
    "conv-medium": conv.medium,
    "conv-large": conv.large,
    "conv-xlarge": conv.xlarge,
}

CLASSIC = Recipe(decays="everything", balance=False)
"""the task states the epochs"""


def recipe(name: str) -> Recipe:
    """Say how a network is trained unless its task says otherwise. Raises `BadInput` for a name that no network has."""
    known(name)
    return CLASSIC


def known(name: str) -> None:
    """Refuse a name that no network has. Raises `BadInput`."""
    if name not in BODIES:
        raise BadInput(f"an architecture is one of {', '.join(BODIES)}", name)


def check(name: str, picture: Picture) -> None:
    """Refuse a name that no network has, and pictures that are too small for a network. Raises `BadInput`."""
    known(name)
    try:
        BODIES[name](keras.Input(picture.row_shape))
    except ValueError as exc:  # pooling and strides leave nothing of a picture
        got = f"{picture.height} x {picture.width} pixels"
        raise BadInput(f"pictures are large enough for {name}, of which its layers leave less and less", got) from exc


def build(name: str, picture: Picture, labels: int, seed: int) -> keras.Model:
    """Build a network from raw rows `(n, height, width)` to logits `(n, labels)`, with seeded weights.

    Raises:
        BadInput: no network has this name.
    """
    known(name)
    keras.utils.clear_session(free_memory=False)  # layers are numbered from the first, whatever was built before
    keras.utils.set_random_seed(seed)
    black, white = picture.range
    inputs = keras.Input(picture.row_shape)
    scaled = keras.layers.Rescaling(1 / (white - black), -black / (white - black))(inputs)
    return keras.Model(inputs, keras.layers.Dense(labels)(BODIES[name](scaled)), name=name.replace("-", "_"))
