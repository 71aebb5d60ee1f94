"""Networks of tables by name: the front that all share, a body, and a layer that gives the logits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from training.configured_keras import keras
from training.modalities import own_architecture
from training.modalities.recipe import Recipe
from training.modalities.table.architectures import linear, mlp
from training.modalities.table.architectures.front import TableFront
from training.modalities.table.statistics import Statistics
from weir.catalog.inputs import Table
from weir.errors import BadInput

Body = Callable[[Sequence[keras.KerasTensor], int], keras.KerasTensor]
"""the encoded parts of rows, each `(n, values)`, and the number of labels -> logits `(n, labels)`"""


@dataclass(frozen=True)
class Architecture:
    """A network behind the front, and how it is trained by default."""

    body: Body
    recipe: Recipe
    divided: bool = True
    """whether numbers are also encoded in bins; without them a network takes half of the time or less"""


NETWORKS = {
    "table-plain": Architecture(linear.linear, linear.RECIPE, divided=False),
    "table-linear": Architecture(linear.linear, linear.RECIPE),
    "table-mlp": Architecture(mlp.mlp, mlp.RECIPE),
}


def known(name: str) -> None:
    """Refuse a name that no network has. Raises `BadInput`."""
    if name not in NETWORKS and not own_architecture.is_own(name):
        names = f"{', '.join(NETWORKS)}; {own_architecture.FORM}"
        raise BadInput(f"an architecture of a table is one of {names}", name)


def check(name: str, table: Table) -> None:
    """Refuse a name that no network has, and a network of the user's own that does not fit. Raises `BadInput`."""
    known(name)
    if own_architecture.is_own(name):
        own_architecture.check(name, table)


def recipe(name: str) -> Recipe:
    """Say how a network is trained unless its task says otherwise. Raises `BadInput` for a name that no network has."""
    known(name)
    return Recipe() if own_architecture.is_own(name) else NETWORKS[name].recipe


def build(name: str, table: Table, statistics: Statistics, labels: int, seed: int) -> keras.Model:
    """Build a network from rows `(n, values)` to logits `(n, labels)`, with seeded weights and fitted statistics.

    Raises:
        BadInput: no network has this name.
    """
    known(name)
    if own_architecture.is_own(name):
        return own_architecture.build(name, table, labels, seed)
    keras.utils.clear_session(free_memory=False)  # layers are numbered from the first, whatever was built before
    keras.utils.set_random_seed(seed)
    inputs = keras.Input(table.row_shape)
    one = NETWORKS[name]
    logits = one.body(TableFront.of(statistics if one.divided else statistics.undivided)(inputs), labels)
    return keras.Model(inputs, logits, name=name.replace("-", "_"))
