"""Trainings with groups: experts behind a generalist, behind a router, behind the end-to-end model."""

import json
import re
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.training.quick import REFINED, ROUTED, weir
from training import folder
from training.measuring import reload as testsplit
from training.measuring.evaluation import evaluate
from training.measuring.ledger import of_folder
from training.measuring.results import Evaluation
from training.pipeline import train
from training.recertification import recertify
from training.task import Promise, decode
from training.terminal.callbacks import Callbacks
from weir.catalog.manifest import Level
from weir.errors import BadInput
from weir.runtime.interpreter import DEPLOYED
from weir.runtime.model import Model


def _levels(trained: Path) -> dict[str, Level]:
    return {level.name: level for level in folder.manifest(trained).levels}


def _report(trained: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((trained / folder.REPORT).read_text())
    return found


def _trained(text: str, out: Path) -> Path:
    train(decode(text.encode()), out, Callbacks(lambda _: None, lambda *_: None))
    return out


def test_experts_stand_right_behind_their_generalist(layered: Path) -> None:
    """They refine it; the end-to-end model is the last level, the very same file."""
    manifest = folder.manifest(layered)
    assert [level.name for level in manifest.levels] == ["first", "experts", "last"]
    assert [level.kind for level in manifest.levels] == ["cascade", "experts", "cascade"]
    assert manifest.levels[1].fusion == "refine"
    assert manifest.levels[-1].artifact == manifest.end_to_end.artifact
    assert manifest.levels[-1].fusion == "replace"


def test_labels_are_divided_into_groups(layered: Path) -> None:
    """As many as asked for, and experts are for some of them."""
    manifest = folder.manifest(layered)
    assert len(manifest.groups) == 3
    assert sorted(label for group in manifest.groups.values() for label in group) == sorted(manifest.labels)
    assert 0 < len(manifest.levels[1].experts) <= 3
    assert set(manifest.levels[1].experts) <= set(manifest.groups)


def test_a_promise_is_made_of_all_levels(layered: Path) -> None:
    """On all certification rows."""
    manifest = folder.manifest(layered)
    assert manifest.certificate
    assert (manifest.certificate.max_loss, manifest.certificate.rows) == (0.03, 400)
    assert manifest.certificate.losses <= manifest.certificate.max_losses


def test_the_folder_holds_every_network(layered: Path) -> None:
    """Artifacts, what each was quantized from, and the Keras network with its curve."""
    manifest = folder.manifest(layered)
    digests = {f"{digest}.tflite" for digest in manifest.artifacts}
    assert {path.name for path in layered.glob("*.tflite")} == digests
    assert {path.name for path in (layered / folder.REFERENCE).iterdir()} == digests
    kept = {path.name.partition(".")[0] for path in (layered / folder.NETWORKS).glob("*.keras")}
    assert kept >= {"first", "last", "first-distillation", "joint-0"}
    assert any(name.startswith("expert-") for name in kept)
    assert (layered / folder.RELIABILITY).read_text().startswith("<?xml")


def test_the_report_tells_all_that_was_tried(layered: Path) -> None:
    """What helped, which experts pay, the groups, and how well probabilities are calibrated."""
    report, manifest = _report(layered), folder.manifest(layered)
    assert set(report) == {
        "cleaning",
        "networks",
        "optimisation",
        "groups",
        "experts",
        "thresholds",
        "calibration",
    }
    tried = msgspec.convert(report["optimisation"], list[dict[str, object]])
    assert [line["what"] for line in tried] == ["distillation", "a level of", "joint fine-tuning"]
    assert tried[1]["used"]
    experts = msgspec.convert(report["experts"], list[dict[str, object]])
    assert {line["group"] for line in experts if line["used"]} == set(manifest.levels[1].experts)
    assert all(line["why"] for line in experts)
    assert report["groups"] == {name: list(labels) for name, labels in manifest.groups.items()}
    calibration = msgspec.convert(report["calibration"], dict[str, dict[str, object]])
    assert set(calibration) == {"end-to-end", "0", "1", "2", "cascade"}
    assert set(calibration["cascade"]) == {"before", "after", "floor", "diagram_before", "diagram_after"}


def test_evaluate_measures_it(layered: Path) -> None:
    """Experts are one level; the cascade is what it was in training."""
    done = weir("evaluate", layered, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = msgspec.json.decode(done.stdout, type=Evaluation)
    kept = msgspec.json.decode((layered / folder.SUMMARY).read_bytes(), type=Evaluation)
    assert [level.name for level in found.levels] == ["first", "experts", "last"]
    assert found.levels[1].accuracy > found.levels[0].accuracy
    assert (found.cascade.accuracy, found.cascade.regret) == (kept.cascade.accuracy, kept.cascade.regret)
    assert [level.share for level in found.levels] == [level.share for level in kept.levels]
    assert found.cascade.ece < found.cascade.ece_before


def test_the_ledger_knows_groups(layered: Path) -> None:
    """Every part adds up to its whole, and the command tells them."""
    found = of_folder(layered)
    assert [level.name for level in found.levels] == ["first", "experts", "last"]
    assert sum(level.loss_reduction for level in found.levels) == pytest.approx(found.prior_loss - found.loss)
    assert found.routing_loss is not None
    assert found.routing_loss + sum(group.remaining_loss for group in found.groups) == pytest.approx(found.loss)
    told = weir("ledger", layered)
    assert (told.returncode, told.stderr) == (0, "")
    assert "level 1:" in told.stdout


def test_plan_tells_what_it_costs(layered: Path) -> None:
    """By the times that its training measured."""
    told = weir("plan", layered)
    assert (told.returncode, told.stderr) == (0, "")
    assert "a million predictions" in told.stdout


def test_another_promise_for_the_same_levels(layered: Path, tmp_path: Path) -> None:
    """Against labels, with abstention and sets; groups, experts and networks stay what they are."""
    copy = Path(shutil.copytree(layered, tmp_path / "copy"))
    done = weir("certify", copy, "--max-loss", "0.2", "--against", "labels", "--abstain-above", "0.5", "--alpha", "0.1")
    assert done.returncode == 0, done.stderr
    before, after = folder.manifest(layered), folder.manifest(copy)
    assert after.certificate
    assert (after.certificate.against, after.certificate.rows) == ("labels", 250)
    assert after.abstention
    assert after.sets
    assert (after.artifacts, after.groups) == (before.artifacts, before.groups)
    assert [level.experts for level in after.levels] == [level.experts for level in before.levels]
    assert {path.name for path in (copy / folder.NETWORKS).iterdir()} == {
        path.name for path in (layered / folder.NETWORKS).iterdir()
    }
    report, old = _report(copy), _report(layered)
    assert (report["experts"], report["optimisation"]) == (old["experts"], old["optimisation"])
    assert report["calibration"] != old["calibration"]


def test_it_serves_what_was_measured(layered: Path, tmp_path: Path) -> None:
    """Published and asked about the test split, the cascade is right as often as training said, and tells its paths."""
    store = (tmp_path / "store").as_uri()
    assert weir("publish", layered, "--store", store).returncode == 0
    test = testsplit.load(folder.manifest(layered))
    np.save(tmp_path / "rows.npy", test.inputs)
    done = weir("predict", "layered", tmp_path / "rows.npy", "--store", store, "--cascade", "--json")
    assert done.returncode == 0, done.stderr
    outputs = {tensor["name"]: tensor["data"] for tensor in json.loads(done.stdout)["outputs"]}
    kept = msgspec.json.decode((layered / folder.SUMMARY).read_bytes(), type=Evaluation)
    assert np.mean(np.array(outputs["label"]).astype(int) == test.labels) == pytest.approx(kept.cascade.accuracy)
    told = weir("predict", "layered", tmp_path / "rows.npy", "--store", store, "--cascade").stdout
    assert re.search(r"level 1: first 0\.\d+ < 0\.\d+; experts( \(.+\))? 0\.\d+ >= 0\.\d+", told)


def test_experts_of_the_end_to_end_model(tmp_path: Path) -> None:
    """They are the last level, behind the end-to-end model, and the promise is against labels."""
    out = _trained(REFINED, tmp_path)
    manifest = folder.manifest(out)
    assert [(level.name, level.kind) for level in manifest.levels] == [("last", "cascade"), ("experts", "experts")]
    assert manifest.levels[0].artifact == manifest.end_to_end.artifact
    assert manifest.certificate
    assert manifest.certificate.against == "labels"
    found = evaluate(out, lambda *_: None)
    assert found.levels[0].accuracy == found.end_to_end.accuracy < found.levels[1].accuracy
    with pytest.raises(BadInput, match="a promise against the end-to-end model is one of levels that end with it"):
        recertify(out, Promise(max_loss=0.2), print, lambda *_: None)


@pytest.fixture(scope="module")
def routed(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training with a router."""
    return _trained(ROUTED.replace("digits.npz", str(digits)), tmp_path_factory.mktemp("routed"))


def test_a_router_chooses_the_group(routed: Path) -> None:
    """Its experts stand right behind it; every group has one, by name."""
    levels = _levels(routed)
    names = list(levels)
    assert names[names.index("router") + 1] == "experts"
    assert names[-1] == "last"
    assert levels["router"].kind == "router"
    assert set(levels["experts"].experts) == {"low", "high"}


def test_a_router_and_its_experts_know_labels_together(routed: Path) -> None:
    """Alone it knows groups only; what they say together is right far more often."""
    found = {level.name: level for level in evaluate(routed, lambda *_: None).levels}
    assert found["router"].accuracy < 0.3
    assert found["experts"].accuracy > 0.8


def test_a_router_answers_for_groups(routed: Path) -> None:
    """The ledger blames it for wrong ones; a group is what it sums up to."""
    ledger, manifest = of_folder(routed), folder.manifest(routed)
    assert [group.name for group in ledger.groups] == ["low", "high"]
    assert all(group.expert for group in ledger.groups)
    model = Model(manifest, lambda digest: folder.artifact(routed, digest), DEPLOYED)
    test = testsplit.load(manifest)
    word = model.steps(cascade=True)[list(_levels(routed)).index("router")].word
    assert word
    assert model.hierarchy
    groups = model.hierarchy.mass(word(test.inputs)).argmax(axis=1)
    assert (groups == model.hierarchy.group_of[test.labels]).mean() > 0.85
