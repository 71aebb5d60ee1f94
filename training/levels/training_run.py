"""What every step of a training needs at hand: the task, its data, the networks finished so far, and who is told."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import keras
import numpy as np
from numpy.typing import NDArray

from training.data.preparation import PreparedData
from training.export.quantized import Quantized, quantize
from training.fitting.calibration import temperature
from training.learning import networks
from training.learning.checkpoints import Checkpoints
from training.learning.networks import Trained, TrainingTarget
from training.levels.ladder import Net
from training.task import NetworkSpec, Task
from training.terminal.callbacks import Callbacks
from weir.runtime.interpreter import RUNTIMES, Network

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class TrainingRun:
    """One training's."""

    task: Task
    data: PreparedData
    checkpoints: Checkpoints
    callbacks: Callbacks

    def train(
        self,
        spec: NetworkSpec,
        lesson: TrainingTarget,
        *,
        made_of: Sequence[object] = (),
        start: Trained | None = None,
        as_name: str = "",
    ) -> Trained:
        """Train or resume a network.

        Args:
            spec: its description.
            lesson: what it learns.
            made_of: what else makes the lesson what it is.
            start: whose weights it begins with; None: random ones.
            as_name: what it is called; by default as in the description.

        Raises:
            BadInput: no such architecture.
            Diverged: the training ran off to infinity.
        """
        name = as_name or spec.name
        begun: keras.Model | None = start.model if start else None
        return self.checkpoints.one(
            name,
            [spec, *made_of, start.made_of if start else ""],
            lambda: networks.train(
                spec,
                lesson,
                (self.task.seed + spec.seed) % 2**32,
                lambda done, total: self.callbacks.progress(f"training {name}, epochs", done, total),
                begun,
            ),
        )

    def plain(self, spec: NetworkSpec, lesson: TrainingTarget) -> Net:
        """Train a network on labels alone, and quantize it for its time; it is judged as it was trained, as others are.

        Raises what `train` and `quantize` raise.
        """
        net = self.net(spec, self.train(spec, lesson), lesson)
        made = self._quantize(net)
        return replace(net, time_us=made.latency_us, quantized=made)

    def net(self, spec: NetworkSpec, trained: Trained, lesson: TrainingTarget, *, time_us: float = float("nan")) -> Net:
        """Ask a network about every validation row; an expert's temperature is learned later, on its group's rows."""
        said = networks.logits(trained.model, self.data.validation.inputs)
        return Net(spec, trained, lesson, said, _temperature(said, lesson), time_us)

    def finished(self, net: Net) -> Net:
        """Bring a network into the form that will serve, and let it speak in it. Raises `ModelUnavailable`."""
        made = net.quantized or self._quantize(net)
        said = Network(made.content, RUNTIMES[0]).logits(self.data.validation.inputs)
        return replace(
            net, logits=said, temperature=_temperature(said, net.lesson), time_us=made.latency_us, quantized=made
        )

    def _quantize(self, net: Net) -> Quantized:
        made = quantize(net.spec.name, net.trained, net.lesson, self.task.quantization_tolerance)
        self.callbacks.say(made.summary)
        return made


def _temperature(logits: Floats, lesson: TrainingTarget) -> float:
    labels = lesson.validation.labels
    return temperature(logits, labels) if len(labels) == len(logits) else 1.0
