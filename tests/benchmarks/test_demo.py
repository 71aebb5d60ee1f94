"""benchmarks.demo: what it reads from a training, what it counts, and that its load ends with it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from benchmarks import demo, demo_runs
from benchmarks.busy import busy
from benchmarks.demo_runs import Run
from benchmarks.setting import ROOT
from tests.serving import make_manifest
from training import folder
from training.certifying import attempts
from training.measuring.report import encode as encode_evaluation
from training.measuring.results import CascadeResult, Evaluation, LevelResult, NetworkResult
from training.task import Task, load
from weir.catalog.manifest import encode
from weir.catalog.promises import Certificate

RUN = Run("mnist-sample", 0, "idle", ("tiny int8", "large float16"), (0.9, 0.1), 0.2, 3, 750, 0.01, 1)


def _network(latency_us: float) -> NetworkResult:
    return NetworkResult(
        accuracy=0.9, float_accuracy=0.9, size_bytes=1, latency_us=latency_us, quantization="int8", ece=0.01
    )


def _write(out: Path, *, seed: int = 0) -> None:
    """Write a training of three levels, whose cascade loses 3 of 750 rows and takes a quarter of the time."""
    plain = make_manifest()
    task = load("digits", seed=seed)
    certificate = Certificate(
        against="end-to-end",
        max_loss=0.01,
        delta=0.025,
        rows=750,
        attempt=2,
        losses=1,
        max_losses=2,
        p_value=0.01,
        tried=9,
        division={"thresholds": 750},
        data_digest="",
        certified_at="",
    )
    provenance = msgspec.structs.replace(plain.provenance, seed=seed, configuration=msgspec.to_builtins(task))
    manifest = msgspec.structs.replace(plain, task="digits", certificate=certificate, provenance=provenance)
    alone = msgspec.structs.asdict(_network(10.0))
    evaluation = Evaluation(
        end_to_end=_network(80.0),
        levels=tuple(
            LevelResult(**alone, name=level.name, share=share)
            for level, share in zip(manifest.levels, (0.75, 0.15, 0.1), strict=True)
        ),
        cascade=CascadeResult(accuracy=0.9, latency_us=20.0, regret=3 / 750, ece=0.01, ece_before=0.01, ece_floor=0.01),
        rows=750,
    )
    trials = [
        {"what": "distillation", "level": "tiny", "used": True, "why": "helps"},
        {"what": "pooling", "level": "small", "used": False, "why": "does not help"},
    ]
    files = {
        folder.SUMMARY: encode_evaluation(evaluation),
        folder.REPORT: msgspec.json.encode({"optimisation": trials, "groups": {}}),
    }
    for name in ("tiny.1.keras", "tiny.1.json"):
        folder.write(out / folder.NETWORKS / name, name.encode())
    folder.renew(out, files, encode(manifest))


def test_a_run_is_read_from_its_folder(tmp_path: Path) -> None:
    """Its ladder has the quantizations and the changes that were kept; losses are rows, the ratio is of CPU times."""
    _write(tmp_path / "run", seed=7)
    run = demo_runs.read(tmp_path / "run", demo_runs.LOADED)
    assert run == Run(
        task="digits",
        seed=7,
        load="loaded",
        ladder=("tiny float16", "small float16", "large float16", "+ distillation tiny"),
        shares=(0.75, 0.15, 0.1),
        time_ratio=0.25,
        losses=3,
        rows=750,
        epsilon=0.01,
        attempt=2,
    )


@pytest.mark.parametrize(
    ("losses", "epsilon", "broken"),
    [(0, 0.5, False), (1, 0.2, False), (2, 0.2, True), (2, 0.25, False), (2, None, False)],
)
def test_a_promise_is_broken_where_chance_rarely_loses_as_many_test_rows(
    losses: int, epsilon: float | None, *, broken: bool
) -> None:
    """Of 2 rows, epsilon 20 % loses both in 4 % of tests, and epsilon 25 % in 6.25 %; without a promise none breaks."""
    assert replace(RUN, rows=2, losses=losses, epsilon=epsilon).broken is broken


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (RUN, True),
        (replace(RUN, shares=(0.88, 0.12), time_ratio=0.3, losses=9), True),
        (replace(RUN, shares=(0.87, 0.13)), False),
        (replace(RUN, ladder=("tiny dynamic", "large float16")), False),
        (replace(RUN, ladder=("large float16",), shares=(1.0,)), False),
    ],
)
def test_the_same_choices_are_the_ladder_its_quantizations_and_shares_within_2_points(
    other: Run, *, same: bool
) -> None:
    """Times and losses are no choices."""
    assert RUN.same_choices(other) is same


def test_figures_count_runs_and_pairs() -> None:
    """A ratio of 0.9 still saves; the median is that of mnist-sample, the worst ratio that of all runs."""
    loaded = replace(RUN, load="loaded", time_ratio=0.3)
    digits = replace(RUN, task="digits", time_ratio=0.9)
    nothing = replace(digits, load="loaded", time_ratio=0.91, losses=20, shares=(0.5, 0.5))
    assert demo_runs.figures([(RUN, loaded), (digits, nothing)]) == {
        "runs": 4,
        "saved_runs": 3,
        "median_time_ratio": 0.25,
        "worst_time_ratio": 0.91,
        "broken_runs": 1,
        "same_choices_under_load": 1,
    }


def test_the_table_marks_what_should_not_be() -> None:
    """Each run has a line; it says where another ladder was chosen, nothing was saved, or a promise broke."""
    other = replace(RUN, load="loaded", ladder=("large float16",), shares=(1.0,), time_ratio=1.0, losses=20)
    lines = demo_runs.table([(RUN, other)])
    assert [mark in lines[2] for mark in ("OTHER", "saves nothing", "BROKEN")] == [True] * 3
    assert "tiny int8; large float16" in lines[3]
    assert lines[4].split() == ["loaded", "large", "float16"]
    assert len(demo_runs.table([(RUN, RUN)])) == 4


def test_an_idle_run_takes_networks_and_no_attempts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It starts with the float networks of the loaded one in `.work`, in which a training looks for its own."""
    out, made = tmp_path / "runs", tmp_path / "made"
    _write(made)
    attempts.save(made, attempts.Attempts())
    command = tmp_path / "weir"
    command.write_text(f'#!/bin/sh\nmkdir -p "$6"\nls "$6/.work" 2>/dev/null\ncp -r {made}/* "$6"\n')
    command.chmod(0o700)
    monkeypatch.setattr(demo, "_WEIR", command)
    monkeypatch.setattr(demo, "_BUILD", out)
    tasks = [load("digits")]
    ((idle, loaded),) = demo.pairs_of(tasks)
    assert idle == replace(loaded, load="idle")
    assert (out / "digits-0-loaded.log").read_text() == ""
    assert (out / "digits-0-idle.log").read_text().split() == ["tiny.1.json", "tiny.1.keras"]
    assert (out / "digits-0-idle/.work/tiny.1.keras").read_bytes() == b"tiny.1.keras"
    command.unlink()  # what is finished is used again
    assert demo.pairs_of(tasks) == [(idle, loaded)]
    with pytest.raises(SystemExit, match="Got: another task"):
        demo.pairs_of([msgspec.structs.replace(load("digits"), quantization_tolerance=0.1)])


def test_a_training_that_fails_ends_the_benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the file with what the training printed."""
    monkeypatch.setattr(demo, "_WEIR", Path("/bin/false"))
    monkeypatch.setattr(demo, "_BUILD", tmp_path)
    with pytest.raises(SystemExit, match=r"Got: 1; its messages are in .*digits-\d-loaded\.log"):
        demo.pairs_of([load("digits", seed=seed) for seed in range(5)])


def test_trainings_under_load_are_the_load_of_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each runs beside as many busy processes as there are cores: other trainings, and at the end spinning ones."""
    trainings, spinning, beside, folders = [0], [0], [], []
    lasts_s = (0.1, 0.3, 0.7, 0.8)

    def train(task: Task, out: Path, networks: Mapping[str, bytes]) -> None:
        assert not networks
        trainings[0] += 1
        time.sleep(lasts_s[task.seed])
        beside.append(trainings[0] + spinning[0] - 1)
        folders.append(out.name)
        trainings[0] -= 1

    @contextmanager
    def spin(processes: int) -> Iterator[None]:
        spinning[0] += processes
        yield
        spinning[0] -= processes

    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(demo, "_train", train)
    monkeypatch.setattr(demo, "busy", spin)
    demo.train_under_load([load("digits", seed=seed) for seed in range(4)])
    assert folders == [f"digits-{seed}-loaded" for seed in range(4)]
    assert beside == [2, 2, 2, 2]
    assert (trainings, spinning) == ([0], [0])


def test_load_ends_with_what_it_accompanies() -> None:
    """After the block no process is left, also when it fails."""
    started: list[int] = []

    def fail() -> None:
        with busy(2) as processes:
            started.extend(process for process in processes if _runs(process))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(started) == 2
    assert not any(map(_runs, started))


_KEEPING_BUSY = """
import time
from benchmarks.busy import busy
with busy(1) as started:
    print(*started, flush=True)
    time.sleep(60)
"""


def test_load_ends_when_the_benchmark_is_killed() -> None:
    """The processes see that their parent is gone, and stop."""
    with subprocess.Popen(
        [sys.executable, "-c", _KEEPING_BUSY], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as benchmark:
        assert benchmark.stdout
        process = int(benchmark.stdout.readline())
        assert _runs(process)
        benchmark.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while _runs(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(process)


def _runs(process: int) -> bool:
    """Tell whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
