"""Trainings whose end-to-end network is weak: what they publish is never worse than its own levels."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.training.quick import WEAK, copied, trained_as, weir
from training import folder
from training.levels.comparison import Comparison
from training.measuring import reload
from weir.catalog.levels import Classifier
from weir.catalog.manifest import Artifact
from weir.runtime.interpreter import DEPLOYED, Network


@pytest.fixture(scope="module")
def weak(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a task whose end-to-end network learns nothing, and return the folder."""
    return trained_as(WEAK, tmp_path_factory.mktemp("weak"), digits)


def _comparisons(trained: Path) -> list[Comparison]:
    report = json.loads((trained / folder.REPORT).read_text())
    return msgspec.convert(report["end_to_end"], list[Comparison])


@pytest.mark.parametrize("training", ["weak", "trained", "layered"])
def test_no_level_is_stronger_than_the_end_to_end_model(training: str, request: pytest.FixtureRequest) -> None:
    """No artifact of a level is correct on more validation rows, or the report says that they are too few to tell."""
    trained: Path = request.getfixturevalue(training)
    published = folder.manifest(trained)
    rows = reload.prepared(published).validation

    def correct(artifact: Artifact) -> int:
        logits = Network(folder.artifact(trained, artifact.digest), DEPLOYED).logits(rows.inputs)
        return int((logits.argmax(axis=1) == rows.labels).sum())

    best = correct(published.end_to_end.artifact)
    ahead = {
        level.name for level in published.levels if isinstance(level, Classifier) and correct(level.network) > best
    }
    assert ahead <= {line.other for line in _comparisons(trained) if line.too_few_rows}


def test_the_strongest_level_is_published_as_the_end_to_end_model(weak: Path) -> None:
    """It is the last level, the network of the task is left out, and the message and the report say why."""
    published = folder.manifest(weak)
    assert [level.name for level in published.levels] == ["first"]
    assert published.levels[0].networks == (published.end_to_end.artifact,)
    assert {path.stem for path in weak.glob("*.tflite")} == {published.end_to_end.artifact.digest}
    (line,) = _comparisons(weak)
    assert (line.end_to_end, line.other, line.left_out, line.too_few_rows) == ("first", "last", ("last",), False)
    printed = weak.with_suffix(".log").read_text()
    assert line.why in printed
    assert "one level: first answers every row" in printed
    assert "worse answers" not in printed
    report = json.loads((weak / folder.REPORT).read_text())
    assert {network["name"] for network in report["networks"]} == {"first", "last"}
    assert {path.name.partition(".")[0] for path in (weak / folder.NETWORKS).glob("*.keras")} == {"first", "last"}


def test_one_level_keeps_any_promise_against_itself(weak: Path, tmp_path: Path) -> None:
    """No row can be lost to the end-to-end model, in training and when it is certified again."""
    copy = copied(weak, tmp_path)
    done = weir("certify", copy, "--max-loss", "0.01")
    assert done.returncode == 0, done.stderr
    for trained, limit in ((weak, 0.03), (copy, 0.01)):
        certificate = folder.manifest(trained).certificate
        assert certificate
        assert (certificate.max_loss, certificate.losses, certificate.tried) == (limit, 0, 1)


def test_one_level_is_measured(weak: Path) -> None:
    """The evaluation says that there is one level, which answers every row; ledger and plan work too."""
    evaluated, ledger, plan = weir("evaluate", weak), weir("ledger", weak, "--json"), weir("plan", weak)
    assert "one level: first answers every row" in evaluated.stdout
    assert plan.returncode == 0, plan.stderr
    (level,) = json.loads(ledger.stdout)["levels"]
    assert (level["name"], level["share"]) == ("first", 1.0)
    summary = json.loads((weak / folder.SUMMARY).read_text())
    assert summary["cascade"]["accuracy"] == summary["end_to_end"]["accuracy"] > 0.8
    assert summary["cascade"]["regret"] == 0


def test_one_level_is_served(weak: Path, tmp_path: Path) -> None:
    """The cascade gives the labels of the end-to-end model, all at level 0."""
    store = (tmp_path / "store").as_uri()
    assert weir("publish", weak, "--store", store).returncode == 0
    np.save(tmp_path / "rows.npy", reload.load(folder.manifest(weak)).inputs)
    direct, cascade = (
        json.loads(weir("predict", "weak", tmp_path / "rows.npy", "--store", store, "--json", *mount).stdout)
        for mount in ((), ("--cascade",))
    )
    alone, answers = ({tensor["name"]: tensor["data"] for tensor in one["outputs"]} for one in (direct, cascade))
    assert answers["label"] == alone["label"]
    assert set(answers["exit_level"]) == {0}
