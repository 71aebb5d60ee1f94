"""A network of `keras.applications` without its last layer, and a dense layer that gives the logits.

An architecture `backbone:NAME[,weights=…][,frozen]`: weights are `imagenet` (Keras keeps them in its cache, and
downloads them the first time), or the path of a file that Keras wrote for this network without its top; without them
they are random. What is frozen keeps its weights, and only the last layer learns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from training.configured_keras import keras
from weir.catalog.inputs import Picture
from weir.errors import BadInput, Unavailable

_PREFIX = "backbone:"
FORM = "backbone:NAME[,weights=imagenet or a file][,frozen]"
_IMAGENET = "imagenet"

_RAW, _SYMMETRIC = (0.0, 255.0), (-1.0, 1.0)
BACKBONES: Mapping[str, tuple[float, float]] = {
    "MobileNetV2": _SYMMETRIC,
    "MobileNetV3Small": _RAW,
    "MobileNetV3Large": _RAW,
    "EfficientNetB0": _RAW,
    "EfficientNetB1": _RAW,
    "EfficientNetB2": _RAW,
    "EfficientNetV2B0": _RAW,
    "EfficientNetV2B1": _RAW,
}
"""name in `keras.applications` -> the values of black and white that it expects"""

_LEAST_SIDE = 32
"""in pixels, as Keras has it for all of them"""


@dataclass(frozen=True)
class Backbone:
    """A backbone as a task names it."""

    name: str
    weights: str = ""
    frozen: bool = False


def is_backbone(architecture: str) -> bool:
    """Tell whether an architecture names a backbone."""
    return architecture.startswith(_PREFIX)


def parse(architecture: str) -> Backbone:
    """Read the name and the options of a backbone. Raises `BadInput`."""
    name, *options = (part.strip() for part in architecture.removeprefix(_PREFIX).split(","))
    if name not in BACKBONES:
        raise BadInput(f"a backbone is one of {', '.join(BACKBONES)}", name)
    weights = [option.removeprefix("weights=") for option in options if option.startswith("weights=")]
    frozen = "frozen" in options
    if len(weights) + frozen != len(options) or len(weights) > 1:
        raise BadInput(f"a backbone is named {FORM}", architecture)
    return Backbone(name, weights[0] if weights else "", frozen)


def check(architecture: str, picture: Picture) -> None:
    """Refuse options that are wrong, a file that is not there, and pictures that are too small. Raises `BadInput`."""
    one = parse(architecture)
    if min(picture.height, picture.width) < _LEAST_SIDE:
        rule = f"pictures for a backbone are at least {_LEAST_SIDE} pixels high and wide"
        raise BadInput(rule, f"{picture.height} x {picture.width} pixels")
    if one.weights not in {"", _IMAGENET} and not Path(one.weights).is_file():
        raise BadInput("weights of a backbone are imagenet, or a file", one.weights)


def build(architecture: str, picture: Picture, labels: int) -> keras.Model:
    """Build a network from raw rows to logits `(n, labels)`.

    Raises:
        BadInput: as `check`, or the file has weights of another network.
        Unavailable: weights must be downloaded, and that failed.
    """
    check(architecture, picture)
    one = parse(architecture)
    body = _body(one, picture)
    body.trainable = not one.frozen
    inputs = keras.Input(picture.row_shape)
    features = keras.layers.Dropout(0.2)(body(_scaled(inputs, picture, BACKBONES[one.name])))
    return keras.Model(inputs, keras.layers.Dense(labels)(features), name=one.name.lower())


def _body(one: Backbone, picture: Picture) -> keras.Model:
    shape = (picture.height, picture.width, 3)
    make = getattr(keras.applications, one.name)
    try:
        body: keras.Model = make(include_top=False, weights=one.weights or None, input_shape=shape, pooling="avg")
    except Exception as exc:  # Keras raises Exception itself for a download that failed, and ValueError for a file
        if one.weights == _IMAGENET:
            raise Unavailable(f"Keras did not download the weights of {one.name}, which it has not kept", exc) from exc
        raise BadInput(f"weights are those of {one.name} without its top, in a file that Keras wrote", exc) from exc
    return body


def _scaled(inputs: keras.KerasTensor, picture: Picture, limits: tuple[float, float]) -> keras.KerasTensor:
    """Scale raw pixels to the values that a backbone expects; it reads grey three times."""
    (black, white), (low, high) = picture.range, limits
    factor = (high - low) / (white - black)
    scaled = keras.layers.Rescaling(factor, low - black * factor)(inputs)
    if picture.channels > 1:
        return scaled
    grey = keras.layers.Reshape((picture.height, picture.width, 1))(scaled)
    return keras.layers.Concatenate()([grey, grey, grey])
