"""Check names, and build every key of the store from them."""

import re
from dataclasses import dataclass

from weir.catalog.mounts import CASCADE, END_TO_END, Mount
from weir.errors import BadName

MODELS = "models"
BATCHES_IN = "batches/in"
BATCHES_OUT = "batches/out"

NAME = r"[a-z0-9_-]{1,64}"
ALIAS = r"[a-z][a-z0-9_-]{0,63}"
VERSION = r"[1-9][0-9]{0,8}"

_NAME, _ALIAS, _VERSION = re.compile(NAME), re.compile(ALIAS), re.compile(VERSION)
_MANIFEST = re.compile(rf"{MODELS}/({NAME})/versions/({VERSION})/manifest\.json")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def model_name(name: str) -> str:
    """Return the name if it is a model name, else raise `BadName`."""
    if not _NAME.fullmatch(name):
        raise BadName("model names are 1–64 of a-z, 0-9, '-', '_'", name)
    return name


def alias_name(alias: str) -> str:
    """Return the alias if it is one (a letter first, so that it is never a version), else raise `BadName`."""
    if not _ALIAS.fullmatch(alias):
        raise BadName("aliases are a letter a-z and then up to 63 of a-z, 0-9, '-', '_'", alias)
    return alias


def version_number(text: str) -> int:
    """Read a version (1, 2, 3 …), else raise `BadName`."""
    if not _VERSION.fullmatch(text):
        raise BadName("versions are whole numbers from 1 to 999999999", text)
    return int(text)


def is_version(text: str) -> bool:
    """Tell whether a text is a version number; an alias never is."""
    return bool(_VERSION.fullmatch(text))


def versions(model: str) -> str:
    """Return the prefix of all versions of a model."""
    return f"{MODELS}/{model_name(model)}/versions/"


def version(model: str, number: int) -> str:
    """Return the prefix of one version."""
    return f"{versions(model)}{version_number(str(number))}/"


def claim(model: str, number: int) -> str:
    """Return the key that publication creates first, and only once: it claims the number."""
    return f"{version(model, number)}claim.json"


def artifact(model: str, number: int, digest: str) -> str:
    """Return the key of one immutable `.tflite`, named by the sha256 of its bytes."""
    if not _DIGEST.fullmatch(digest):
        raise BadName("digests are 64 of 0-9, a-f", digest)
    return f"{version(model, number)}{digest}.tflite"


def manifest(model: str, number: int) -> str:
    """Return the key that publication writes last: a version without it does not exist."""
    return f"{version(model, number)}manifest.json"


def parse_manifest(key: str) -> tuple[str, int] | None:
    """Read the model and version from the key of a manifest; None when the key is of something else."""
    match = _MANIFEST.fullmatch(key)
    return (match[1], int(match[2])) if match else None


def alias(model: str, name: str) -> str:
    """Return the key of the document that says which version an alias serves."""
    return f"{MODELS}/{model_name(model)}/aliases/{alias_name(name)}.json"


@dataclass(frozen=True)
class BatchKey:
    """One batch file: `batches/in/<model>/[cascade/]<file>`.

    `file` is the rest of the key after the model (and `cascade/`), extension included; it may contain slashes.
    """

    model: str
    mount: Mount
    file: str

    @property
    def source(self) -> str:
        """Key of the file of rows."""
        return f"{BATCHES_IN}/{self._rest}"

    @property
    def predictions(self) -> str:
        """Key of the predictions, one JSON object a line."""
        return f"{BATCHES_OUT}/{self._rest}/predictions.jsonl"

    @property
    def summary(self) -> str:
        """Key of the summary, which is written last."""
        return f"{BATCHES_OUT}/{self._rest}/summary.json"

    @property
    def _rest(self) -> str:
        return "/".join(part for part in (self.model, self.mount.segment, self.file) if part)


def batch_key(model: str, file: str, mount: Mount) -> BatchKey:
    """Build the keys of one batch file. Raises `BadName` for a file name that no key can hold."""
    parts = file.split("/")
    if any(part in {"", ".", ".."} for part in parts) or not file.isprintable():
        raise BadName("a batch file's name has printable characters, and no empty, '.' or '..' part", file)
    if len(file.encode()) > 800 or (mount == END_TO_END and parts[0] == CASCADE.segment):  # noqa: PLR2004 (a key has at most 1,024 bytes)
        raise BadName("a batch file's name has at most 800 bytes and is not in a folder named cascade", file)
    return BatchKey(model_name(model), mount, file)


def parse_batch_key(key: str) -> BatchKey:
    """Read the (decoded) key of a batch file, else raise `BadName`."""
    prefix, _, rest = key.partition(f"{BATCHES_IN}/")
    model, _, file = rest.partition("/")
    if prefix or not file:
        raise BadName(f"batch files are uploaded to {BATCHES_IN}/<model>/", key)
    head, _, tail = file.partition("/")
    if head == CASCADE.segment and tail:
        return batch_key(model, tail, CASCADE)
    return batch_key(model, file, END_TO_END)
