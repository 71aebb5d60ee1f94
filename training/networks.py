"""Train one network: Adam on sparse categorical cross-entropy, early stopping, a falling learning rate."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import keras
import msgspec
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.architectures import build
from training.augmentation import Batches
from training.data.preparation import Prepared
from training.task import NetworkSpec
from weir.errors import WeirError


class Epoch(msgspec.Struct, frozen=True, kw_only=True):
    """Metrics of one pass over the training rows."""

    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float


@dataclass(frozen=True)
class Trained:
    """A network and how it came about."""

    model: keras.Model
    history: list[Epoch]


class Diverged(WeirError):
    """Training ran off to infinity."""


def train(spec: NetworkSpec, data: Prepared, seed: int, on_epoch: Callable[[int, int], None]) -> Trained:
    """Train a network on the training rows, and keep the weights of its best validation loss.

    The same seed and data give the same network on the same machine. `on_epoch(done, of)` is told the progress.

    Raises:
        BadInput: no such architecture.
        Diverged: the loss is no longer finite.
    """
    tf.config.experimental.enable_op_determinism()
    model = build(spec.architecture, data.input_shape, len(data.label_names), data.value_range, seed)
    batches = Batches(data.train, spec, seed)
    falling = keras.optimizers.schedules.CosineDecay(spec.learning_rate, spec.epochs * len(batches))
    model.compile(
        optimizer=keras.optimizers.Adam(falling),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    recorder = _Recorder(spec, on_epoch)
    model.fit(
        batches,
        validation_data=(data.validation.images, data.validation.labels),
        validation_batch_size=512,
        epochs=spec.epochs,
        callbacks=[recorder, keras.callbacks.EarlyStopping(patience=spec.patience, restore_best_weights=True)],
        verbose=0,
    )
    on_epoch(spec.epochs, spec.epochs)
    return Trained(model, recorder.history)


def logits(model: keras.Model, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Run a float network on rows `(n, height, width)`, giving logits `(n, labels)`."""
    return np.asarray(model.predict(images, batch_size=512, verbose=0), np.float32)


class _Recorder(keras.callbacks.Callback):  # type: ignore[misc] # keras has no types
    """Keep the metrics of every epoch, and stop a training that has run off."""

    def __init__(self, spec: NetworkSpec, on_epoch: Callable[[int, int], None]) -> None:
        super().__init__()
        self.history: list[Epoch] = []
        self._spec, self._on_epoch = spec, on_epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        if not all(math.isfinite(value) for value in (logs["loss"], logs["val_loss"])):
            rule = f"{self._spec.name} trains with a finite loss; a smaller learning_rate than"
            raise Diverged(f"{rule} {self._spec.learning_rate} may help", f"{logs['loss']} in epoch {epoch + 1}")
        rate = float(self.model.optimizer.learning_rate)
        known = {name: float(logs[name]) for name in ("loss", "accuracy", "val_loss", "val_accuracy")}
        self.history.append(Epoch(**known, learning_rate=rate))
        self._on_epoch(epoch + 1, self._spec.epochs)
