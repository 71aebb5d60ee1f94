"""The classic dense networks: 784 -> 128 (-> 128) -> labels."""

from training.configured_keras import keras

layers = keras.layers


def one_hidden(scaled: keras.KerasTensor) -> keras.KerasTensor:
    """One hidden layer of 128 ReLUs."""
    return layers.Dense(128, activation="relu")(layers.Flatten()(scaled))


def two_hidden(scaled: keras.KerasTensor) -> keras.KerasTensor:
    """Two hidden layers of 128 ReLUs."""
    return layers.Dense(128, activation="relu")(one_hidden(scaled))
