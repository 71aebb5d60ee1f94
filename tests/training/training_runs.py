"""Small training runs: pictures that train in a second, and networks whose logits are written down."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from training.certifying.limits import settle
from training.data.cleaning import Cleaning
from training.data.preparation import PreparedData
from training.data.splits.split import Split
from training.learning.checkpoints import Checkpoints
from training.learning.networks import Trained, TrainingTarget
from training.levels.ladder import Ladder, TrainableLevel
from training.levels.network import NetworkPredictions, TrainableNetwork, classifier
from training.levels.training_run import TrainingRun
from training.modalities.picture.reading import grey
from training.task import Data, Optimise, Promise, SettledGroups, SettledNetwork, SettledTask, Sizes
from training.terminal.callbacks import Callbacks
from weir.catalog.levels import Expert, Experts
from weir.engine.arrays import Floats, Labels
from weir.engine.cascade import Cascade
from weir.engine.hierarchy import Hierarchy

NAMES = ("a", "b", "c", "d", "e")
PAIRS = {"ab": ("a", "b"), "cd": ("c", "d"), "e": ("e",)}
"""groups of the labels that are easily confused"""
GROUPS = Hierarchy.named(PAIRS, NAMES, (0.2,) * 5)
LABELS: Labels = np.arange(400) % len(NAMES)
"""of the validation rows of networks whose logits are drawn"""
OFF = Optimise(distil=False, escalated=False, pool=False, joint_epochs=0)


def pictures(rows: int, seed: int) -> Split:
    """Make noisy pictures 6x6: a and b, c and d are easily confused, and e is like none.

    Two rows of pixels are bright; which ones tells a or b, c or d, e. One half of them is a little brighter: on the
    left in a and c, on the right in b and d.
    """
    random = np.random.default_rng(seed)
    images = random.uniform(0, 60, (rows, 6, 6)).astype(np.float32)
    labels = np.arange(rows) % len(NAMES)
    for picture, label in zip(images, labels, strict=True):
        bright = picture[2 * (label // 2) : 2 * (label // 2) + 2]
        bright += 120
        if label < len(NAMES) - 1:
            bright[:, 3 * (label % 2) : 3 * (label % 2) + 3] += 35
    return Split(images, labels.astype(np.int64))


def prepared(train: Split | None = None) -> PreparedData:
    """Make the four splits of a data set of such pictures."""
    return PreparedData(
        train=train or pictures(300, 1),
        validation=pictures(300, 2),
        certification=pictures(100, 3),
        test=pictures(100, 4),
        label_names=NAMES,
        inputs=(grey(np.zeros((1, 6, 6))),),
        cleaning=Cleaning(kept=800),
        digest="0" * 64,
    )


def spec(name: str, *, epochs: int = 1, learning_rate: float = 0.002, architecture: str = "mlp") -> SettledNetwork:
    """Describe a network that trains in a second."""
    return SettledNetwork(name=name, architecture=architecture, epochs=epochs, learning_rate=learning_rate)


def task(
    *levels: SettledNetwork,
    end_to_end: SettledNetwork | None = None,
    hierarchy: SettledGroups | None = None,
    optimise: Optimise = OFF,
    promise: Promise | None = None,
) -> SettledTask:
    """Describe a training on such pictures."""
    return SettledTask(
        name="small",
        data=Data(source="none"),
        sizes=Sizes(validation=300, certification=100, test=100),
        levels=levels,
        end_to_end=end_to_end or spec("last"),
        hierarchy=hierarchy,
        optimise=optimise,
        promise=promise or Promise(max_loss=0.05),
        quantization_tolerance=0.2,
    )


@dataclass(frozen=True)
class ObservedRun(TrainingRun):
    """A training run that keeps what each network was trained on, by the network's name, and all messages."""

    targets: dict[str, TrainingTarget] = field(default_factory=dict)
    starts: dict[str, Trained | None] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    @classmethod
    def begin(cls, task: SettledTask, work: Path, data: PreparedData | None = None) -> "ObservedRun":
        """Begin a run that keeps its networks in a folder."""
        messages: list[str] = []
        callbacks = Callbacks(messages.append, lambda *_: None)
        checkpoints = Checkpoints(work, ["test"], messages.append)
        data = data or prepared()
        settled = settle(task.promise, len(data.certification.labels), task.promise.delta)
        return cls(task, data, checkpoints, callbacks, settled.promise, messages=messages)

    def train(
        self,
        spec: SettledNetwork,
        target: TrainingTarget,
        *,
        depends_on: Sequence[object] = (),
        start: Trained | None = None,
        as_name: str = "",
    ) -> Trained:
        """Train or resume a network, and keep its target and start."""
        self.targets[as_name or spec.name], self.starts[as_name or spec.name] = target, start
        return super().train(spec, target, depends_on=depends_on, start=start, as_name=as_name)

    def trained_on_all_labels(self, spec: SettledNetwork, time_us: float) -> TrainableNetwork:
        """Train a network on all labels, and set its time per row."""
        target = TrainingTarget.all_labels(self.data)
        return self.network(spec, self.train(spec, target), target, time_us=time_us)


def network_of(name: str, logits: Floats, labels: Labels, time_us: float) -> TrainableNetwork:
    """Make a network of its logits on the validation rows, `(rows, outputs)`; it has no weights."""
    rows = Split(np.zeros((len(labels), 6, 6), np.float32), labels)
    target = TrainingTarget(rows, rows, logits.shape[1], (grey(rows.inputs),))
    return TrainableNetwork(spec(name), Trained(None, [], name), target, NetworkPredictions(logits, 1.0, time_us))


def random_logits(labels: Labels, known: float, seed: int, outputs: int = len(NAMES)) -> Floats:
    """Draw logits `(rows, outputs)` that favour the correct label in a share `known` of the rows, and else no label."""
    random = np.random.default_rng(seed)
    logits: Floats = random.normal(0, 1, (len(labels), outputs)).astype(np.float32)
    knows = random.uniform(size=len(labels)) < known
    logits[np.flatnonzero(knows), labels[knows]] += 6
    return logits


def random_network(name: str, known: float, seed: int, time_us: float = 10.0) -> TrainableNetwork:
    """Draw a network that knows the correct label of a share `known` of 400 rows."""
    return network_of(name, random_logits(LABELS, known, seed), LABELS, time_us)


def knowing(
    name: str, rows: int, time_us: float = 10.0, *, first: int = 0, correct_logit: float = 4.0
) -> TrainableNetwork:
    """Make a network that is correct on so many of 400 rows, from a first one, and takes the next label on the others.

    With the same first row, of two networks the one that knows more is correct wherever the other is.
    """
    known = (np.arange(len(LABELS)) - first) % len(LABELS) < rows
    logits = np.zeros((len(LABELS), len(NAMES)), np.float32)
    logits[np.arange(len(LABELS)), np.where(known, LABELS, (LABELS + 1) % len(NAMES))] = correct_logit
    return network_of(name, logits, LABELS, time_us)


def random_expert(known: float, seed: int) -> Expert[TrainableNetwork]:
    """Draw an expert of a group of two labels, alike; its logits on rows of other groups are noise."""
    return Expert(network=network_of("expert", random_logits(LABELS % 2, known, seed, 2), LABELS, 5.0))


def learned(level: TrainableLevel) -> object:
    """Return the fitted numbers of a level: weights of a pool, or temperature and weight of each expert."""
    if isinstance(level, Experts):
        return {group: (expert.temperature, expert.before_weight) for group, expert in level.experts.items()}
    return level.weights


def ladder(*networks: TrainableNetwork) -> Ladder:
    """Make a ladder of classifiers, cheapest first; the last network is the end-to-end model."""
    return Ladder(Cascade(tuple(classifier(network) for network in networks)), networks[-1])
