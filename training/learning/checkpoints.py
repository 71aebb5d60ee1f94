"""Cache of trained networks, keyed by a digest of everything that determines them."""

import hashlib
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

from training import folder
from training.configured_keras import keras
from training.learning.loop import Epoch
from training.learning.networks import Trained
from training.modalities.layers import LAYERS
from weir.errors import ModelUnavailable

_LIBRARIES = ("tensorflow", "keras", "numpy")

ModelAndHistory = tuple[keras.Model, list[Epoch]]


class Checkpoints:
    """A folder of trained networks, from which a training that runs again resumes.

    The file name of a network holds a digest of what determines it: the data, the seed, its description, its training
    target and the versions of the libraries. A network is resumed only if the digest is the same.
    """

    def __init__(
        self, work: Path, depends_on: Sequence[object], say: Callable[[str], None], reuse: Sequence[Path] = ()
    ) -> None:
        """Keep networks in a folder.

        Args:
            work: the folder.
            depends_on: what every network depends on: the digest of the data, the seed.
            say: called with a message when networks are resumed or trained again.
            reuse: other such folders, from which networks are copied if their digests are the same.
        """
        self._work, self._say, self._reuse = work, say, reuse
        self._depends_on = [*depends_on, *(f"{name} {version(name)}" for name in _LIBRARIES)]

    def resume_or_train(self, name: str, depends_on: Sequence[object], train: Callable[[], ModelAndHistory]) -> Trained:
        """Load a network that has finished training, or train it and keep it.

        Raises:
            ModelUnavailable: a file of the network is damaged.
        """
        return self.resume_or_train_all([name], depends_on, lambda: [train()])[0]

    def resume_or_train_all(
        self, names: Sequence[str], depends_on: Sequence[object], train: Callable[[], list[ModelAndHistory]]
    ) -> list[Trained]:
        """Do the same with networks that are trained together: all are loaded, or all are trained.

        Raises:
            ModelUnavailable: a file of a network is damaged.
        """
        digest = hashlib.sha256(msgspec.json.encode([*self._depends_on, *depends_on])).hexdigest()
        paths = [self._work / f"{name}.{digest[:16]}.keras" for name in names]
        for other in self._reuse:
            if not _all_exist(paths):
                _copy(other, paths)
        if _all_exist(paths):
            self._say(f"{', '.join(names)}: resumed, it was trained before")
            return [_load(path, digest) for path in paths]
        self._explain(names)
        folder.write(self._started(names), b"")
        models = train()
        for (model, history), path in zip(models, paths, strict=True):
            _save(model, history, path)
        return [Trained(model, history, digest) for model, history in models]

    def _explain(self, names: Sequence[str]) -> None:
        """Say why networks are trained again, if an earlier training of them has left traces."""
        if any(any(self._work.glob(f"{name}.*")) for name in names):
            self._say(f"{', '.join(names)}: trained again, for its task, data, seed or libraries have changed")
        elif self._started(names).exists():
            self._say(f"{', '.join(names)}: trained again, for the last training was stopped in the middle of it")

    def _started(self, names: Sequence[str]) -> Path:
        """Return the path of the empty file that marks a training as started."""
        return self._work / f"begun-{names[0]}"


def _all_exist(paths: Sequence[Path]) -> bool:
    return all(path.is_file() for path in paths)


def _copy(source: Path, paths: Sequence[Path]) -> None:
    """Copy networks from another folder if it has all of them with their curves; each network after its curve."""
    files = [file for path in paths for file in (path.with_suffix(".json"), path)]
    if _all_exist([source / file.name for file in files]):
        for file in files:
            folder.write(file, (source / file.name).read_bytes())


def _save(model: keras.Model, history: list[Epoch], path: Path) -> None:
    """Write a network and its curve; the network last and in one step, so that it is never there without its curve."""
    folder.write(path.with_suffix(".json"), msgspec.json.encode(history))
    part = path.with_name(f".{path.name}")
    with folder.named(path):
        model.save(part)
        part.replace(path)


def _load(path: Path, digest: str) -> Trained:
    """Read a network and its curve. Raises `ModelUnavailable`."""
    try:
        history = msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=list[Epoch])
        return Trained(keras.models.load_model(path, custom_objects=LAYERS), history, digest)
    except Exception as exc:  # Keras has no class of errors of its own
        failed = f"a network of an earlier training cannot be read; remove {path} to train it again"
        raise ModelUnavailable(failed, exc) from exc
