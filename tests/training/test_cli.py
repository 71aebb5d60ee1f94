"""The `weir` command, run as its users run it."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import numpy as np
import pytest
import requests
from PIL import Image

from local.system import System
from tests.integration.local.processes import eventually
from tests.training.quick import TASK, WEIR, copied, weir
from training import folder
from training.certifying import attempts
from training.cli import weir as group
from training.data.preparation import prepare
from training.measuring import reload
from training.task import load
from weir import __version__
from weir.catalog.manifest import FILE, encode


@pytest.fixture(scope="module")
def store(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a folder store with the trained model."""
    url = (tmp_path_factory.mktemp("store") / "models").as_uri()
    done = weir("publish", trained, "--store", url, "--json")
    assert json.loads(done.stdout) == {"model": "quick", "version": 1, "alias": "champion", "store": url}
    return url


@pytest.fixture(scope="module")
def rows(task: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of the test split as a .npy."""
    path = tmp_path_factory.mktemp("rows") / "rows.npy"
    np.save(path, prepare(load(str(task))).test.inputs)
    return path


@pytest.fixture
def served(store: str) -> Iterator[System]:
    """The local system, which serves the store."""
    with System(store=store) as system:
        yield system


PARTS = ("Usage:", "Arguments:", "Exit codes:", "Example", "Options:")
"""the beginnings of the parts of help; every other paragraph is a detail"""
OPTIONS = (
    *("--task", "--out", "--seed", "--reuse"),
    *("--max-loss", "--max-loss-per-label", "--delta", "--against", "--abstain-above", "--alpha", "--data"),
    *("--memory", "--rows-per-request", "--requests-per-month", "--overhead-ms", "--architecture"),
    *("--text", "--url", "--store", "--store-endpoint", "--alias", "--version", "--cascade"),
    *("--timeout", "--host", "--port", "--per-label", "--json"),
)
"""every option of every command, in the order in which help shows them"""


def _commands() -> list[str]:
    return sorted(group.commands)


def _help(name: str) -> str:
    command = group.commands[name]
    return command.get_help(click.Context(command, info_name=f"weir {name}"))


@pytest.mark.parametrize("name", _commands())
def test_every_command_has_help_with_an_example(name: str) -> None:
    """Each command shows an example of itself, and its first line fits the list of commands."""
    assert re.search(rf"Examples?:\n +weir {name}", _help(name))
    assert "..." not in group.commands[name].get_short_help_str(limit=60)


@pytest.mark.parametrize("name", _commands())
def test_help_has_the_same_order_in_every_command(name: str) -> None:
    """First what the command does, then its arguments, details, exit codes, an example, and its options."""
    parts = [part.strip() for part in re.split(r"\n\n+", _help(name))]
    kinds = [next((mark for mark in PARTS if part.startswith(mark)), "Details") for part in parts]
    order = ("Usage:", "Details", "Arguments:", "Details", "Exit codes:", "Example", "Options:")
    shortened = [kind for before, kind in zip(["", *kinds], kinds, strict=False) if kind != before]
    rest = iter(order)
    assert all(kind in rest for kind in shortened), shortened
    assert kinds[:2] == ["Usage:", "Details"]
    assert kinds[-2:] == ["Example", "Options:"]


@pytest.mark.parametrize("name", _commands())
def test_help_describes_every_argument_and_option(name: str) -> None:
    """Each argument has a line, in the order in which it is given, and each option a sentence."""
    shown, parameters = _help(name), group.commands[name].params
    arguments = [
        str(parameter.make_metavar(click.Context(group))) for parameter in parameters if _is_argument(parameter)
    ]
    listed = re.search(r"Arguments:\n((?: {4,}.*\n)+)", shown)
    assert (re.findall(r"^ {4}(\S+)  +\S", listed[1], re.MULTILINE) if listed else []) == arguments
    for parameter in parameters:
        if isinstance(parameter, click.Option):
            assert (parameter.help or "").endswith("."), parameter.name


@pytest.mark.parametrize("name", _commands())
def test_options_have_the_same_order_in_every_command(name: str) -> None:
    """An option that several commands have stands at the same place in each."""
    options = [parameter.opts[-1] for parameter in group.commands[name].params if not _is_argument(parameter)]
    assert [option for option in OPTIONS if option in options] == options


def _is_argument(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Argument)


def test_version_prints_the_version() -> None:
    """`weir --version` prints the package's own version, and nothing else."""
    done = weir("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"weir, version {__version__}\n", "")


def test_the_summary_is_what_evaluate_prints(trained: Path) -> None:
    """`weir evaluate` measures again in the shape of summary.json, and gets the same accuracies to the digit."""
    done = weir("evaluate", trained, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    printed, kept = json.loads(done.stdout), json.loads((trained / "summary.json").read_text())
    accuracy = {"accuracy", "balanced_accuracy", "recalls", "precisions", "log_loss", "auc"}
    network = accuracy | {"float_accuracy", "size_bytes", "latency_us", "quantization", "ece"}
    assert set(printed) == {"end_to_end", "levels", "cascade", "promise", "rows", "label_rows"}
    assert printed["rows"] == kept["rows"] == 200
    assert set(printed["end_to_end"]) == network
    assert [set(level) for level in printed["levels"]] == [network | {"name", "share"}] * 3
    assert set(printed["cascade"]) == accuracy | {"latency_us", "regret", "regrets", "ece", "ece_before", "ece_floor"}
    assert sum(level["share"] for level in printed["levels"]) == pytest.approx(1)
    assert printed["levels"][-1]["accuracy"] == printed["end_to_end"]["accuracy"]
    assert {k: v for k, v in printed["cascade"].items() if k != "latency_us"} == {
        k: v for k, v in kept["cascade"].items() if k != "latency_us"
    }


def test_evaluate_prints_a_table(trained: Path) -> None:
    """The table has a row for the end-to-end model, each level and the cascade; a sentence is about calibration."""
    printed = weir("evaluate", trained).stdout
    for name in ("│ end-to-end", "│ level 0:", "│ level 1:", "│ level 2: last", "│ cascade"):
        assert name in printed
    assert "confidence, the cascade is wrong where the end-to-end model is right on at most 20 %" in printed
    assert re.search(r"the cascade's is [\d.]+ % without\s+calibration", printed)
    for name in ("end-to-end", "cascade"):
        assert re.search(
            rf"^{name}: balanced accuracy \(mean recall of the labels\) [\d.]+ %; the lowest is", printed, re.MULTILINE
        )


def test_evaluate_prints_a_table_of_the_labels(trained: Path) -> None:
    """If asked for; it has a row for each of the ten digits."""
    printed = weir("evaluate", trained, "--per-label").stdout
    assert re.findall(r"^│ (\d) +│ +\d+ │", printed, re.MULTILINE) == list("0123456789")


def test_the_folder_is_laid_out_as_documented(trained: Path) -> None:
    """A training folder has the documented files, and none of those of the work."""
    manifest = folder.manifest(trained)
    names = {path.name for path in trained.iterdir()}
    assert names == {f"{digest}.tflite" for digest in manifest.artifacts} | {
        FILE,
        folder.SUMMARY,
        folder.REPORT,
        folder.RELIABILITY,
        attempts.FILE,
        folder.REFERENCE,
        folder.NETWORKS,
        attempts.FILE,
    }
    assert manifest.levels[-1].networks == (manifest.end_to_end.artifact,)
    assert manifest.provenance.seed == 3
    metrics = [manifest.end_to_end.metrics, *(level.metrics for level in manifest.levels)]
    assert [one.rows for one in metrics if one is not None] == [200] * 4
    report = json.loads((trained / folder.REPORT).read_text())
    assert len(report["networks"][0]["curve"]) == 2
    assert {row["quantization"] for row in report["networks"][0]["quantization"]["rows"]} == {
        "float32",
        "float16",
        "dynamic",
        "int8",
    }
    assert all(artifact.quantization != "float32" for artifact in manifest.artifacts.values())
    kept = sorted(path.name.split(".")[0] + path.suffix for path in (trained / folder.NETWORKS).iterdir())
    assert kept == ["first.json", "first.keras", "last.json", "last.keras", "second.json", "second.keras"]
    assert {path.stem for path in (trained / folder.REFERENCE).iterdir()} == set(manifest.artifacts)
    assert (trained / folder.RELIABILITY).read_text().startswith("<?xml")


@pytest.mark.parametrize("cascade", [(), ("--cascade",)], ids=["end-to-end", "cascade"])
def test_the_same_rows_get_the_same_labels_everywhere(
    store: str, served: System, rows: Path, trained: Path, cascade: tuple[str, ...]
) -> None:
    """A store, the API and a batch give the same labels, as often correct as `weir evaluate` says."""
    direct = json.loads(weir("predict", "quick", rows, "--store", store, "--json", *cascade).stdout)
    over_http = json.loads(weir("predict", "quick", rows, "--url", served.url, "--json", *cascade).stdout)
    batch = json.loads(weir("batch", "quick", rows, "--store", store, "--json", *cascade).stdout)
    labels = next(tensor["data"] for tensor in direct["outputs"] if tensor["name"] == "label")
    assert over_http == direct
    out = Path(store.removeprefix("file://")) / "batches/out/quick" / ("cascade" if cascade else "") / "rows.npy"
    lines = [json.loads(line) for line in (out / "predictions.jsonl").read_text().splitlines()]
    assert [line["label"] for line in lines] == labels
    assert batch["answered"] == len(labels) == 200
    correct = reload.load(folder.manifest(trained)).labels
    summary = json.loads((trained / "summary.json").read_text())
    expected = summary["cascade" if cascade else "end_to_end"]["accuracy"]
    assert np.mean(np.array(labels).astype(int) == correct) == pytest.approx(expected)


def test_many_fractional_rows_are_predicted_over_http(store: str, served: System, tmp_path: Path) -> None:
    """As many rows as a request may have, with digits that are long as text, get the answers of the store, in order."""
    np.save(tmp_path / "a.npy", np.random.default_rng(0).uniform(0, 16, (1100, 8, 8)))
    direct = weir("predict", "quick", tmp_path / "a.npy", "--store", store, "--json", "--cascade")
    over_http = weir("predict", "quick", tmp_path / "a.npy", "--url", served.url, "--json", "--cascade")
    assert over_http.returncode == 0, over_http.stderr
    assert json.loads(over_http.stdout) == json.loads(direct.stdout)
    assert len(json.loads(over_http.stdout)["outputs"][1]["data"]) == 1100


def test_paths_may_have_spaces_and_umlauts(trained: Path, rows: Path, tmp_path: Path) -> None:
    """Publishing, predicting and answering a batch work with any printable path, as it is or with percent signs."""
    folder = tmp_path / "mit Umlaut ü"
    shutil.copytree(trained, folder / "ein Modell")
    shutil.copy(rows, folder / "Zeilen ä.npy")
    store = folder / "der Speicher"
    assert weir("publish", folder / "ein Modell", "--store", f"file://{store}").returncode == 0
    for url in (f"file://{store}", store.as_uri()):
        for command in ("predict", "batch"):
            done = weir(command, "quick", folder / "Zeilen ä.npy", "--store", url)
            assert done.returncode == 0, done.stderr


def test_predict_takes_pictures_arrays_and_json(store: str, rows: Path, tmp_path: Path) -> None:
    """A row gets the same answer as .npy, nested numbers and request; a picture is read in grey at the model's size."""
    row = np.load(rows)[0]
    np.save(tmp_path / "a.npy", row)
    (tmp_path / "a.json").write_text(json.dumps(row.tolist()))
    tensor = {"name": "image", "shape": [1, 8, 8], "datatype": "FP32", "data": row.ravel().tolist()}
    (tmp_path / "b.json").write_text(json.dumps({"inputs": [tensor]}))
    printed = {
        weir("predict", "quick", tmp_path / name, "--store", store).stdout for name in ("a.npy", "a.json", "b.json")
    }
    assert len(printed) == 1
    assert re.fullmatch(r"row 0: \d \(0\.\d{4}\)\n", printed.pop())
    Image.fromarray(row.astype(np.uint8)).convert("RGB").resize((80, 80), Image.Resampling.BOX).save(tmp_path / "a.png")
    done = weir("predict", "quick", tmp_path / "a.png", "--store", store, "--cascade")
    assert re.match(r"row 0: \d \(0\.\d{4}\), level \d: ", done.stdout)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["frobnicate"], 2, "No such command"),
        (["train"], 2, "Missing argument"),
        (["train", "nothing"], 2, "TASK is one of"),
        (["train", "digits", "--seed", "-1"], 2, "seed"),
        (["evaluate", "/nowhere"], 2, "a training folder is one that `weir train` completed. Got: /nowhere"),
        (["publish", "/nowhere", "--store", "file:///tmp"], 2, "a training folder"),
        (["predict", "quick", "--store", "{store}"], 2, "either INPUT or --text is what to predict. Got: neither"),
        (["predict", "quick", "{rows}", "--text", "a", "--store", "{store}"], 2, "is what to predict. Got: both"),
        (["predict", "quick", "--text", "a", "--store", "{store}"], 2, "--text is for a model that reads one text"),
        (["up", "/nowhere"], 2, "a training folder is one that `weir train` completed. Got: /nowhere"),
        (["publish", "/nowhere"], 2, "Missing option '--store' (env var: 'MODEL_STORE')"),
        (["publish", "{trained}", "--store", "ftp://x"], 2, "a store is s3://"),
        (["publish", "{trained}", "--store", "s3://b/x?y"], 2, "without '?' and '#'. Got: s3://b/x?y"),
        (["publish", "{trained}", "--store", "s3://b", "--store-endpoint", "localhost:9000"], 2, "endpoint is an http"),
        (
            ["predict", "quick", "{rows}", "--store", "s3://b", "--store-endpoint", "localhost:9000"],
            2,
            "endpoint is an",
        ),
        (["serve", "--store", "s3://b", "--store-endpoint", "localhost:9000"], 2, "a store's endpoint is an http://"),
        (["serve", "--store", "s3://b?x"], 2, "without '?' and '#'. Got: s3://b?x"),
        (["serve", "--store", "file:///nowhere"], 2, "the folder exists. Got: file:///nowhere"),
        (["serve", "--store", "{store}", "--host", "192.0.2.1"], 1, "nothing can listen on 192.0.2.1:8080"),
        (["publish", "{trained}", "--store", "file:///proc/x"], 1, "the store file:///proc/x failed: "),
        (["predict", "quick", "{rows}"], 2, "--url or --store (or $MODEL_STORE) says where the model is. Got: neither"),
        (
            ["predict", "quick", "{rows}", "--url", "http://127.0.0.1:9", "--store", "{store}"],
            2,
            "either --url or --store says where the model is. Got: both",
        ),
        (
            ["predict", "nobody", "{rows}", "--store", "{store}"],
            2,
            "is published under the alias champion. Got: nobody",
        ),
        (["predict", "QUICK", "{rows}", "--store", "{store}"], 2, "model names are"),
        (["predict", "quick", "/nowhere.npy", "--store", "{store}"], 2, "INPUT is a file that can be read"),
        (["predict", "quick", "{task}", "--store", "{store}"], 2, "INPUT is a .png, .jpg, .npy, .csv, .jsonl or .json"),
        (["predict", "quick", "{rows}", "--url", "ftp://x"], 2, "--url is the API's"),
        (["predict", "quick", "{rows}", "--url", "http://127.0.0.1:9"], 1, "did not answer: connection refused"),
        (["predict", "quick", "/nowhere.npy", "--url", "http://127.0.0.1:9"], 2, "INPUT is a file that can be read"),
        (["certify", "{trained}", "--max-loss", "abc"], 2, "a share above 0 and below 1, or auto. Got: abc"),
        (["batch", "quick", "/nowhere.npy", "--store", "{store}"], 2, "FILE is a file that can be read"),
        (["batch", "quick", "{rows}", "--store", "{store}", "--timeout", "0"], 2, "timeout"),
        (["serve", "--store", "file:///nowhere", "--port", "99999"], 2, "port"),
    ],
)
def test_errors_are_one_line(
    arguments: list[str], code: int, message: str, trained: Path, rows: Path, store: str, task: Path
) -> None:
    """An error is one line on stderr, and the exit code says whether the input was at fault."""
    known = {"trained": trained, "rows": rows, "store": store, "task": task}
    done = weir(*(argument.format(**known) for argument in arguments))
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert done.stderr.startswith("weir: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_batch_file_that_cannot_be_read_is_bad_input(store: str, task: Path) -> None:
    """A batch file of another format is bad input, and the summary says why."""
    done = weir("batch", "quick", task, "--store", store)
    assert done.returncode == 2
    assert "a batch file is .npy, .csv, .jsonl, .png" in done.stdout


def test_a_batch_of_bad_rows_only_has_failed(store: str, tmp_path: Path) -> None:
    """The exit code is that of failure, and what is printed says why the first row is bad."""
    (tmp_path / "a.CSV").write_text("1;2;3\n4;5;6\n")
    done = weir("batch", "quick", tmp_path / "a.CSV", "--store", store)
    assert done.returncode == 1
    assert "no row could be answered; in row 0, a row has 64 values. Got: 3" in done.stdout


def test_the_store_of_the_help_of_batch_has_no_prefix() -> None:
    """The batch function is notified of files at the root of its bucket, so the example is one that works."""
    example = next(line for line in weir("batch", "--help").stdout.splitlines() if "weir batch mnist" in line)
    assert example.endswith(" --store s3://my-bucket")


def test_a_batch_prints_a_summary_for_people(store: str, tmp_path: Path) -> None:
    """Bad rows are counted in the summary, and the command still succeeds."""
    (tmp_path / "a.csv").write_text("\n".join([",".join(["3"] * 64), "1,2"]) + "\n")
    done = weir("batch", "quick", tmp_path / "a.csv", "--store", store, "--cascade")
    assert done.returncode == 0
    assert done.stdout.startswith("2 rows, 1 answered, 1 bad\n")
    assert "batches/out/quick/cascade/a.csv/predictions.jsonl" in done.stdout


def test_a_training_that_is_killed_goes_on(task: Path, trained: Path, tmp_path: Path) -> None:
    """A killed training is not complete; the next run reuses its finished networks and gives the same result."""
    out = tmp_path / "out"
    slow = tmp_path / "slow.toml"
    last = 'name = "last"\narchitecture = "conv-medium"\nepochs = 2'
    slow.write_text(TASK.replace(last, last.replace("epochs = 2", "epochs = 5000\npatience = 5000")))
    with subprocess.Popen([WEIR, "train", slow, "--out", out], stderr=subprocess.PIPE, text=True) as training:
        assert training.stderr
        for line in training.stderr:
            if line.startswith("second:"):
                break
        eventually((out / ".work/begun-last").exists, timeout_s=60)
        busy = weir("train", task, "--out", out)
        training.kill()
    assert (busy.returncode, "another training is writing to the folder" in busy.stderr) == (1, True)
    assert "run it again to go on" in weir("evaluate", out).stderr
    done = weir("train", task, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "first: resumed" in done.stderr
    assert "second: resumed" in done.stderr
    assert "last: trained again, for the last training was stopped in the middle of it" in done.stderr
    assert not (out / ".work").exists()
    assert _references(out) == _references(trained)


def test_networks_of_another_training_are_taken(task: Path, trained: Path, tmp_path: Path) -> None:
    """--reuse takes networks of the same data, seed and specification, the same to the bit, and trains none."""
    done = weir("train", task, "--out", tmp_path / "again", "--reuse", trained)
    assert done.returncode == 0, done.stderr
    for name in ("first", "second", "last"):
        assert f"{name}: resumed, it was trained before" in done.stderr
    assert _references(tmp_path / "again") == _references(trained)
    assert _files(tmp_path / "again" / folder.NETWORKS) == _files(trained / folder.NETWORKS)


def test_networks_that_come_from_something_else_are_trained(trained: Path, tmp_path: Path) -> None:
    """A network whose specification has changed is trained; the others are reused."""
    other = tmp_path / "other.toml"
    other.write_text(TASK.replace("shift = 1", "shift = 2"))
    done = weir("train", other, "--out", tmp_path / "out", "--reuse", trained)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"(\w+): resumed", done.stderr) == ["first", "last"]
    assert len(_references(tmp_path / "out") & _references(trained)) == 2


def test_networks_are_taken_of_complete_trainings_only(task: Path, trained: Path, tmp_path: Path) -> None:
    """A folder without a complete training, or without networks, can't be reused, and nothing is written."""
    out = tmp_path / "out"
    done = weir("train", task, "--out", out, "--reuse", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "a training folder is one that `weir train` completed" in done.stderr
    copy = copied(trained, tmp_path)
    shutil.rmtree(copy / folder.NETWORKS)
    done = weir("train", task, "--out", out, "--reuse", copy)
    assert (done.returncode, "has kept them, in networks/" in done.stderr) == (2, True)
    assert not out.exists()


def _references(trained: Path) -> set[bytes]:
    """Read the float32 models; which quantization is chosen depends on measured times."""
    return {path.read_bytes() for path in (trained / folder.REFERENCE).iterdir()}


def test_ctrl_c_says_so_and_leaves_the_complete_training_alone(task: Path, trained: Path, tmp_path: Path) -> None:
    """A training that is stopped in the folder of a complete one leaves that as it was."""
    out = copied(trained, tmp_path)
    with subprocess.Popen(
        [WEIR, "train", task, "--out", out, "--seed", "9"], stderr=subprocess.PIPE, text=True
    ) as stopped:
        assert stopped.stderr
        stopped.stderr.readline()
        stopped.send_signal(signal.SIGINT)
        printed = stopped.stderr.read()
    assert stopped.returncode == 1
    assert printed.splitlines()[-1].startswith("weir: stopped")
    assert "Traceback" not in printed
    assert weir("evaluate", out, "--json").returncode == 0


def test_a_folder_of_something_else_is_left_alone(task: Path, tmp_path: Path) -> None:
    """--out never writes into a folder that no training wrote."""
    (tmp_path / "thesis.txt").write_text("years of work")
    done = weir("train", task, "--out", tmp_path)
    assert (done.returncode, "--out is new, empty" in done.stderr) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    done = weir("train", task, "--out", tmp_path / "thesis.txt")
    assert (done.returncode, "--out is a folder" in done.stderr) == (2, True)


def test_two_trainings_with_the_same_seed_agree(task: Path, trained: Path, tmp_path: Path) -> None:
    """Two trainings have the same data digest, and test accuracies within half a point."""
    assert weir("train", task, "--out", tmp_path / "again", "--json").returncode == 0
    assert _references(tmp_path / "again") == _references(trained)
    one, two = folder.manifest(trained), folder.manifest(tmp_path / "again")
    assert one.provenance.data_digest == two.provenance.data_digest
    assert one.end_to_end.metrics
    assert two.end_to_end.metrics
    assert abs(one.end_to_end.metrics.accuracy - two.end_to_end.metrics.accuracy) <= 0.005


def test_evaluate_refuses_data_that_have_changed(trained: Path, tmp_path: Path) -> None:
    """`weir evaluate` measures on the rows of the training, or not at all."""
    out = copied(trained, tmp_path)
    manifest = (out / FILE).read_text()
    digest = folder.manifest(out).provenance.data_digest
    (out / FILE).write_text(manifest.replace(digest, "0" * 64))
    done = weir("evaluate", out)
    assert (done.returncode, "the data are those of the training" in done.stderr) == (2, True)


def test_evaluate_refuses_a_folder_that_was_damaged(trained: Path, tmp_path: Path) -> None:
    """A missing reference is named in the error, and is a failure."""
    out = copied(trained, tmp_path)
    shutil.rmtree(out / folder.REFERENCE)
    done = weir("evaluate", out)
    assert (done.returncode, "float32 reference" in done.stderr) == (1, True)


def test_serve_answers_until_it_is_stopped(store: str) -> None:
    """`weir serve` answers until it is terminated, and then nothing listens any more."""
    with subprocess.Popen(
        [WEIR, "serve", "--store", store, "--port", "0"], stderr=subprocess.PIPE, text=True
    ) as serving:
        assert serving.stderr
        url = re.findall(r"http://[\d.:]+", serving.stderr.readline())[0]
        try:
            ready = requests.get(f"{url}/v2/models/quick/ready", timeout=30).json()
            page = requests.get(f"{url}/docs", timeout=30)
        finally:
            serving.terminate()
    assert ready == {"name": "quick", "ready": True}
    assert page.ok  # without authorization
    assert serving.returncode == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)


def test_a_url_wins_over_a_store_of_the_environment(served: System, rows: Path) -> None:
    """MODEL_STORE may be set for other commands: only a store on the command line contradicts --url."""
    done = weir("predict", "quick", rows, "--url", served.url, env={**os.environ, "MODEL_STORE": "file:///nowhere"})
    assert done.returncode == 0, done.stderr


def test_a_port_that_is_taken_is_a_failure(store: str) -> None:
    """The command says that the port is taken, and not that its input was wrong."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = weir("serve", "--store", store, "--port", str(port))
    assert (done.returncode, f"weir: the port {port} is taken: " in done.stderr) == (1, True)


def test_a_damaged_alias_in_the_store_is_a_failure(trained: Path, rows: Path, tmp_path: Path) -> None:
    """The store is at fault, so the exit code is 1, and the message names the document."""
    url = tmp_path.as_uri()
    assert weir("publish", trained, "--store", url).returncode == 0
    (tmp_path / "models/quick/aliases/champion.json").write_bytes(b"{")
    for done in (weir("predict", "quick", rows, "--store", url), weir("publish", trained, "--store", url)):
        assert done.returncode == 1
        assert done.stderr.startswith("weir: models/quick/aliases/champion.json can't be used: an alias is ")


def test_a_damaged_manifest_in_a_training_folder_is_bad_input(trained: Path, tmp_path: Path) -> None:
    """The folder is input, so the exit code is 2, and the message names the file and the rule that it breaks."""
    copy = copied(trained, tmp_path)
    (copy / FILE).write_text((copy / FILE).read_text().replace('"schema_version": "', '"schema_version": "9'))
    done = weir("evaluate", copy)
    assert done.returncode == 2
    assert done.stderr.startswith(f"weir: {copy / FILE} can't be used: this Weir reads manifests of schema version")


def test_a_file_that_cannot_be_written_is_named(task: Path) -> None:
    """The message names the file and the system's own reason, not a rule about files."""
    done = weir("train", task, "--out", "/proc/nowhere/out")
    assert (done.returncode, done.stderr) == (
        1,
        "weir: /proc/nowhere can't be read or written: No such file or directory\n",
    )


@pytest.mark.parametrize("store", ["bogus", "http://x", "file:///nonexistent/x"])
def test_serve_refuses_a_url_that_is_no_store(store: str) -> None:
    """A URL that is no store, or of a folder that does not exist, is bad input."""
    done = weir("serve", "--store", store, "--port", "0")
    assert (done.returncode, "a store is" in done.stderr) == (2, True)


def test_the_demo_does_the_main_job(task: Path, tmp_path: Path) -> None:
    """The demo trains, publishes, serves, predicts and answers batches, prints the table, and writes its figures."""
    done = weir("demo", "--task", task, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "stopped the API" in done.stderr
    assert done.stderr.count("with the same labels") == 2
    assert "│ cascade" in done.stdout
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert set(summary) == {"end_to_end", "levels", "cascade", "promise", "rows", "label_rows"}


def test_up_prints_curl_lines_that_work(trained: Path, tmp_path: Path) -> None:
    """`weir up` serves the demo's model, and the requests of its curl lines, sent here without curl, give answers."""
    demo = Path(shutil.copytree(trained, tmp_path / "build/demo/mnist-sample"))
    (demo / FILE).write_bytes(encode(msgspec.structs.replace(folder.manifest(demo), model="mnist-sample")))
    with subprocess.Popen([WEIR, "up", "--port", "0"], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        printed = [running.stdout.readline() for _ in range(12)]
        predict, cascade, batch = (shlex.split(line) for line in printed if line.startswith("curl"))
        with Image.open(tmp_path / "build/demo/example.png") as picture:
            assert picture.mode == "L"
        for line in (predict, cascade):
            body = Path(line[line.index("--data-binary") + 1].removeprefix("@")).read_bytes()
            assert requests.post(line[-1], data=body, timeout=60).json()["model_name"] == "mnist-sample"
        put = batch[batch.index("-T") + 1 :]
        assert requests.put(put[1], data=Path(put[0]).read_bytes(), timeout=60).ok
        deadline = time.monotonic() + 60
        while not (got := requests.get(batch[-1], auth=("local", "local"), timeout=60)).ok:
            assert time.monotonic() < deadline, got.text
            time.sleep(0.2)
        assert got.json()["answered"] == 20
        running.terminate()
    assert running.returncode == 0


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_another_promise_for_the_same_networks(trained: Path, tmp_path: Path) -> None:
    """`weir certify` changes the promise in manifest and summary, and no network; each attempt spends half as much."""
    copy = copied(trained, tmp_path)
    done = weir("certify", copy, "--max-loss", "0.1", "--delta", "0.1", "--alpha", "0.1", "--json")
    assert done.returncode == 0, done.stderr
    before, after = folder.manifest(trained), folder.manifest(copy)
    assert after.certificate is not None
    assert (after.certificate.max_loss, after.certificate.delta, after.certificate.rows) == (0.1, 0.05, 153)
    assert after.certificate.attempt == 2
    assert after.certificate.delta_spent == pytest.approx(0.1)
    assert after.sets is not None
    assert after.sets.rows == 47
    assert after.certificate.losses <= after.certificate.max_losses
    assert after.artifacts == before.artifacts
    assert after.provenance.configuration == {
        **before.provenance.configuration,
        "promise": {
            "max_loss": 0.1,
            "max_loss_per_label": None,
            "delta": 0.1,
            "against": "end-to-end",
            "abstain_above": None,
            "alphas": [0.1],
        },
    }
    again = weir("certify", copy, "--max-loss", "0.2", "--json")
    assert again.returncode == 0, again.stderr
    kept = folder.manifest(copy)
    assert kept.certificate is not None
    assert (kept.certificate.max_loss, kept.certificate.delta) == (0.2, 0.025)
    assert kept.certificate.attempt == 3
    assert kept.certificate.delta_spent == pytest.approx(0.125)
    assert kept.sets is not None
    done = again
    promise = json.loads(done.stdout)["promise"]
    assert promise.startswith("with 97.5 % confidence, ")
    assert "; attempt 3 on these rows: the deltas of all attempts add up to 12.5 %)" in promise
    assert (copy / "summary.json").read_text() == done.stdout
    assert weir("evaluate", copy).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--max-loss", "0.2", "--abstain-above", "0.0001"), 1, "no threshold keeps the error"),
        (("--alpha", "0"), 2, "--alpha"),
        (("--max-loss", "0.01"), 2, "200 certification rows carry 2 % at delta 2.5 %; 1 % takes at least 368"),
        (("--against", "labels", "--max-loss", "auto"), 2, "a promise against labels states its max_loss"),
        (("--data", "{task}"), 2, "--data is a .npz, .npy or .csv. Got: "),
        (("--data", "/nowhere.npz"), 2, "--data is a file that numpy.savez wrote, without objects. Got: "),
        (("--max-loss", "0.02", "--against", "labels"), 1, "the last level alone is wrong on"),
        (("--max-loss", "0"), 2, "a limit is a share above 0 and below 1, or auto. Got: 0"),
        (("--delta", "1"), 2, "--delta"),
        (("--against", "everything"), 2, "end-to-end"),
        (("--max-loss", "nan"), 2, "lie between 0 and 1"),
        (("--delta", "nan"), 2, "lie between 0 and 1"),
        (("--abstain-above", "nan"), 2, "lie between 0 and 1"),
        (("--alpha", "nan"), 2, "lie between 0 and 1"),
    ],
)
def test_a_promise_that_cannot_be_certified_changes_nothing(
    trained: Path, task: Path, tmp_path: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    """When the promise can't be kept or is no promise, the folder stays as it was; what was tested is an attempt."""
    copy = copied(trained, tmp_path)
    before = _files(copy)
    done = weir("certify", copy, *(argument.format(task=task) for argument in arguments))
    assert done.returncode == code
    assert message in done.stderr
    after, tested = _files(copy), code == 1
    assert (before.pop(attempts.FILE) != after.pop(attempts.FILE)) == tested
    assert after == before
    assert len(attempts.load(copy).attempts) == 1 + tested


def test_a_promise_leaves_networks_and_an_unfinished_training_alone(trained: Path, tmp_path: Path) -> None:
    """Certifying keeps the networks, and the files of a training that was stopped."""
    copy = copied(trained, tmp_path)
    waiting = copy / ".work/other.0.keras"
    waiting.parent.mkdir()
    waiting.write_bytes(b"finished")
    before = {path.name for path in (copy / folder.NETWORKS).iterdir()}
    assert weir("certify", copy, "--max-loss", "0.3").returncode == 0
    assert {path.name for path in (copy / folder.NETWORKS).iterdir()} == before
    assert waiting.read_bytes() == b"finished"


def test_a_training_killed_at_its_very_end_is_not_lost(trained: Path, task: Path, tmp_path: Path) -> None:
    """When the networks have moved and the manifest is not written yet, the next run reuses the networks."""
    copy = copied(trained, tmp_path)
    (copy / FILE).unlink()
    (copy / ".work").mkdir()
    done = weir("train", task, "--out", copy)
    assert done.returncode == 0, done.stderr
    assert "last: resumed" in done.stderr
    assert "last: trained again" not in done.stderr


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ('[hierarchy]\ngeneralist = "first"\ncount = 10', "10 labels are in 2 to 9 groups"),
        ('[hierarchy]\ngeneralist = "first"\n[hierarchy.named]\na = ["0", "1"]\nb = ["1"]', "label"),
        ('[[levels]]\nname = "third"\narchitecture = "conv-vast"\nepochs = 1', "an architecture is one of"),
    ],
)
def test_what_cannot_be_built_is_refused_before_anything_is_trained(tmp_path: Path, changed: str, message: str) -> None:
    """Groups and architectures are checked before any network is trained."""
    bad = tmp_path / "bad.toml"
    bad.write_text(TASK + "\n" + changed + "\n")
    done = weir("train", bad, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert message in done.stderr
    assert "epochs, validation accuracy" not in done.stderr


def test_a_promise_against_labels_that_nothing_keeps_fails(trained: Path, tmp_path: Path) -> None:
    """The training is complete and its last level answers alone, but the exit code is 1."""
    task = tmp_path / "task.toml"
    task.write_text(TASK.replace("max_loss = 0.2", 'max_loss = 0.02\nagainst = "labels"'))
    done = weir("train", task, "--out", tmp_path / "out", "--reuse", trained)
    assert done.returncode == 1
    assert "the last level alone is wrong on" in done.stderr
    assert weir("evaluate", tmp_path / "out").returncode == 0


def test_what_is_mistyped_makes_no_store(tmp_path: Path) -> None:
    """A store that is not there is refused for a batch file, and is not made for a folder or an alias that is wrong."""
    store = tmp_path / "store"
    rows = tmp_path / "rows.csv"
    rows.write_text("1\n")
    done = weir("batch", "nobody", rows, "--store", store.as_uri())
    assert (done.returncode, "the folder exists" in done.stderr) == (2, True)
    assert weir("publish", tmp_path / "nothing", "--store", store.as_uri()).returncode == 2
    assert not store.exists()
