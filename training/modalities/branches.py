"""Networks of several inputs: a branch for each that they read, whose logits add up."""

from collections.abc import Mapping

from training.configured_keras import keras

_BRANCH = "branch_"


def added(networks: Mapping[str, keras.Model]) -> keras.Model:
    """Join a network for each of some inputs, `(n, …)` -> logits `(n, labels)`, into one whose logits are their sum.

    Its inputs have the names of the mapping. It shares the weights of the networks.
    """
    tensors: list[keras.KerasTensor] = []
    logits: list[keras.KerasTensor] = []
    for name, network in networks.items():
        (like,) = network.inputs
        tensors.append(keras.Input(like.shape[1:], dtype=like.dtype, name=name))
        branch = keras.Model(network.inputs, network.outputs[0], name=f"{_BRANCH}{len(logits)}")
        logits.append(branch(tensors[-1]))
    total = logits[0] if len(logits) == 1 else keras.layers.Add(name="logits")(logits)
    return keras.Model(tensors[0] if len(tensors) == 1 else tensors, total, name="several")


def of(network: keras.Model) -> dict[str, keras.Model]:
    """Return the branches of a network by the names of their inputs; none where it was not joined of some."""
    found = [layer for layer in network.layers if layer.name.startswith(_BRANCH)]
    return dict(zip([tensor.name for tensor in network.inputs], found, strict=True)) if found else {}
