"""One training run: its task and data, its checkpoints, and the callbacks for messages and progress."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from training.configured_keras import keras
from training.data.preparation import PreparedData
from training.export.quantized import Quantized, quantize
from training.fitting.calibration import temperature
from training.learning import networks
from training.learning.checkpoints import Checkpoints
from training.learning.networks import Trained, TrainingTarget
from training.levels.network import NetworkPredictions, TrainableNetwork
from training.task import SettledNetwork, SettledPromise, SettledTask
from training.terminal.callbacks import Callbacks
from weir.engine.arrays import Floats
from weir.runtime.interpreter import DEPLOYED, Network


@dataclass(frozen=True)
class TrainingRun:
    """Trains networks, measures their predictions, and brings them into the form that will serve."""

    task: SettledTask
    data: PreparedData
    checkpoints: Checkpoints
    callbacks: Callbacks
    promise: SettledPromise
    """the limit under which ladders are compared"""

    def train(
        self,
        spec: SettledNetwork,
        target: TrainingTarget,
        *,
        depends_on: Sequence[object] = (),
        start: Trained | None = None,
        as_name: str = "",
    ) -> Trained:
        """Train or resume a network.

        Args:
            spec: its description.
            target: what it learns.
            depends_on: what the target depends on, besides the data; part of the network's digest.
            start: the network whose weights it starts from; None: random ones.
            as_name: its name; by default as in the description.

        Raises:
            BadInput: no such architecture.
            Diverged: the training ran off to infinity.
        """
        name = as_name or spec.name
        initial: keras.Model | None = start.model if start else None
        return self.checkpoints.resume_or_train(
            name,
            [spec.identity, *depends_on, start.made_of if start else ""],
            lambda: networks.train(
                spec,
                target,
                (self.task.seed + spec.seed) % 2**32,
                lambda done, total: self.callbacks.progress(f"training {name}, epochs", done, total),
                initial,
            ),
        )

    def plain(self, spec: SettledNetwork, target: TrainingTarget) -> TrainableNetwork:
        """Train a network on labels alone, and quantize it to measure its time; predictions are the float network's.

        Raises:
            BadInput: no such architecture.
            Diverged: the training ran off to infinity.
            ModelUnavailable: the network broke in conversion, or no interpreter runs it.
        """
        network = self.network(spec, self.train(spec, target), target)
        quantized = self._quantize(network)
        return replace(network.timed(quantized.latency_us), quantized=quantized)

    def network(
        self, spec: SettledNetwork, trained: Trained, target: TrainingTarget, *, time_us: float = float("nan")
    ) -> TrainableNetwork:
        """Run a float network on the validation rows, and calibrate it; an expert is calibrated later, on its group."""
        logits = networks.logits(trained.model, self.data.validation.inputs)
        return TrainableNetwork(spec, trained, target, self._predictions(logits, target, time_us))

    def finished(self, network: TrainableNetwork) -> TrainableNetwork:
        """Quantize a network if it is not yet, and take the predictions of its artifact. Raises `ModelUnavailable`."""
        quantized = network.quantized or self._quantize(network)
        logits = self.loaded(quantized).logits(self.data.validation.inputs)
        predictions = self._predictions(logits, network.target, quantized.latency_us)
        return replace(network, predictions=predictions, quantized=quantized)

    def loaded(self, quantized: Quantized) -> Network:
        """Load an artifact into the deployed interpreter. Raises `ModelUnavailable`."""
        return Network(quantized.content, DEPLOYED, [one.name for one in self.data.inputs])

    def _predictions(self, logits: Floats, target: TrainingTarget, time_us: float) -> NetworkPredictions:
        labels = target.validation.labels
        fitted = temperature(logits, labels) if len(labels) == len(logits) else 1.0
        return NetworkPredictions(logits, fitted, time_us)

    def _quantize(self, network: TrainableNetwork) -> Quantized:
        quantized = quantize(
            network.spec.name,
            network.trained,
            network.target,
            self.task.quantization_tolerance,
            seed=self.task.seed,
        )
        self.callbacks.say(quantized.summary)
        return quantized
