"""A training folder: laid out like one stored version, with more files for its owner.

```
<digest>.tflite      artifacts of the end-to-end model and of the levels
manifest.json        written last: a folder without it is not a complete training
summary.json         the figures of the training, in the shape of `weir evaluate --json`
report.json          cleaning, learning curves, quantization tables, thresholds: every measurement and choice
reliability.svg      accuracy against confidence on the test split, before and after calibration
reference/           <digest>.tflite: the float32 model that each artifact was quantized from; never published
attempts.json        the certifications made on which rows, and what each spent of delta; a new training keeps it
networks/            the Keras networks, which a later training can reuse; never published
.work/               networks of a training that is running, or was stopped
```
"""

import fcntl
import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from weir.catalog.manifest import FILE, Manifest, decode
from weir.errors import BadInput, BadManifest, Conflict, ModelUnavailable, Unavailable

SUMMARY = "summary.json"
REPORT = "report.json"
RELIABILITY = "reliability.svg"
REFERENCE = "reference"
NETWORKS = "networks"
WORK = ".work"
_LOCK = "lock"


def is_complete(trained: Path) -> bool:
    """Say whether a training was completed in this folder."""
    return (trained / FILE).is_file()


def manifest(trained: Path) -> Manifest:
    """Read the manifest of a complete training.

    Raises:
        BadInput: the folder holds no complete training, or its manifest is damaged.
    """
    if not is_complete(trained):
        rule = "a training folder is one that `weir train` completed"
        raise BadInput(f"{rule}; run it again to go on" if (trained / WORK).is_dir() else rule, str(trained))
    try:
        return decode((trained / FILE).read_bytes())
    except BadManifest as exc:  # the folder is an argument of the command; in a store it would be the store's fault
        raise BadInput(f"{trained / FILE} can't be used: {exc.rule}", exc.got) from exc


def artifact(trained: Path, digest: str) -> bytes:
    """Read an artifact, and check that its sha256 is its name. Raises `ModelUnavailable`."""
    path = trained / f"{digest}.tflite"
    if not path.is_file():
        raise ModelUnavailable("the training folder lacks an artifact that its manifest names", str(path))
    if hashlib.sha256(content := path.read_bytes()).hexdigest() != digest:
        raise ModelUnavailable("an artifact was changed: its sha256 is not its name", str(path))
    return content


def reference(trained: Path, digest: str) -> bytes:
    """Read the float32 model that an artifact was quantized from. Raises `ModelUnavailable`."""
    path = trained / REFERENCE / f"{digest}.tflite"
    if not path.is_file():
        raise ModelUnavailable("the training folder lacks the float32 reference of an artifact", str(path))
    return path.read_bytes()


@contextmanager
def working(out: Path) -> Iterator[Path]:
    """Lock a folder for one training, and yield its `.work`, whose files survive a training that is stopped.

    Raises:
        BadInput: the folder holds files that no training wrote.
        Conflict: another training is writing to it.
        Unavailable: its file system has no locks.
    """
    work, existed = out / WORK, out.exists()
    if existed and not out.is_dir():
        raise BadInput("--out is a folder", str(out))
    if out.is_dir() and any(out.iterdir()) and not work.is_dir() and not is_complete(out):
        raise BadInput("--out is new, empty, or a folder of an earlier training", str(out))
    work.mkdir(parents=True, exist_ok=True)
    with (work / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise Conflict("another training is writing to the folder", str(out)) from exc
        except OSError as exc:
            raise Unavailable(f"{out} can't be locked, which keeps two trainings apart", exc.strerror) from exc
        try:
            yield work
        except BaseException:
            _remove_unused(work, None if existed else out)
            raise


def _remove_unused(work: Path, out: Path | None) -> None:
    """Remove the folders of a training that left nothing in them, such as one without data."""
    if [path.name for path in work.iterdir()] == [_LOCK]:
        shutil.rmtree(work, ignore_errors=True)
        if out is not None:
            with suppress(OSError):  # something else is in it
                out.rmdir()


@contextmanager
def renewing(trained: Path) -> Iterator[Manifest]:
    """Lock a complete training for a new promise, and yield its manifest; the files of an unfinished training stay.

    Raises:
        BadInput: the folder holds no complete training.
        Conflict: a training is writing to it.
    """
    manifest(trained)
    work = trained / WORK
    unfinished = work.is_dir() and any(path.name != _LOCK for path in work.iterdir())
    try:
        with working(trained):
            yield manifest(trained)
    finally:
        if not unfinished:
            shutil.rmtree(work, ignore_errors=True)


def complete(out: Path, files: Mapping[str, bytes], last: bytes) -> None:
    """Write a finished training over the folder: the files by path, the manifest last; `.work` goes."""
    (out / FILE).unlink(missing_ok=True)
    for path in out.glob("*.tflite"):
        path.unlink()
    shutil.rmtree(out / REFERENCE, ignore_errors=True)
    _keep_networks(out)
    renew(out, files, last)
    shutil.rmtree(out / WORK)


def renew(out: Path, files: Mapping[str, bytes], last: bytes) -> None:
    """Write some files of a finished training anew, by path, and the manifest last; all other files stay."""
    for name, content in files.items():
        write(out / name, content)
    write(out / FILE, last)


def _keep_networks(out: Path) -> None:
    """Move the networks of a finished training to `networks/`, and remove those of earlier trainings."""
    finished = [path for path in (out / WORK).glob("*.*") if path.suffix in (".keras", ".json") and path.name[0] != "."]
    kept = out / NETWORKS
    kept.mkdir(exist_ok=True)
    for path in finished:
        path.replace(kept / path.name)
    for path in set(kept.iterdir()) - {kept / path.name for path in finished}:
        path.unlink()


def networks(trained: Path) -> Path:
    """Return the folder of the Keras networks of a complete training. Raises `BadInput` when there is none."""
    manifest(trained)
    path = trained / NETWORKS
    if not path.is_dir():
        raise BadInput("a training whose networks are reused has kept them, in networks/", str(trained))
    return path


def files(
    contents: Mapping[str, bytes],
    references: Mapping[str, bytes],
    *,
    summary: bytes,
    report: bytes,
    reliability: bytes,
) -> dict[str, bytes]:
    """Return the files of a finished training, without its manifest, by path; contents and references are by digest."""
    return {
        **{f"{digest}.tflite": content for digest, content in contents.items()},
        **{f"{REFERENCE}/{digest}.tflite": content for digest, content in references.items()},
        SUMMARY: summary,
        REPORT: report,
        RELIABILITY: reliability,
    }


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: under another name first, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        with named(path):
            part.write_bytes(content)
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)  # when the disk is full


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Name the file in an error that does not, as that of a full disk doesn't."""
    try:
        yield
    except OSError as exc:
        exc.filename = exc.filename or str(path)
        raise
