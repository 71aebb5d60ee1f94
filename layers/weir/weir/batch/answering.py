"""A file of rows in the store -> a file of predictions."""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from weir.batch.file_rows import FileRows
from weir.batch.files import read
from weir.catalog import store_urls
from weir.catalog.keys import BatchKey, parse_batch_key
from weir.catalog.manifest import Manifest
from weir.catalog.mounts import CASCADE
from weir.catalog.store import Store
from weir.engine.abstention import group_names, label_names
from weir.errors import BadInput, BadName, BadTensor, NotFound, Unavailable, WeirError
from weir.inputs.scale import warn_if_narrow
from weir.runtime.model import OVERFLOW, Predictor
from weir.runtime.registry import Registry

CHUNK = 1024
"""rows answered in one call of the engine"""


class Prediction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The prediction of one row, a line of `predictions.jsonl`."""

    row: int
    label: str
    """the empty string where the model abstains"""
    confidence: float
    exit_level: int
    model_version: int
    group: str | None = None
    """the row's group, the empty string for none; absent where the model neither has groups nor abstains"""


class RowError(msgspec.Struct, frozen=True, kw_only=True):
    """The error of one row that could not be answered, a line of `predictions.jsonl`."""

    row: int
    error: str


class Summary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`summary.json`, written last: once it exists, the predictions are complete, or it says why there are none."""

    model: str
    file: str
    cascade: bool
    rows: int
    answered: int
    bad_rows: int
    model_version: int | None = None
    labels: dict[str, int] = {}
    """label -> rows"""
    abstained: int = 0
    """rows that got no label"""
    exit_levels: dict[str, int] = {}
    """number of the level -> rows"""
    header: bool = False
    """whether the first line of a .csv was taken for a header, which is no row"""
    error: str | None = None
    """why nothing was answered"""
    failed: bool = False
    """whether the error is none of the file's: its notice is delivered again, or becomes a dead letter"""
    sequencer: str = ""
    """S3's mark of the upload that was answered; empty when its notice had none"""


def _silent(done: int, total: int) -> None:
    del done, total


def answer_object(registry: Registry, bucket: str, key: str, sequencer: str = "") -> Summary | None:
    """Answer the file of a notice; when that fails, its summary holds the reason, unless the store takes none.

    A notice may be delivered again, even after its file was removed. When that fails and its upload was answered
    before, the summary stays as it is, and None is returned.

    Args:
        registry: the models, and the store that has the file.
        bucket: that the notice names; it may be empty.
        key: of the object within its bucket.
        sequencer: of the upload; it may be empty.

    Raises:
        BadName: the key is of no batch file of this store: there is no place for a summary.
        ObjectNotFound: the file is not in the store.
        Unavailable: the store or the model failed; trying again may work.
    """
    parsed = parse_batch_key(_within(registry.store.url, bucket, key))
    try:
        return answer(registry, parsed, sequencer=sequencer)
    except Exception as exc:
        if sequencer and _was_answered(registry.store, parsed, sequencer):
            return None
        reason = str(exc) if isinstance(exc, WeirError) else "answering the file failed in Weir itself; see the log"
        with suppress(Unavailable):
            _write(registry.store, parsed, _summary(parsed, [], version=None, error=reason, failed=True))
        raise


def _was_answered(store: Store, key: BatchKey, sequencer: str) -> bool:
    """Tell whether this upload of a file has been answered; not so when the store does not tell."""
    with suppress(WeirError, msgspec.MsgspecError):
        summary = msgspec.json.decode(store.get(key.summary), type=Summary)
        return summary.sequencer == sequencer and not summary.failed
    return False


def _within(url: str, bucket: str, key: str) -> str:
    """Return the key of an object of a bucket within the store that has this URL. Raises `BadName`."""
    place = store_urls.parse(url)
    if isinstance(place, Path):
        return key
    prefix = f"{place.prefix}/" if place.prefix else ""
    if bucket not in {"", place.name} or not key.startswith(prefix):
        raise BadName(f"batch files are in the store {url}", f"s3://{bucket}/{key}")
    return key.removeprefix(prefix)


def answer(
    registry: Registry, key: BatchKey, on_rows: Callable[[int, int], None] = _silent, *, sequencer: str = ""
) -> Summary:
    """Answer one batch file: write the predictions, then the summary.

    For a file of which nothing can be answered (no model, no rows, not readable, bad rows only) the summary holds the
    error.
    `on_rows(done, total)` is called with the progress.

    Raises:
        ObjectNotFound: the file itself is not in the store.
        Unavailable: the store or the model failed; trying again may work.
    """
    data = registry.store.get(key.source)
    try:
        version, model = registry.model(key.model)
        rows = read(key.file, data, model.reader)
    except (BadInput, NotFound) as exc:
        summary = _summary(key, [], version=None, error=str(exc))
    else:
        warn_if_narrow(rows.values, model.reader.inputs, key.model)
        lines = list(_Job(model.predictor(key.mount), model.manifest, version, rows).lines(on_rows))
        registry.store.put(key.predictions, b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
        summary = _summary(key, lines, version=version, error=_nothing_answered(lines), header=rows.header)
    summary = msgspec.structs.replace(summary, sequencer=sequencer)
    _write(registry.store, key, summary)
    return summary


def _write(store: Store, key: BatchKey, summary: Summary) -> None:
    store.put(key.summary, msgspec.json.format(msgspec.json.encode(summary), indent=1) + b"\n")


@dataclass(frozen=True)
class _Job:
    predictor: Predictor
    manifest: Manifest
    version: int
    rows: FileRows

    def lines(self, on_rows: Callable[[int, int], None]) -> Iterator[Prediction | RowError]:
        total = len(self.rows.values)
        for start in range(0, total, CHUNK):
            on_rows(start, total)
            numbers = range(start, min(start + CHUNK, total))
            valid = [number for number in numbers if number not in self.rows.errors]
            predicted = self._predict(valid) if valid else {}
            yield from (predicted.get(n) or RowError(row=n, error=self.rows.errors[n]) for n in numbers)
        on_rows(total, total)

    def _predict(self, numbers: list[int]) -> dict[int, Prediction | RowError]:
        predictions, _ = self.predictor.answer(self.rows.values[numbers], full=False)
        abstentions = predictions.abstentions
        groups = [None] * len(numbers) if abstentions is None else group_names(abstentions, self.manifest.groups)
        return {
            number: Prediction(
                row=number,
                label=label,
                confidence=confidence,
                exit_level=level,
                model_version=self.version,
                group=group,
            )
            if math.isfinite(confidence)
            else RowError(row=number, error=str(BadTensor(OVERFLOW, f"row {number}")))
            for number, label, confidence, level, group in zip(
                numbers,
                label_names(predictions, self.manifest.labels),
                predictions.confidence.tolist(),
                predictions.exit_level.tolist(),
                groups,
                strict=True,
            )
        }


def _nothing_answered(lines: list[Prediction | RowError]) -> str | None:
    """Say why no row was answered, by the error of the first; None when one was."""
    errors = [line for line in lines if isinstance(line, RowError)]
    return f"no row could be answered; in row 0, {errors[0].error}" if len(errors) == len(lines) else None


def _summary(  # noqa: PLR0913 (all but two are named)
    key: BatchKey,
    lines: list[Prediction | RowError],
    *,
    version: int | None,
    error: str | None,
    header: bool = False,
    failed: bool = False,
) -> Summary:
    answered = [line for line in lines if isinstance(line, Prediction)]
    return Summary(
        model=key.model,
        file=key.file,
        cascade=key.mount == CASCADE,
        rows=len(lines),
        answered=len(answered),
        bad_rows=len(lines) - len(answered),
        model_version=version,
        labels=dict(sorted(Counter(line.label for line in answered if line.label).items())),
        abstained=sum(not line.label for line in answered),
        exit_levels=dict(sorted(Counter(str(line.exit_level) for line in answered).items())),
        header=header,
        error=error,
        failed=failed,
    )
