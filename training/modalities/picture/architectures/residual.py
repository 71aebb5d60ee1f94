"""Residual networks for small colour pictures, and the smallest of their kind without shortcuts.

He, Zhang, Ren & Sun 2016, arXiv 1512.03385. The features are flattened, not averaged: averages lost 3 to 6 points on
icons and emoji of 32x32, where places matter.
"""

from training.configured_keras import keras
from training.modalities.picture.architectures.conv import MOMENTUM, with_channels

layers = keras.layers


def strided(scaled: keras.KerasTensor) -> keras.KerasTensor:
    """Three convolutions of stride 2: about 0.7 million multiply-adds on 32x32 in colour."""
    features = with_channels(scaled)
    for filters in (16, 32, 64):
        features = layers.ReLU()(_normalised(features, filters, stride=2))
    return layers.Dropout(0.3)(layers.Flatten()(features))


def one_head(scaled: keras.KerasTensor) -> keras.KerasTensor:
    """Three residual blocks: about 2.4 million multiply-adds on 32x32 in colour."""
    return layers.Dropout(0.5)(_trunk(with_channels(scaled)))


def two_heads(scaled: keras.KerasTensor) -> keras.KerasTensor:
    """Have a second head that sees colours and little of their places: a mean, and maxima over 16x16 pixels."""
    pixels = with_channels(scaled)
    colours = layers.AveragePooling2D(2, padding="same")(pixels)
    for _ in range(2):
        colours = layers.Conv2D(32, 1, activation="relu")(colours)
    mean = layers.GlobalAveragePooling2D()(colours)
    maxima = layers.Flatten()(layers.MaxPooling2D(8, padding="same")(colours))
    return layers.Dropout(0.5)(layers.Concatenate()([_trunk(pixels), mean, maxima]))


def _trunk(pixels: keras.KerasTensor) -> keras.KerasTensor:
    features = layers.ReLU()(_normalised(pixels, 16, stride=2))
    for filters in (32, 64, 96):
        features = _block(features, filters)
    return layers.Flatten()(features)


def _block(features: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    """Halve height and width: two convolutions, and a shortcut that averages."""
    changed = layers.ReLU()(_normalised(features, filters, stride=2))
    changed = _normalised(changed, filters, stride=1)
    shortcut = layers.Conv2D(filters, 1, use_bias=False)(layers.AveragePooling2D(2, padding="same")(features))
    return layers.ReLU()(layers.Add()([changed, shortcut]))


def _normalised(features: keras.KerasTensor, filters: int, stride: int) -> keras.KerasTensor:
    convolved = layers.Conv2D(filters, 3, stride, padding="same", use_bias=False)(features)
    return layers.BatchNormalization(momentum=MOMENTUM)(convolved)
