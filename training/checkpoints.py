"""Networks of a training that is under way: whoever stops it goes on with those that were finished."""

import hashlib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import keras
import msgspec

from training import folder
from training.networks import Trained
from training.task import NetworkSpec

_LIBRARIES = ("tensorflow", "keras", "numpy")


class Checkpoints:
    """Finished networks, each named by all that made it what it is."""

    def __init__(self, work: Path, data_digest: str, seed: int, say: Callable[[str], None]) -> None:
        """Keep networks in a folder; what is resumed and what is redone is said."""
        self._work, self._say = work, say
        self._made_of = [data_digest, seed, *(f"{name} {version(name)}" for name in _LIBRARIES)]

    def trained(self, spec: NetworkSpec, train: Callable[[], Trained]) -> Trained:
        """Take a finished network out of the folder, or train it and keep it there."""
        path = self._path(spec)
        if path.is_file():
            self._say(f"{spec.name}: resumed, it was trained before the last training was stopped")
            return _load(path)
        if any(self._work.glob(f"{spec.name}.*")):
            self._say(f"{spec.name}: trained again, for its task, data, seed or libraries have changed")
        elif self._begun(spec).exists():
            self._say(f"{spec.name}: trained again, for the last training was stopped in the middle of it")
        folder.write(self._begun(spec), b"")
        trained = train()
        _save(trained, path)
        return trained

    def _path(self, spec: NetworkSpec) -> Path:
        fingerprint = hashlib.sha256(msgspec.json.encode([*self._made_of, spec])).hexdigest()[:16]
        return self._work / f"{spec.name}.{fingerprint}.keras"

    def _begun(self, spec: NetworkSpec) -> Path:
        return self._work / f"begun-{spec.name}"


def _save(trained: Trained, path: Path) -> None:
    """Keep a network and its curve; the model last, whole."""
    folder.write(path.with_suffix(".json"), msgspec.json.encode(trained.history))
    part = path.with_name(f"part-{path.name}")
    trained.model.save(part)
    part.replace(path)


def _load(path: Path) -> Trained:
    history = msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=Trained.__annotations__["history"])
    return Trained(keras.models.load_model(path), history)
