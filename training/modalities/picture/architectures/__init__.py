"""Networks of pictures by name: a layer that scales the pixels, a body, and a dense layer that gives the logits.

The bodies differ, and have a file for each family; the other two layers are the same in all networks. All of them read
grey pictures and colour, of any size that their strides leave something of.
"""

from collections.abc import Callable
from dataclasses import dataclass

from training.configured_keras import keras
from training.modalities import own_architecture
from training.modalities.picture.architectures import backbone, conv, mlp, recipes, residual, separable
from training.modalities.recipe import Recipe
from weir.catalog.inputs import Picture
from weir.errors import BadInput

Body = Callable[[keras.KerasTensor], keras.KerasTensor]
"""scaled pixels `(n, height, width)` or `(n, height, width, 3)` -> features `(n, features)`"""


@dataclass(frozen=True)
class Architecture:
    """A body, and how its networks are trained unless their task says otherwise."""

    body: Body
    recipe: Recipe = recipes.CLASSIC
    darkest: float = 0.0
    """the scaled value of black; white is 1"""


ARCHITECTURES: dict[str, Architecture] = {
    "mlp": Architecture(mlp.one_hidden),
    "mlp2": Architecture(mlp.two_hidden),
    "conv-tiny": Architecture(conv.tiny),
    "conv-small": Architecture(conv.small),
    "conv-wide": Architecture(conv.wide),
    "conv-medium": Architecture(conv.medium),
    "conv-large": Architecture(conv.large),
    "conv-xlarge": Architecture(conv.xlarge),
    "tiny": Architecture(residual.strided, recipes.SHORT, -1.0),
    "residual": Architecture(residual.one_head, recipes.DEEP, -1.0),
    "residual-two-heads": Architecture(residual.two_heads, recipes.DEEP, -1.0),
    "separable": Architecture(separable.body, recipes.DEEP, -1.0),
}


def known(name: str) -> None:
    """Refuse a name that no network has. Raises `BadInput`."""
    if name not in ARCHITECTURES:
        others = f"{', '.join(ARCHITECTURES)}; {backbone.FORM}; {own_architecture.FORM}"
        raise BadInput(f"an architecture is one of {others}", name)


def recipe(name: str) -> Recipe:
    """Say how a network is trained unless its task says otherwise. Raises `BadInput` for a name that no network has."""
    if backbone.is_backbone(name):
        return recipes.FROZEN if backbone.parse(name).frozen else recipes.FINE_TUNED
    if own_architecture.is_own(name):
        return recipes.CLASSIC
    known(name)
    return ARCHITECTURES[name].recipe


def check(name: str, picture: Picture) -> None:
    """Refuse a name that no network has, and pictures that are too small for a network. Raises `BadInput`."""
    if backbone.is_backbone(name):
        return backbone.check(name, picture)
    if own_architecture.is_own(name):
        return own_architecture.check(name, picture)
    known(name)
    try:
        ARCHITECTURES[name].body(keras.Input(picture.row_shape))
    except ValueError as exc:  # pooling and strides leave nothing of a picture
        got = f"{picture.height} x {picture.width} pixels"
        raise BadInput(f"pictures are large enough for {name}, of which its layers leave less and less", got) from exc
    return None


def build(name: str, picture: Picture, labels: int, seed: int) -> keras.Model:
    """Build a network from raw rows to logits `(n, labels)`, with seeded weights.

    Raises:
        BadInput: no network has this name, or a network of the user's own, or a file of weights, breaks a rule.
        Unavailable: the weights of a backbone must be downloaded, and that failed.
    """
    keras.utils.clear_session(free_memory=False)  # layers are numbered from the first, whatever was built before
    keras.utils.set_random_seed(seed)
    if backbone.is_backbone(name):
        return backbone.build(name, picture, labels)
    if own_architecture.is_own(name):
        return own_architecture.build(name, picture, labels, seed)
    known(name)
    one = ARCHITECTURES[name]
    inputs = keras.Input(picture.row_shape)
    scaled = rescaled(picture, one.darkest)(inputs)
    return keras.Model(inputs, keras.layers.Dense(labels)(one.body(scaled)), name=name.replace("-", "_"))


def rescaled(picture: Picture, darkest: float) -> keras.layers.Layer:
    """Make the layer that scales raw pixels: black becomes `darkest`, and white 1."""
    black, white = picture.range
    span, scaled = white - black, 1 - darkest
    # Of 0 to 1 the offset is -0.0 where black is 0, as in earlier versions: its sign is part of the bytes of a network.
    return keras.layers.Rescaling(scaled / span, -(black * scaled / span - darkest))
