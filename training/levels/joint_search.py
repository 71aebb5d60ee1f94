"""Fine-tune the levels of a ladder together, and take the result where it helps."""

import keras
import msgspec

from training.learning.joint import Joint, JointLevel, fine_tune
from training.learning.loop import Epoch
from training.learning.networks import TrainingTarget
from training.levels.improve import LevelSearch
from training.levels.ladder import Ladder, Net, Rung
from training.replay.thresholds import safe
from weir.engine.cascade import ALWAYS_ESCALATE

_LEARNING_RATE = 0.0001
_NAME = "joint"


def optimise_jointly(bench: LevelSearch) -> LevelSearch:
    """Try to fine-tune all levels on the overall loss of the fused posterior.

    Where the promise is against the end-to-end model, that may not get worse.
    """
    epochs = bench.shop.task.optimise.joint_epochs
    if not epochs:
        return bench
    shop, ladder = bench.shop, bench.ladder
    nets = ladder.nets
    promise, last = shop.task.promise, len(ladder.rungs) - 1
    thresholds = tuple(safe(ladder.recording, number, promise.max_loss, promise.against) for number in range(last))
    spec = msgspec.structs.replace(
        shop.task.end_to_end, name=_NAME, epochs=epochs, learning_rate=_LEARNING_RATE, patience=epochs
    )

    def train() -> list[tuple[keras.Model, list[Epoch]]]:
        return fine_tune(
            _joint(bench, thresholds),
            TrainingTarget.whole(shop.data),
            spec,
            shop.task.seed,
            lambda done, total: shop.callbacks.progress("joint fine-tuning, epochs", done, total),
        )

    names = [f"{_NAME}-{number}" for number in range(len(nets))]
    made_of = [spec, [net.trained.made_of for net in nets], _shape(ladder), thresholds]
    trained = shop.checkpoints.several(names, made_of, train)
    changed = {
        id(net): shop.net(net.spec, one, net.lesson, time_us=net.time_us)
        for net, one in zip(nets, trained, strict=True)
    }
    other = ladder.with_nets(changed).refitted()
    if shop.task.promise.against == "end-to-end" and other.end_to_end.loss > ladder.end_to_end.loss:
        told = f"{ladder.end_to_end.loss:.6f} -> {other.end_to_end.loss:.6f} nats"
        return bench.skipped("joint fine-tuning", "all levels", f"the end-to-end model gets worse, {told}")
    return bench.compared("joint fine-tuning", "all levels", other)


def _shape(ladder: Ladder) -> list[object]:
    members = ladder.hierarchy.members if ladder.hierarchy else ()
    return [members, [(rung.kind, rung.fusion, rung.weights, dict(rung.before_weights)) for rung in ladder.rungs]]


def _joint(bench: LevelSearch, thresholds: tuple[float, ...]) -> Joint:
    """Copy the networks, for those of the ladder stay what they are until the copies have proved better."""
    limits = [*thresholds, ALWAYS_ESCALATE]
    levels = [_level(rung, limit, bench) for rung, limit in zip(bench.ladder.rungs, limits, strict=True)]
    return Joint(levels, bench.ladder.hierarchy, len(bench.shop.data.label_names))


def _level(rung: Rung, threshold: float, bench: LevelSearch) -> JointLevel:
    return JointLevel(
        kind=rung.kind,
        threshold=threshold,
        network=_copied(rung.net, bench) if rung.net else None,
        temperature=rung.net.temperature if rung.net else 1.0,
        fusion=rung.fusion,
        weights=rung.weights,
        experts={group: _copied(expert, bench) for group, expert in rung.experts.items()},
        temperatures={group: expert.temperature for group, expert in rung.experts.items()},
        before_weights=rung.before_weights,
    )


def _copied(net: Net, bench: LevelSearch) -> keras.Model:
    model = net.lesson.blank(net.spec, bench.shop.task.seed)
    model.set_weights(net.trained.model.get_weights())
    return model
