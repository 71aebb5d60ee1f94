"""training.learning.settling."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from tests.training.tables import TABLE, rows
from tests.training.training_runs import prepared
from training.data.splits.split import Split
from training.learning.settling import imbalance, settle, settled_network, uneven
from training.modalities.recipe import Recipe
from training.task import ClassWeights, Data, Groups, NetworkSpec, SettledNetwork, Sizes, Task
from weir.errors import BadInput

CLASSIC = Recipe(decays="everything", balance=False)
OWN = NetworkSpec(
    name="n", architecture="mlp", epochs=3, batch_size=16, learning_rate=0.1, patience=2, weight_decay=0.5, shift=1
)
EVEN, UNEVEN = np.arange(320) % 2, np.arange(320) % 5 // 4


def test_what_the_task_says_takes_the_place_of_the_recipe() -> None:
    """And the recipe says the rest."""
    recipe = Recipe(steps=100, batch_size=None, learning_rate=0.01, patience=None, weight_decay=0.2, warm_up=0.05)
    assert settled_network(OWN, recipe, EVEN, "auto") == SettledNetwork(
        **msgspec.structs.asdict(OWN), warm_up=0.05, decays="kernels"
    )
    settled = settled_network(NetworkSpec(name="n", architecture="mlp"), recipe, EVEN, "auto")
    values = (settled.epochs, settled.batch_size, settled.learning_rate, settled.patience, settled.weight_decay)
    assert values == (10, 32, 0.01, None, 0.2)


def test_a_settled_network_stays_as_it_is() -> None:
    """The first architectures are trained as ever."""
    described = NetworkSpec(name="n", architecture="mlp", epochs=3)
    once = settled_network(described, CLASSIC, UNEVEN, "auto")
    assert once == SettledNetwork(name="n", architecture="mlp", epochs=3)
    assert settled_network(once, CLASSIC, UNEVEN, "auto") == once


def test_the_epochs_are_stated_where_no_recipe_has_them() -> None:
    """The error names the network."""
    with pytest.raises(BadInput, match=r"of the architecture mlp states its epochs\. Got: tiny has none"):
        settled_network(NetworkSpec(name="tiny", architecture="mlp"), CLASSIC, EVEN, "auto")


@pytest.mark.parametrize(
    ("class_weights", "balance", "even", "uneven_"),
    [
        ("auto", True, False, True),
        ("auto", False, False, False),
        ("balanced", False, True, True),
        ("none", True, False, False),
    ],
)
def test_labels_are_balanced_where_they_are_uneven(
    class_weights: ClassWeights, balance: bool, even: bool, uneven_: bool
) -> None:
    """If the recipe asks for it, or always, or never, as the task says."""
    recipe = Recipe(epochs=1, balance=balance)
    found = [settled_network(OWN, recipe, labels, class_weights).balanced for labels in (EVEN, UNEVEN)]
    assert found == [even, uneven_]


@pytest.mark.parametrize(("rarest", "expected"), [(30, False), (29, True)])
def test_labels_are_uneven_above_three_to_one(rarest: int, expected: bool) -> None:
    """90 rows of one label, and fewer of the other."""
    assert uneven(np.repeat([0, 1], [90, rarest])) is expected


def test_every_network_of_a_task_is_settled() -> None:
    """Levels, the end-to-end network and a router; a task of a table needs no more than their architectures."""
    spec = NetworkSpec(name="last", architecture="table-mlp")
    router = msgspec.structs.replace(spec, name="router", architecture="table-linear")
    task = Task(
        name="t",
        data=Data(source="none"),
        sizes=Sizes(validation=1, certification=1, test=1),
        end_to_end=spec,
        levels=(msgspec.structs.replace(spec, name="first", epochs=5, columns=("height",)),),
        hierarchy=Groups(generalist="first", router=router),
    )
    settled = settle(task, replace(prepared(rows(640)), inputs=(TABLE,)))
    assert [(network.name, network.epochs, network.steps_per_execution) for network in settled.networks] == [
        ("first", 5, 50),
        ("last", 200, 50),
    ]
    assert settled.levels[0].columns == ("height",)
    assert settled.hierarchy
    assert settled.hierarchy.router
    assert settled.hierarchy.router.epochs == 75


@pytest.mark.parametrize(
    ("class_weights", "said"),
    [
        ("none", 'every row counts alike; class_weights = "balanced" raises the recall of rare labels'),
        ("auto", 'every row counts alike; class_weights = "balanced" raises the recall of rare labels'),
        (
            "balanced",
            (
                "class weights make every label count alike in tiny, last, which raises the recall of rare labels at "
                "some cost in accuracy and calibration"
            ),
        ),
    ],
)
def test_the_imbalance_of_labels_is_told(class_weights: ClassWeights, said: str) -> None:
    """With the most frequent label and the rarest, and what is done about them; even labels need no line."""
    data = prepared()
    task = Task(
        name="t",
        data=Data(source="none"),
        levels=(NetworkSpec(name="tiny", architecture="mlp", epochs=1),),
        end_to_end=NetworkSpec(name="last", architecture="mlp", epochs=1),
        class_weights=class_weights,
    )
    assert imbalance(settle(task, data), data) == ""
    few = np.flatnonzero((data.train.labels != 1) | (np.arange(300) < 30))
    rare = replace(data, train=Split(data.train.inputs[few], data.train.labels[few]))
    assert imbalance(settle(task, rare), rare) == f"labels are uneven: 60 training rows of a, 6 of b; {said}"
