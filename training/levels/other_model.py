"""Let the end-to-end model learn from a model of another kind, and keep it where it is better on validation rows."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import msgspec
import numpy as np

from training.data.rows import RowStore
from training.learning.networks import TrainingTarget
from training.learning.views import Teacher, TeacherViews
from training.levels.improve import LevelSearch, described
from training.levels.network import TrainableNetwork
from training.modalities.modality import OtherModel
from weir.engine.arrays import Floats

_NAME = "boosting"
"""behind the name of a network that learned from another model"""


def learn_from_other_model(search: LevelSearch) -> LevelSearch:
    """Try to train the end-to-end model on what a model of another kind says, in the place of the labels.

    The model is fitted on the training rows, and not at all if the network is resumed.
    """
    run, own = search.run, search.ladder.end_to_end
    model = own.target.modality.other_model()
    if model is None or not run.task.optimise.boosting:
        return search
    what, name = f"distillation from {model.name}", own.spec.name
    if why := _obstacle(model, own.target):
        return search.skip(what, name, why)
    target = replace(own.target, teacher=_views(model, own, run.task.seed))
    trained = run.train(own.spec, target, depends_on=[what, *described(target)], as_name=f"{name}-{_NAME}")
    new = run.network(own.spec, trained, target, time_us=own.predictions.time_us)
    networks = {id(network): network for network in search.ladder.cascade.networks} | {id(own): new}
    ladder = search.ladder.with_networks(networks)
    return search.try_ladder(what, name, ladder, len(ladder.levels) - 1, lambda *_: better(new, own))


def better(one: TrainableNetwork, other: TrainableNetwork) -> bool:
    """Tell whether a network is correct on no fewer validation rows than another, and has a lower calibrated loss."""
    labels = one.target.validation.labels
    as_accurate = one.correct.sum() >= other.correct.sum()
    return bool(as_accurate) and one.predictions.loss(labels) < other.predictions.loss(labels)


def _obstacle(model: OtherModel, target: TrainingTarget) -> str:
    """Say why the model can't be fitted on the training rows; empty if it can."""
    if isinstance(target.train.inputs, RowStore):
        return "it needs the training rows in memory, and they are read from a file"
    return model.refusal(target.train.labels)


def _views(model: OtherModel, network: TrainableNetwork, seed: int) -> TeacherViews:
    """Describe the views on which the model teaches a network: rows change as in the training on labels."""
    target, balanced = network.target, network.spec.balanced

    @cache
    def fitted() -> Callable[[Floats], Floats]:
        return model.fitted(target.train.excerpt(), seed, balanced=balanced)

    def logs(rows: Floats) -> Floats:
        return fitted()(rows)

    def change(rows: Floats, random: np.random.Generator) -> Floats:
        return target.modality.augmented(rows, network.spec, random)

    made_of = hashlib.sha256(msgspec.json.encode([*model.made_of, balanced])).hexdigest()
    teacher = Teacher(logs, change, made_of, target.modality.mixed)
    return TeacherViews(target.train.inputs, teacher, seed)
