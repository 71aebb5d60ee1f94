"""Small workshops: pictures that train in a second, and networks whose logits are written down."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from training.data.cleaning import Cleaning
from training.data.preparation import PreparedData
from training.data.split import Split
from training.learning.checkpoints import Checkpoints
from training.learning.networks import Trained, TrainingTarget
from training.levels.ladder import Floats, Labels, Ladder, Net, Rung
from training.levels.training_run import TrainingRun
from training.modalities.picture.reading import grey
from training.task import Data, Groups, NetworkSpec, Optimise, Promise, Sizes, Task
from training.terminal.callbacks import Callbacks

NAMES = ("a", "b", "c", "d", "e")
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
    """Divide such pictures in four."""
    return PreparedData(
        train=train or pictures(300, 1),
        validation=pictures(300, 2),
        certification=pictures(100, 3),
        test=pictures(100, 4),
        label_names=NAMES,
        input=grey(np.zeros((1, 6, 6))),
        cleaning=Cleaning(kept=800),
        digest="0" * 64,
    )


def spec(name: str, *, epochs: int = 1, learning_rate: float = 0.002, architecture: str = "mlp") -> NetworkSpec:
    """Describe a network."""
    return NetworkSpec(name=name, architecture=architecture, epochs=epochs, learning_rate=learning_rate)


def task(
    *levels: NetworkSpec,
    end_to_end: NetworkSpec | None = None,
    hierarchy: Groups | None = None,
    optimise: Optimise = OFF,
    promise: Promise | None = None,
) -> Task:
    """Describe a training on such pictures."""
    return Task(
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
class Watched(TrainingRun):
    """A workshop that remembers what its networks were trained on, by their names."""

    lessons: dict[str, TrainingTarget] = field(default_factory=dict)
    starts: dict[str, Trained | None] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @classmethod
    def opened(cls, task: Task, work: Path, data: PreparedData | None = None) -> "Watched":
        """Open one that keeps its networks in a folder."""
        said: list[str] = []
        callbacks = Callbacks(said.append, lambda *_: None)
        return cls(task, data or prepared(), Checkpoints(work, ["test"], said.append), callbacks, said=said)

    def train(
        self,
        spec: NetworkSpec,
        lesson: TrainingTarget,
        *,
        made_of: Sequence[object] = (),
        start: Trained | None = None,
        as_name: str = "",
    ) -> Trained:
        """Train as ever."""
        self.lessons[as_name or spec.name], self.starts[as_name or spec.name] = lesson, start
        return super().train(spec, lesson, made_of=made_of, start=start, as_name=as_name)

    def taught(self, spec: NetworkSpec, time_us: float) -> Net:
        """Train a network on all labels that takes as long as it is said to."""
        lesson = TrainingTarget.whole(self.data)
        return self.net(spec, self.train(spec, lesson), lesson, time_us=time_us)


def saying(name: str, said: Floats, labels: Labels, time_us: float, temperature: float = 1.0) -> Net:
    """Make a network of what it says of validation rows: logits `(rows, labels)`."""
    rows = Split(np.zeros((len(labels), 6, 6), np.float32), labels)
    lesson = TrainingTarget(rows, rows, said.shape[1], grey(rows.inputs))
    return Net(spec(name), Trained(None, [], name), lesson, said, temperature, time_us)


def drawn(labels: Labels, right: float, seed: int, count: int = len(NAMES)) -> Floats:
    """Draw logits `(rows, count)` that are right about as often as said, and surer of what is right."""
    random = np.random.default_rng(seed)
    found: Floats = random.normal(0, 1, (len(labels), count)).astype(np.float32)
    knows = random.uniform(size=len(labels)) < right
    found[np.flatnonzero(knows), labels[knows]] += 6
    return found


def ladder(*nets: Net) -> Ladder:
    """Put networks in turn; the last is the end-to-end model."""
    return Ladder(tuple(Rung(net.spec.name, "cascade", net) for net in nets), nets[-1])
