"""Settle how the networks of a task are trained: its own values, and for the others those of their recipes."""

from typing import Any

import msgspec
import numpy as np

from training.data.preparation import PreparedData
from training.data.splits.balance import rows_of
from training.modalities import modality_of
from training.modalities.recipe import Recipe
from training.task import ClassWeights, NetworkSpec, SettledGroups, SettledNetwork, SettledTask, Task
from weir.engine.arrays import Labels
from weir.errors import BadInput

_UNEVEN = 3
"""times as many training rows of the most frequent label as of the rarest, above which labels are uneven"""


def settle(task: Task, data: PreparedData) -> SettledTask:
    """Settle every network of a task, before anything is trained.

    Raises:
        BadInput: no such architecture, or neither the task nor the recipe says for how many epochs one is trained.
    """
    modality, labels = modality_of(data.inputs), data.train.labels

    def settled(spec: NetworkSpec) -> SettledNetwork:
        return settled_network(spec, modality.recipe(spec), labels, task.class_weights)

    values: dict[str, Any] = {
        **msgspec.structs.asdict(task),
        "end_to_end": settled(task.end_to_end),
        "levels": tuple(map(settled, task.levels)),
    }
    if task.hierarchy:
        router = task.hierarchy.router
        of_groups = {**msgspec.structs.asdict(task.hierarchy), "router": router and settled(router)}
        values["hierarchy"] = SettledGroups(**of_groups)
    return SettledTask(**values)


def settled_network(spec: NetworkSpec, recipe: Recipe, labels: Labels, class_weights: ClassWeights) -> SettledNetwork:
    """Settle one network for training rows of these labels `(rows,)`. Raises `BadInput`."""
    rows = len(labels)
    batch_size = spec.batch_size or recipe.batch_size_for(rows)
    epochs = spec.epochs or recipe.epochs_for(rows, batch_size)
    if epochs is None:
        raise BadInput(f"a network of the architecture {spec.architecture} states its epochs", f"{spec.name} has none")
    balance = class_weights == "balanced" or (class_weights == "auto" and recipe.balance and uneven(labels))
    settled: dict[str, Any] = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": recipe.learning_rate if spec.learning_rate is None else spec.learning_rate,
        "patience": spec.patience or recipe.patience,
        "weight_decay": recipe.weight_decay if spec.weight_decay is None else spec.weight_decay,
        "balanced": balance,
    }
    of_recipe = {key: getattr(recipe, key) for key in _OF_RECIPES}
    return SettledNetwork(**{**msgspec.structs.asdict(spec), **of_recipe, **settled})


_OF_RECIPES = ("warm_up", "beta_2", "label_smoothing", "average", "decays", "best_by", "steps_per_execution")
"""settings that tasks have no key for"""


def uneven(labels: Labels) -> bool:
    """Tell whether the most frequent of the labels `(rows,)` has more than three times the rows of the rarest."""
    counts = np.unique(labels, return_counts=True)[1]
    return bool(counts.max() > _UNEVEN * counts.min())


def imbalance(task: SettledTask, data: PreparedData) -> str:
    """Say how uneven the labels of the training rows are, and what is done about it; empty where they are even."""
    labels = data.train.labels
    if not uneven(labels):
        return ""
    rows = rows_of(data.label_names, labels)
    most, fewest = max(rows, key=rows.__getitem__), min(rows, key=rows.__getitem__)
    ratio = f"labels are uneven: {rows[most]} training rows of {most}, {rows[fewest]} of {fewest}"
    weighed = [spec.name for spec in task.networks if spec.balanced]
    if weighed:
        done = f"class weights make every label count alike in {', '.join(weighed)}"
        return f"{ratio}; {done}, which raises the recall of rare labels at some cost in accuracy and calibration"
    return f'{ratio}; every row counts alike; class_weights = "balanced" raises the recall of rare labels'
