"""Drop rows that would lie to training or to its measurements, and say how many of which kind."""

import hashlib

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.data.dataset import Dataset
from weir.errors import BadInput


class Cleaning(msgspec.Struct, frozen=True, kw_only=True):
    """Rows dropped, by the first reason that applied, and inputs that say nothing."""

    not_finite: int = 0
    """a value is NaN or infinite"""
    out_of_range: int = 0
    """a value is below or above what a pixel can have"""
    unknown_label: int = 0
    """the label is none of the label names"""
    duplicate: int = 0
    """the same picture as an earlier row; of a training row and a test row the test row stays"""
    constant_row: int = 0
    """every pixel of the picture has the same value"""
    constant_inputs: int = 0
    """pixels that have one value in all rows: kept, for the picture needs its shape"""
    kept: int

    def told(self) -> str:
        """Say in one line what was dropped."""
        reasons = {
            "not finite": self.not_finite,
            "out of range": self.out_of_range,
            "unknown label": self.unknown_label,
            "duplicate": self.duplicate,
            "constant": self.constant_row,
        }
        dropped = ", ".join(f"{count} {reason}" for reason, count in reasons.items() if count)
        inputs = f"; {self.constant_inputs} inputs never change" if self.constant_inputs else ""
        return f"{self.kept} rows kept, dropped: {dropped or 'none'}{inputs}"


def clean(data: Dataset) -> tuple[Dataset, Cleaning]:
    """Check the shapes, drop what can't be used, and count it.

    Raises:
        BadInput: the arrays are no pictures with a label each, or nothing is left.
    """
    images, labels = _arrays(data)
    low, high = data.value_range
    flat = images.reshape(len(images), -1)
    with np.errstate(invalid="ignore"):
        masks = {
            "not_finite": ~np.isfinite(flat).all(axis=1),
            "out_of_range": (flat < low).any(axis=1) | (flat > high).any(axis=1),
            "unknown_label": (labels < 0) | (labels >= len(data.label_names)) | (labels != np.floor(labels)),
            "constant_row": (flat == flat[:, :1]).all(axis=1),
        }
    bad = np.zeros(len(images), bool)
    counts: dict[str, int] = {}
    for reason, mask in masks.items():
        counts[reason] = int((mask & ~bad).sum())
        bad |= mask
    duplicate = _duplicates(images, bad, data.test_from)
    counts["duplicate"] = int(duplicate.sum())
    kept = np.flatnonzero(~(bad | duplicate))
    if not len(kept):
        raise BadInput("cleaning leaves some rows", f"{len(images)} rows, all dropped: {counts}")
    counts["constant_inputs"] = int((flat[kept] == flat[kept[0]]).all(axis=0).sum())
    test_from = None if data.test_from is None else int((kept < data.test_from).sum())
    cleaned = Dataset(images[kept], labels[kept].astype(np.int64), data.label_names, data.value_range, test_from)
    return cleaned, Cleaning(kept=len(kept), **counts)


def _arrays(data: Dataset) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    images, labels = data.inputs, data.labels
    if images.ndim != 3 or 0 in images.shape:  # noqa: PLR2004 (rows, height, width)
        raise BadInput("pictures have the shape (rows, height, width)", images.shape)
    if labels.shape != images.shape[:1]:
        raise BadInput(f"there is one label a row, {len(images)} in all", labels.shape)
    if images.dtype.kind not in "fiub" or labels.dtype.kind not in "fiub":
        raise BadInput("pixels and labels are numbers", f"{images.dtype}, {labels.dtype}")
    with np.errstate(over="ignore"):
        return images.astype(np.float32), labels.astype(np.float64)


def _duplicates(images: NDArray[np.float32], bad: NDArray[np.bool_], test_from: int | None) -> NDArray[np.bool_]:
    """Mark every picture that was seen before; a test set's rows are seen first, so that it stays whole."""
    duplicate = np.zeros(len(images), bool)
    start = len(images) if test_from is None else test_from
    seen: set[bytes] = set()
    for row in (*range(start, len(images)), *range(start)):
        if bad[row]:
            continue
        digest = hashlib.sha256(images[row].tobytes()).digest()
        duplicate[row] = digest in seen
        seen.add(digest)
    return duplicate
