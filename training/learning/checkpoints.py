"""Networks that a training has finished: whoever stops it, or trains again, goes on with those."""

import hashlib
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import keras
import msgspec

from training import folder
from training.learning.loop import Epoch
from training.learning.networks import Trained
from weir.errors import ModelUnavailable

_LIBRARIES = ("tensorflow", "keras", "numpy")

Made = tuple[keras.Model, list[Epoch]]


class Checkpoints:
    """Finished networks, each named by all that made it what it is."""

    def __init__(
        self, work: Path, made_of: Sequence[object], say: Callable[[str], None], reuse: Sequence[Path] = ()
    ) -> None:
        """Keep networks in a folder; what is resumed and what is redone is said.

        Args:
            work: the folder.
            made_of: what every network comes from: the digest of the data, the seed.
            say: is told.
            reuse: other such folders, whose networks are taken where they are the same.
        """
        self._work, self._say, self._reuse = work, say, reuse
        self._made_of = [*made_of, *(f"{name} {version(name)}" for name in _LIBRARIES)]

    def one(self, name: str, made_of: Sequence[object], train: Callable[[], Made]) -> Trained:
        """Take a finished network out of the folder, or train it and keep it there.

        Raises:
            ModelUnavailable: a finished network is damaged.
        """
        return self.several([name], made_of, lambda: [train()])[0]

    def several(
        self, names: Sequence[str], made_of: Sequence[object], train: Callable[[], list[Made]]
    ) -> list[Trained]:
        """Do the same with networks that are trained together: all are taken, or none."""
        digest = hashlib.sha256(msgspec.json.encode([*self._made_of, *made_of])).hexdigest()
        paths = [self._work / f"{name}.{digest[:16]}.keras" for name in names]
        told = ", ".join(names)
        for other in self._reuse:
            if not all(path.is_file() for path in paths):
                _copy(other, paths)
        if all(path.is_file() for path in paths):
            self._say(f"{told}: resumed, it was trained before")
            return [_load(path, digest) for path in paths]
        if any(self._found(name) for name in names):
            self._say(f"{told}: trained again, for its task, data, seed or libraries have changed")
        elif self._begun(names).exists():
            self._say(f"{told}: trained again, for the last training was stopped in the middle of it")
        folder.write(self._begun(names), b"")
        made = train()
        for (model, history), path in zip(made, paths, strict=True):
            _save(model, history, path)
        return [Trained(model, history, digest) for model, history in made]

    def _found(self, name: str) -> bool:
        return any(self._work.glob(f"{name}.*"))

    def _begun(self, names: Sequence[str]) -> Path:
        return self._work / f"begun-{names[0]}"


def _copy(reuse: Path, paths: Sequence[Path]) -> None:
    """Take networks from another folder, if it has all of them with their curves; each network after its curve."""
    files = [(path.with_suffix(".json"), path) for path in paths]
    if all((reuse / one.name).is_file() for pair in files for one in pair):
        for curve, network in files:
            folder.write(curve, (reuse / curve.name).read_bytes())
            folder.write(network, (reuse / network.name).read_bytes())


def _save(model: keras.Model, history: list[Epoch], path: Path) -> None:
    """Keep a network and its curve; the model last, whole."""
    folder.write(path.with_suffix(".json"), msgspec.json.encode(history))
    part = path.with_name(f".{path.name}")
    model.save(part)
    part.replace(path)


def _load(path: Path, digest: str) -> Trained:
    """Read a network and its curve. Raises `ModelUnavailable`."""
    try:
        history = msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=list[Epoch])
        return Trained(keras.models.load_model(path), history, digest)
    except Exception as exc:  # Keras raises whatever it met
        raise ModelUnavailable(f"the network of an earlier training can't be read; remove {path}", exc) from exc
