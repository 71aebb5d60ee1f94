"""From a task to the rows of its four splits."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.data import sources
from training.data.cleaning import Cleaning, clean
from training.data.columns import vocabulary
from training.data.dataset import Dataset
from training.data.digests import values
from training.data.rows import RowStore, row_bytes
from training.data.splits import near_duplicates
from training.data.splits.rare_labels import without_rare_labels
from training.data.splits.sizes import SettledSizes, settled
from training.data.splits.split import Indices, Split, TrainingSplit, split
from training.task import Data, Task
from weir.catalog.inputs import Input
from weir.errors import BadInput


@dataclass(frozen=True)
class PreparedData:
    """The data of a task, cleaned and split."""

    train: TrainingSplit
    validation: Split
    certification: Split
    test: Split
    label_names: tuple[str, ...]
    inputs: tuple[Input, ...]
    """what a row is"""
    cleaning: Cleaning
    digest: str
    """sha256 over rows, labels, label names and the split of each row"""
    notes: tuple[str, ...] = ()
    """how the files were read and divided: what was sniffed, guessed or settled"""
    hierarchy: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """group -> its labels, where folders are nested"""
    data: Data | None = None
    """the keys of the task, by which further rows are read"""

    @property
    def input(self) -> Input:
        """The only input."""
        (one,) = self.inputs
        return one

    @property
    def prior(self) -> tuple[float, ...]:
        """Share of each label among the training rows."""
        counts: NDArray[np.intp] = np.bincount(self.train.labels, minlength=len(self.label_names))
        return tuple((counts / counts.sum()).tolist())


def prepare(task: Task) -> PreparedData:
    """Load, clean and split the data of a task. Raises `BadInput`, and `Unavailable` when a download fails."""
    data, cleaning = clean(_load(task.data))
    sizes = settled(task.sizes, task.promise, data, task.data.memory_mb << 20)
    if not task.data.source:
        data, warnings = without_rare_labels(data, sizes)
        cleaning = msgspec.structs.replace(cleaning, warnings=(*cleaning.warnings, *warnings))
        sizes = settled(task.sizes, task.promise, data, task.data.memory_mb << 20)
    data = _together(data)
    try:
        parts = split(data, sizes, task.seed)
    except BadInput as exc:  # cleaning may be why there are so few rows
        raise BadInput(exc.rule, f"{exc.got}; of the data: {cleaning.summary()}") from exc
    rows, inputs, notes = vocabulary.settled(data.rows, data.inputs, parts["train"])
    data = replace(data, rows=rows, inputs=inputs, notes=(*data.notes, *notes, *_notes(task, data, sizes, parts)))
    whole = TrainingSplit(data.rows, data.labels.astype(np.int64))
    splits = {part: whole.taken(numbers) for part, numbers in parts.items()}
    return PreparedData(
        train=splits["train"],
        validation=splits["validation"].read(),
        certification=splits["certification"].read(),
        test=splits["test"].read(),
        label_names=data.label_names,
        inputs=data.inputs,
        cleaning=cleaning,
        digest=_digest(data, parts),
        notes=data.notes,
        hierarchy=data.hierarchy,
        data=task.data,
    )


def _load(data: Data) -> Dataset:
    if data.source:
        return sources.load(data)
    from training.data import readers  # noqa: PLC0415 (polars takes half a second, and only files need it)

    return readers.load(data)


def _together(data: Dataset) -> Dataset:
    """Put nearly equal rows into one group, with the rest of the groups that they are in."""
    if not data.near_duplicates or data.times is not None:
        return data
    found = near_duplicates.clusters(data.rows, data.inputs)
    return replace(data, groups=found if data.groups is None else near_duplicates.merged(data.groups, found))


def _notes(task: Task, data: Dataset, sizes: SettledSizes, parts: Mapping[str, Indices]) -> tuple[str, ...]:
    """Say which sizes were not in the task, and how rows were kept together."""
    given = msgspec.structs.asdict(task.sizes)
    open_sizes = [f"{part} {len(parts[part])}" for part, size in given.items() if size is None and getattr(sizes, part)]
    notes = [f"sizes that the task leaves open: {', '.join(open_sizes)}"] if open_sizes else []
    if isinstance(data.rows, RowStore):
        size = len(data.rows) * row_bytes(data.rows) >> 20
        notes.append(f"rows of {size:,} MiB, more than data.memory_mb = {task.data.memory_mb}, are read from a file")
    if data.groups is not None and (together := int((data.groups >= 0).sum())):
        kind = f"of one {task.data.group}, or nearly equal," if task.data.group else "nearly equal"
        notes.append(f"{together} rows that are {kind} stay in one split with each other")
    if task.data.group:
        notes.append("a promise counts rows as independent; rows of one group are not, so that it holds less exactly")
    if task.data.time:
        notes.append(f"split by {task.data.time}: training rows are the earliest, test rows the latest")
    return tuple(notes)


def _digest(data: Dataset, parts: Mapping[str, Indices]) -> str:
    digest = hashlib.sha256()
    digest.update(repr((data.rows.shape, data.label_names)).encode())
    for content in values(data.rows):
        digest.update(content)
    digest.update(data.labels.astype("<i8").tobytes())
    for part, rows in parts.items():
        digest.update(part.encode())
        digest.update(rows.astype("<i8").tobytes())
    return digest.hexdigest()
