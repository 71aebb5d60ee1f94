"""A training folder: laid out like one stored version, plus what only its owner reads.

```
<digest>.tflite      artifacts of the end-to-end model and of the levels
manifest.json        written last: a folder without it is not a complete training
summary.json         what `weir evaluate --json` printed at the end of the training
report.json          cleaning, curves, quantization tables, thresholds: all that was measured and chosen
reliability.svg      confidence against accuracy on the test split, before calibration and after
reference/           <digest>.tflite: the float32 model that the artifact was quantized from; never published
networks/            the Keras networks, for a later training to take up; never published
.work/               networks of a training that is under way, or was stopped
```
"""

import fcntl
import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from weir.catalog.manifest import FILE, Manifest, decode
from weir.errors import BadInput, Conflict, ModelUnavailable

SUMMARY = "summary.json"
REPORT = "report.json"
RELIABILITY = "reliability.svg"
REFERENCE = "reference"
NETWORKS = "networks"
WORK = ".work"


def is_complete(trained: Path) -> bool:
    """Tell whether a training was completed in this folder."""
    return (trained / FILE).is_file()


def manifest(trained: Path) -> Manifest:
    """Read the manifest of a complete training.

    Raises:
        BadInput: the folder is none.
    """
    if not is_complete(trained):
        rule = "a training folder is one that `weir train` completed"
        raise BadInput(f"{rule}; run it again to go on" if (trained / WORK).is_dir() else rule, str(trained))
    return decode((trained / FILE).read_bytes())


def artifact(trained: Path, digest: str) -> bytes:
    """Read an artifact, checking that its bytes are those it is named for. Raises `ModelUnavailable`."""
    path = trained / f"{digest}.tflite"
    if not path.is_file() or hashlib.sha256(content := path.read_bytes()).hexdigest() != digest:
        raise ModelUnavailable("the training folder holds every artifact its manifest names, unchanged", str(path))
    return content


def reference(trained: Path, digest: str) -> bytes:
    """Read the float32 model that an artifact was quantized from. Raises `ModelUnavailable`."""
    path = trained / REFERENCE / f"{digest}.tflite"
    if not path.is_file():
        raise ModelUnavailable("the training folder holds the float32 reference of every artifact", str(path))
    return path.read_bytes()


@contextmanager
def working(out: Path) -> Iterator[Path]:
    """Hold a folder for one training, and yield its `.work`; what is in it survives a training that is stopped.

    Raises:
        BadInput: the folder holds something that no training made.
        Conflict: another training is at work there.
    """
    work = out / WORK
    if out.exists() and not out.is_dir():
        raise BadInput("--out is a folder", str(out))
    if out.is_dir() and any(out.iterdir()) and not work.is_dir() and not is_complete(out):
        raise BadInput("--out is new, empty, or a folder of an earlier training", str(out))
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise Conflict("one training at a time writes to a folder", str(out)) from exc
        yield work


@contextmanager
def renewing(trained: Path) -> Iterator[Manifest]:
    """Hold a complete training for a new promise, and yield its manifest; what an unfinished training left there stays.

    Raises:
        BadInput: the folder is no complete training.
        Conflict: a training is at work there.
    """
    manifest(trained)
    unfinished = (trained / WORK).is_dir()
    try:
        with working(trained):
            yield manifest(trained)
    finally:
        if not unfinished:
            shutil.rmtree(trained / WORK, ignore_errors=True)


def complete(out: Path, files: Mapping[str, bytes], last: bytes) -> None:
    """Replace what the folder holds by a finished training: the files by path, the manifest last, and no `.work`."""
    (out / FILE).unlink(missing_ok=True)
    for path in out.glob("*.tflite"):
        path.unlink()
    shutil.rmtree(out / REFERENCE, ignore_errors=True)
    _keep_networks(out)
    for name, content in files.items():
        write(out / name, content)
    write(out / FILE, last)
    shutil.rmtree(out / WORK)


def renew(out: Path, files: Mapping[str, bytes], last: bytes) -> None:
    """Replace the promise of a finished training: some files by path, the manifest last; all else stays."""
    for name, content in files.items():
        write(out / name, content)
    write(out / FILE, last)


def _keep_networks(out: Path) -> None:
    """Move the networks of a training that is finished where a later one finds them, and drop those of others."""
    finished = [path for path in (out / WORK).glob("*.*") if path.suffix in (".keras", ".json") and path.name[0] != "."]
    kept = out / NETWORKS
    kept.mkdir(exist_ok=True)
    for path in finished:
        path.replace(kept / path.name)
    for path in set(kept.iterdir()) - {kept / path.name for path in finished}:
        path.unlink()


def networks(trained: Path) -> Path:
    """Find the Keras networks of a complete training. Raises `BadInput` where it has none."""
    manifest(trained)
    found = trained / NETWORKS
    if not found.is_dir():
        raise BadInput("a training whose networks are taken up has kept them, in networks/", str(trained))
    return found


def files(
    contents: Mapping[str, bytes],
    references: Mapping[str, bytes],
    *,
    summary: bytes,
    report: bytes,
    reliability: bytes,
) -> dict[str, bytes]:
    """Name the files of a finished training, but for its manifest; contents and references are by digest."""
    return {
        **{f"{digest}.tflite": content for digest, content in contents.items()},
        **{f"{REFERENCE}/{digest}.tflite": content for digest, content in references.items()},
        SUMMARY: summary,
        REPORT: report,
        RELIABILITY: reliability,
    }


def write(path: Path, content: bytes) -> None:
    """Write a file whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
