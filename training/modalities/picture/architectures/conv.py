"""Small convolutional networks of six sizes, of 3x3 kernels.

Strides are at most 2: TensorFlow 2.19 converts a stride above the kernel's size to a network whose outputs are zero.
"""

from training.configured_keras import keras

layers = keras.layers

MOMENTUM = 0.9
"""of the statistics of normalisation in newer networks; with Keras' 0.99, the variance of 1 that they begin with is
still seen after hundreds of steps, in layers whose own is a thousandth"""


def tiny(scaled: keras.KerasTensor) -> keras.KerasTensor:
    """About 40 thousand multiply-adds on 28x28."""
    return layers.Flatten()(_convolved(with_channels(scaled), (6, 2), (12, 2)))


def small(scaled: keras.KerasTensor) -> keras.KerasTensor:
    """About 0.5 million multiply-adds on 28x28."""
    return layers.Flatten()(_convolved(with_channels(scaled), (12, 2), (24, 2), (32, 2)))


def wide(scaled: keras.KerasTensor) -> keras.KerasTensor:
    """About 1.1 million multiply-adds on 28x28; takes little more time than `small`, for twice the filters."""
    return layers.Flatten()(_convolved(with_channels(scaled), (16, 2), (32, 2), (64, 2)))


def medium(scaled: keras.KerasTensor) -> keras.KerasTensor:
    """About 2.5 million multiply-adds on 28x28."""
    features = _convolved(with_channels(scaled), (16, 1), (32, 2), (48, 2))
    return layers.Dropout(0.3)(layers.Flatten()(features))


def large(scaled: keras.KerasTensor) -> keras.KerasTensor:
    """About 10 million multiply-adds on 28x28."""
    features = _convolved(with_channels(scaled), (24, 1), (32, 2), (64, 1), (64, 2), (96, 1))
    return layers.Dropout(0.4)(layers.Flatten()(layers.MaxPooling2D()(features)))


def xlarge(scaled: keras.KerasTensor) -> keras.KerasTensor:
    """About 15 million multiply-adds on 28x28."""
    features = _convolved(with_channels(scaled), (24, 1), (32, 2), (64, 1), (64, 2), (96, 1), (128, 1))
    return layers.Dropout(0.4)(layers.Flatten()(layers.MaxPooling2D()(features)))


def with_channels(scaled: keras.KerasTensor) -> keras.KerasTensor:
    """Give grey pixels `(n, height, width)` the channel that convolutions read; colour and one channel have theirs."""
    if len(scaled.shape) == 4:  # noqa: PLR2004 (n, height, width, channels)
        return scaled
    return layers.Reshape((*scaled.shape[1:], 1))(scaled)


def _convolved(features: keras.KerasTensor, *filters_and_strides: tuple[int, int]) -> keras.KerasTensor:
    """Stack 3x3 convolutions, each normalised and rectified."""
    for filters, stride in filters_and_strides:
        features = layers.Conv2D(filters, 3, stride, padding="same", use_bias=False)(features)
        features = layers.ReLU()(layers.BatchNormalization()(features))
    return features
