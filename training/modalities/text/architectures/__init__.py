"""Networks of texts by name."""

from typing import Protocol

from training.configured_keras import keras
from training.modalities import own_architecture
from training.modalities.recipe import Recipe
from training.modalities.text.architectures.conv import ConvNetwork
from training.modalities.text.architectures.hashed import HashedNetwork
from training.modalities.text.cleaning import Rows
from training.modalities.text.features import Features
from weir.catalog.inputs import Text
from weir.errors import BadInput


class Architecture(Protocol):
    """A network's layers, and how it is trained."""

    @property
    def recipe(self) -> Recipe:
        """How it is trained unless a task says otherwise."""

    def build(self, texts: keras.KerasTensor, outputs: int, rows: Rows) -> keras.KerasTensor:
        """Build it from texts `(n, most_bytes)` to logits `(n, outputs)`; `rows` are those it is trained on."""


LINEAR = Recipe(epochs=6, batch_size=64, learning_rate=0.02, patience=None)
END_TO_END = Recipe(epochs=8, batch_size=64, learning_rate=0.005, patience=None)
CONV = Recipe(epochs=12, batch_size=64, learning_rate=0.005, warm_up=0.05, patience=4, weight_decay=0.05)

ARCHITECTURES: dict[str, Architecture] = {
    "text-glance": HashedNetwork(Features((3,), 2**14, first=48), LINEAR),
    "text-tiny": HashedNetwork(Features((3,), 2**14), LINEAR),
    "text-small": HashedNetwork(Features((2, 3, 4), 2**14), LINEAR),
    "text-linear": HashedNetwork(Features((2, 3, 4, 5), 2**16, words=True), LINEAR),
    "text-hash": HashedNetwork(Features((2, 3, 4, 5), 2**16, words=True), END_TO_END, size=16, dropout=0.5),
    "text-conv": ConvNetwork(CONV),
}


def known(name: str) -> Architecture:
    """Return an architecture by its name. Raises `BadInput` for a name that no network has."""
    if name not in ARCHITECTURES:
        names = f"{', '.join(ARCHITECTURES)}; {own_architecture.FORM}"
        raise BadInput(f"an architecture is one of {names}", name)
    return ARCHITECTURES[name]


def check(name: str, text: Text) -> None:
    """Refuse a name that no network has, and a network of the user's own that does not fit. Raises `BadInput`."""
    if own_architecture.is_own(name):
        own_architecture.check(name, text)
    else:
        known(name)


def recipe(name: str) -> Recipe:
    """Say how a network is trained unless its task says otherwise. Raises `BadInput`."""
    return Recipe() if own_architecture.is_own(name) else known(name).recipe


def build(name: str, text: Text, outputs: int, seed: int, rows: Rows) -> keras.Model:
    """Build a network from texts `(n, most_bytes)` to logits `(n, outputs)`, with seeded weights.

    `rows` are those it is trained on. Raises `BadInput` for a name that no network has.
    """
    if own_architecture.is_own(name):
        return own_architecture.build(name, text, outputs, seed)
    architecture = known(name)
    keras.utils.clear_session(free_memory=False)  # layers are numbered from the first, whatever was built before
    keras.utils.set_random_seed(seed)
    inputs = keras.Input(text.row_shape, dtype="int32")
    return keras.Model(inputs, architecture.build(inputs, outputs, rows), name=name.replace("-", "_"))
