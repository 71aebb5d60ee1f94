"""Train on data larger than memory, and print how much memory that takes: `make bench-memory`.

Pictures and rows of a table are made on the spot, a few at a time, and never held: folders of JPEGs whose pixels take
1 GiB and 4 GiB, and Parquet files of as many bytes of numbers. `weir train` runs on each in a process of its own. Its
peak is the largest resident set that the kernel saw.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from benchmarks.setting import ROOT, header

BUILD = ROOT / "build/bench-memory"
_SIDE, _COLUMNS = 96, 400
_ROWS = 20_000
"""of a file of the table"""
_LABELS = ("autumn", "sea")
_WEIR = Path(sys.executable).with_name("weir")
_TRAINED = {"pictures": ("conv-small", "tiny"), "table": ("table-mlp", "table-linear")}
"""networks of each kind: the end-to-end model, and the first level"""
_HEAD = """
name = "{name}"
[promise]
max_loss = 0.05
[optimise]
distil = false
escalated = false
pool = false
joint_epochs = 0
[end_to_end]
name = "last"
architecture = "{last}"
epochs = 1
{changes}
[[levels]]
name = "first"
architecture = "{first}"
epochs = 1
{changes}
[data]
path = "{path}"
"""


@dataclass(frozen=True)
class Peak:
    """One training, and the most memory that it had."""

    gibibytes: float
    rows: int
    mebibytes: int
    minutes: float


def pictures(folder: Path, size: int) -> int:
    """Write JPEGs whose pixels take `size` bytes, and return how many."""
    count = size // (_SIDE * _SIDE * 3)
    random = np.random.default_rng(0)
    for name in _LABELS:
        (folder / name).mkdir(parents=True)
    for number in range(count):
        label = number % 2
        coarse = random.integers(0, 200, (7, 7, 3)).astype(np.uint8)
        coarse[:, :, 2 * label] += 40  # the sea is rather blue, and autumn red
        picture = Image.fromarray(coarse).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
        picture.save(folder / _LABELS[label] / f"{number}.jpg", quality=70)
    return count


def table(folder: Path, size: int) -> int:
    """Write Parquet files of numbers in FP32 that take `size` bytes, and return how many rows."""
    folder.mkdir(parents=True)
    count, random = size // (4 * _COLUMNS), np.random.default_rng(0)
    for part, rows in enumerate(_parts(count)):
        numbers = random.normal(0, 1, (rows, _COLUMNS)).astype(np.float32)
        label = numbers[:, 0] + numbers[:, 1] * numbers[:, 2] + random.normal(0, 0.3, rows) > 0
        frame = pl.DataFrame({f"x{place}": numbers[:, place] for place in range(_COLUMNS)})
        frame.with_columns(y=pl.Series(label)).write_parquet(folder / f"{part:04}.parquet", compression="uncompressed")
    return count


def _parts(count: int) -> Iterator[int]:
    for start in range(0, count, _ROWS):
        yield min(_ROWS, count - start)


def _task(kind: str, data: Path) -> str:
    last, first = _TRAINED[kind]
    changes = f"columns = {json.dumps([f'x{place}' for place in range(20)])}" if kind == "table" else ""
    path = f"{data}/*.parquet" if kind == "table" else str(data)
    task = _HEAD.format(name=kind, last=last, first=first, path=path, changes=changes)
    return task + ('target = "y"\n' if kind == "table" else f"picture = {{size = [{_SIDE}, {_SIDE}]}}\n")


def trained(kind: str, write: Callable[[Path, int], int], gibibytes: float) -> Peak:
    """Make data, train on them, and remove them."""
    folder = BUILD / f"{kind}-{gibibytes:g}"
    shutil.rmtree(folder, ignore_errors=True)
    print(f"making {gibibytes:g} GiB of {kind} …", file=sys.stderr)
    rows = write(folder / "data", int(gibibytes * 2**30))
    (folder / "task.toml").write_text(_task(kind, folder / "data"))
    print(f"training on {rows:,} rows …", file=sys.stderr)
    started, log = time.monotonic(), BUILD / f"{kind}-{gibibytes:g}.log"
    with log.open("wb") as written:
        command = [str(_WEIR), "train", str(folder / "task.toml"), "--out", str(folder / "out")]
        process = subprocess.Popen(command, cwd=ROOT, stdout=written, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
    shutil.rmtree(folder)
    if status:
        sys.exit(f"a training on {kind} ends with 0. Got: {os.waitstatus_to_exitcode(status)}; see {log}")
    return Peak(gibibytes, rows, used.ru_maxrss >> 10, (time.monotonic() - started) / 60)


def main() -> None:
    """Print the peaks of all trainings, and the figures as JSON."""
    parser = argparse.ArgumentParser(description="Train on data larger than memory, and print the peak of memory.")
    parser.add_argument("--gibibytes", type=float, nargs=2, default=(1, 4), help="sizes of the data; default: 1 4")
    sizes = parser.parse_args().gibibytes
    figures: dict[str, float] = {}
    print(*header(), "", "data       GiB        rows  peak of memory  minutes", sep="\n")
    for kind, write in (("pictures", pictures), ("table", table)):
        peaks = [trained(kind, write, size) for size in sizes]
        for one in peaks:
            print(f"{kind:<9}  {one.gibibytes:>3g}  {one.rows:>10,}  {one.mebibytes:>10,} MiB  {one.minutes:>7.1f}")
            figures[f"{kind}_{one.gibibytes:g}_gib_peak_mib"] = one.mebibytes
        figures[f"{kind}_growth"] = round(peaks[-1].mebibytes / peaks[0].mebibytes, 3)
    print("\n" + json.dumps(figures))


if __name__ == "__main__":
    main()
