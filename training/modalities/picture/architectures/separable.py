"""A network of depthwise-separable convolutions, which have an eighth of the weights of others.

Howard et al. 2017, arXiv 1704.04861. On one thread it is not faster than `residual`; its file is smaller.
"""

from training.configured_keras import keras
from training.modalities.picture.architectures.conv import MOMENTUM, with_channels

layers = keras.layers


def body(scaled: keras.KerasTensor) -> keras.KerasTensor:
    """About 1.1 million multiply-adds on 32x32 in colour."""
    first = layers.Conv2D(16, 3, 2, padding="same", use_bias=False)(with_channels(scaled))
    features = layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM)(first))
    for filters, stride in ((32, 1), (64, 2), (64, 1), (96, 2), (96, 1), (128, 2)):
        features = _separable(features, filters, stride)
    return layers.Dropout(0.5)(layers.Flatten()(features))


def _separable(features: keras.KerasTensor, filters: int, stride: int) -> keras.KerasTensor:
    for layer in (
        layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False),
        layers.Conv2D(filters, 1, use_bias=False),
    ):
        features = layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM)(layer(features)))
    return features
