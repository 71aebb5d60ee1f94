"""Trainings with groups: experts after a generalist, after a router, after the end-to-end model."""

import json
import re
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.training.quick import REFINED, ROUTED, copied, weir
from training import folder
from training.measuring import reload
from training.measuring.contenders import contenders
from training.measuring.evaluation import evaluate
from training.measuring.ledger import of_folder
from training.measuring.results import Evaluation
from training.pipeline import train
from training.recertification import recertify
from training.task import Promise, decode
from training.terminal.callbacks import Callbacks
from weir.catalog.levels import Experts, Level, Router
from weir.catalog.manifest import Artifact, Manifest
from weir.engine.hierarchy import Hierarchy
from weir.errors import BadInput


def _levels(manifest: Manifest) -> dict[str, Level[Artifact]]:
    return {level.name: level for level in manifest.levels}


def _experts(manifest: Manifest) -> Experts[Artifact]:
    level = _levels(manifest)["experts"]
    assert isinstance(level, Experts)
    return level


def _report(trained: Path) -> dict[str, object]:
    report: dict[str, object] = json.loads((trained / folder.REPORT).read_text())
    return report


def _summary(trained: Path) -> Evaluation:
    return msgspec.json.decode((trained / folder.SUMMARY).read_bytes(), type=Evaluation)


def _trained(text: str, out: Path) -> Path:
    train(decode(text.encode()), out, Callbacks(lambda _: None, lambda *_: None))
    return out


def test_experts_come_directly_after_their_generalist(layered: Path) -> None:
    """They refine it; the end-to-end model is the last level, the very same file."""
    manifest = folder.manifest(layered)
    assert [level.name for level in manifest.levels] == ["first", "experts", "last"]
    assert [level.kind for level in manifest.levels] == ["cascade", "experts", "cascade"]
    assert manifest.levels[1].fusion == "refine"
    assert manifest.levels[-1].networks == (manifest.end_to_end.artifact,)
    assert manifest.levels[-1].fusion == "replace"


def test_labels_are_divided_into_groups(layered: Path) -> None:
    """There are as many groups as the task names, and experts for some of them."""
    manifest = folder.manifest(layered)
    assert len(manifest.groups) == 3
    assert sorted(label for group in manifest.groups.values() for label in group) == sorted(manifest.labels)
    experts = _experts(manifest).experts
    assert 0 < len(experts) <= 3
    assert set(experts) <= set(manifest.groups)


def test_a_promise_covers_all_levels(layered: Path) -> None:
    """It is certified on all certification rows."""
    manifest = folder.manifest(layered)
    assert manifest.certificate
    assert (manifest.certificate.max_loss, manifest.certificate.rows) == (0.03, 400)
    assert manifest.certificate.losses <= manifest.certificate.max_losses


def test_the_folder_holds_every_network(layered: Path) -> None:
    """It holds the artifacts, what each was quantized from, and the Keras networks with their curves."""
    manifest = folder.manifest(layered)
    digests = {f"{digest}.tflite" for digest in manifest.artifacts}
    assert {path.name for path in layered.glob("*.tflite")} == digests
    assert {path.name for path in (layered / folder.REFERENCE).iterdir()} == digests
    kept = {path.name.partition(".")[0] for path in (layered / folder.NETWORKS).glob("*.keras")}
    assert kept >= {"first", "last", "first-distillation", "joint-0"}
    assert any(name.startswith("expert-") for name in kept)
    assert (layered / folder.RELIABILITY).read_text().startswith("<?xml")


def test_the_report_shows_all_that_was_tried(layered: Path) -> None:
    """It shows which changes helped, which experts pay, the groups, and how well probabilities are calibrated."""
    report, manifest = _report(layered), folder.manifest(layered)
    assert set(report) == {
        "cleaning",
        "networks",
        "ladder",
        "end_to_end",
        "optimisation",
        "groups",
        "experts",
        "thresholds",
        "calibration",
    }
    trials = msgspec.convert(report["optimisation"], list[dict[str, object]])
    assert [line["what"] for line in trials] == ["distillation", "a level of", "joint fine-tuning"]
    assert trials[1]["used"]
    experts = msgspec.convert(report["experts"], list[dict[str, object]])
    assert {line["group"] for line in experts if line["used"]} == set(_experts(manifest).experts)
    assert all(line["why"] for line in experts)
    assert report["groups"] == {name: list(labels) for name, labels in manifest.groups.items()}
    calibration = msgspec.convert(report["calibration"], dict[str, dict[str, object]])
    assert set(calibration) == {"end-to-end", "0", "1", "2", "cascade"}
    assert set(calibration["cascade"]) == {"before", "after", "floor", "diagram_before", "diagram_after"}


def test_evaluate_repeats_the_measurements_of_the_training(layered: Path) -> None:
    """Experts are one level, and the cascade answers as it did in training."""
    done = weir("evaluate", layered, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    now, kept = msgspec.json.decode(done.stdout, type=Evaluation), _summary(layered)
    assert [level.name for level in now.levels] == ["first", "experts", "last"]
    assert now.levels[1].accuracy > now.levels[0].accuracy
    assert (now.cascade.accuracy, now.cascade.regret) == (kept.cascade.accuracy, kept.cascade.regret)
    assert [level.share for level in now.levels] == [level.share for level in kept.levels]
    assert now.cascade.ece < now.cascade.ece_before


def test_the_ledger_knows_groups(layered: Path) -> None:
    """Every part adds up to its whole, and the command prints them."""
    ledger = of_folder(layered)
    assert [level.name for level in ledger.levels] == ["first", "experts", "last"]
    assert sum(level.loss_reduction for level in ledger.levels) == pytest.approx(ledger.prior_loss - ledger.loss)
    assert ledger.routing_loss is not None
    assert ledger.routing_loss + sum(group.remaining_loss for group in ledger.groups) == pytest.approx(ledger.loss)
    done = weir("ledger", layered)
    assert (done.returncode, done.stderr) == (0, "")
    assert "level 1:" in done.stdout


def test_plan_prices_the_model(layered: Path) -> None:
    """It goes by the times that the training measured."""
    done = weir("plan", layered)
    assert (done.returncode, done.stderr) == (0, "")
    assert "a million predictions" in done.stdout


def test_the_same_levels_get_another_promise(layered: Path, tmp_path: Path) -> None:
    """The new one is against labels, with abstention and sets; groups, experts and networks stay as they are."""
    copy = copied(layered, tmp_path)
    done = weir("certify", copy, "--max-loss", "0.2", "--against", "labels", "--abstain-above", "0.5", "--alpha", "0.1")
    assert done.returncode == 0, done.stderr
    before, after = folder.manifest(layered), folder.manifest(copy)
    assert after.certificate
    assert (after.certificate.against, after.certificate.rows) == ("labels", 250)
    assert after.abstention
    assert after.sets
    assert (after.artifacts, after.groups) == (before.artifacts, before.groups)
    assert _experts(after).experts == _experts(before).experts
    assert [level.kind for level in after.levels] == [level.kind for level in before.levels]
    assert {path.name for path in (copy / folder.NETWORKS).iterdir()} == {
        path.name for path in (layered / folder.NETWORKS).iterdir()
    }
    report, old = _report(copy), _report(layered)
    assert (report["experts"], report["optimisation"]) == (old["experts"], old["optimisation"])
    assert report["calibration"] != old["calibration"]


def test_predictions_are_those_that_were_measured(layered: Path, tmp_path: Path) -> None:
    """A published cascade is as accurate on the test split as in training, and the command prints its paths."""
    store = (tmp_path / "store").as_uri()
    assert weir("publish", layered, "--store", store).returncode == 0
    test = reload.load(folder.manifest(layered))
    np.save(tmp_path / "rows.npy", test.inputs)
    done = weir("predict", "layered", tmp_path / "rows.npy", "--store", store, "--cascade", "--json")
    assert done.returncode == 0, done.stderr
    outputs = {tensor["name"]: tensor["data"] for tensor in json.loads(done.stdout)["outputs"]}
    accuracy = np.mean(np.array(outputs["label"]).astype(int) == test.labels)
    assert accuracy == pytest.approx(_summary(layered).cascade.accuracy)
    printed = weir("predict", "layered", tmp_path / "rows.npy", "--store", store, "--cascade").stdout
    assert re.search(r"level 1: first 0\.\d+ < 0\.\d+; experts( \(.+\))? 0\.\d+ >= 0\.\d+", printed)


def test_experts_may_refine_the_end_to_end_model(tmp_path: Path) -> None:
    """They are the last level, after the end-to-end model, and the promise is against labels."""
    out = _trained(REFINED, tmp_path)
    manifest = folder.manifest(out)
    assert [(level.name, level.kind) for level in manifest.levels] == [("last", "cascade"), ("experts", "experts")]
    assert manifest.levels[0].networks == (manifest.end_to_end.artifact,)
    assert manifest.certificate
    assert manifest.certificate.against == "labels"
    evaluation = evaluate(out, lambda *_: None)
    assert evaluation.levels[0].accuracy == evaluation.end_to_end.accuracy < evaluation.levels[1].accuracy
    with pytest.raises(BadInput, match="a promise against the end-to-end model takes levels that end with it"):
        recertify(out, Promise(max_loss=0.2), Callbacks(print, lambda *_: None))


@pytest.fixture(scope="module")
def routed(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training with a router."""
    return _trained(ROUTED.replace("digits.npz", str(digits)), tmp_path_factory.mktemp("routed"))


def test_a_router_chooses_the_group(routed: Path) -> None:
    """Its experts come directly after it; every group has one, by name."""
    manifest = folder.manifest(routed)
    names = [level.name for level in manifest.levels]
    assert names[names.index("router") + 1] == "experts"
    assert names[-1] == "last"
    assert isinstance(_levels(manifest)["router"], Router)
    assert set(_experts(manifest).experts) == {"low", "high"}


def test_a_router_and_its_experts_know_labels_together(routed: Path) -> None:
    """The router alone knows groups only; with its experts it is correct far more often."""
    levels = {level.name: level for level in evaluate(routed, lambda *_: None).levels}
    assert levels["router"].accuracy < 0.3
    assert levels["experts"].accuracy > 0.8


def test_a_router_answers_for_groups(routed: Path) -> None:
    """The ledger lists its groups, and the router alone chooses the correct group of most rows."""
    ledger, manifest = of_folder(routed), folder.manifest(routed)
    assert [group.name for group in ledger.groups] == ["low", "high"]
    assert all(group.expert for group in ledger.groups)
    test, number = reload.load(manifest), [level.name for level in manifest.levels].index("router")
    router = contenders(manifest, lambda digest: folder.artifact(routed, digest))[str(number)]
    hierarchy = Hierarchy.named(manifest.groups, manifest.labels, manifest.prior)
    groups = hierarchy.mass(router.answer(test.inputs)[0].probabilities).argmax(axis=1)
    assert (groups == hierarchy.group_of[test.labels]).mean() > 0.85
