"""training.measuring.report: what it says of labels with few rows; the commands' own tests have the rest."""

import msgspec
import pytest

from training.measuring.report import encode, show
from training.measuring.results import CascadeResult, Evaluation, NetworkResult

NETWORK = NetworkResult(accuracy=0.977, float_accuracy=0.977, size_bytes=1, latency_us=1.0, quantization="int8", ece=0)
CASCADE = CascadeResult(accuracy=0.977, latency_us=1.0, regret=0.0, ece=0.0, ece_before=0.0, ece_floor=0.0)


def _evaluation(recalls: dict[str, float], rows: dict[str, int]) -> Evaluation:
    """Make the evaluation of a model that finds these shares of the rows of each label."""
    facts = {"balanced_accuracy": sum(recalls.values()) / len(recalls), "recalls": recalls}
    return Evaluation(
        end_to_end=msgspec.structs.replace(NETWORK, **facts),
        levels=(),
        cascade=msgspec.structs.replace(CASCADE, **facts),
        label_rows=rows,
    )


def test_a_rare_label_that_is_never_found_is_seen_beside_the_accuracy(capsys: pytest.CaptureFixture[str]) -> None:
    """With 7 positives in 300 rows, a model that finds none has an accuracy of 97.7 %."""
    show(_evaluation({"sound": 1.0, "broken": 0.0}, {"sound": 293, "broken": 7}), as_json=False)
    printed = " ".join(capsys.readouterr().out.split())
    assert "97.7 %" in printed
    for name in ("end-to-end", "cascade"):
        recall = "balanced accuracy (mean recall of the labels) 50.0 %; the lowest is 0.0 %, of broken (test rows: 7)"
        assert f"{name}: {recall}" in printed
    assert "warning: a recall from fewer than 10 rows says little: broken (7 test)" in printed


def test_each_label_has_a_row_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """With what both models find of it, and what the cascade loses; a label that no row gets has no precision."""
    evaluation = _evaluation({"[a]": 0.9, "b": 0.0}, {"[a]": 10, "b": 300})
    cascade = msgspec.structs.replace(evaluation.cascade, precisions={"[a]": 0.25}, regrets={"[a]": 0.125, "b": 0.0})
    show(msgspec.structs.replace(evaluation, cascade=cascade), as_json=False, per_label=True)
    lines = [line.replace("│", " ").split() for line in capsys.readouterr().out.splitlines()]
    assert ["[a]", "10", "90.0", "%", "90.0", "%", "25.0", "%", "12.5", "%"] in lines
    assert ["b", "300", "0.0", "%", "0.0", "%", "0.0", "%"] in lines


def test_labels_with_enough_rows_are_not_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    """The lowest recall is still told."""
    show(_evaluation({"a": 0.9, "b": 0.8}, {"a": 10, "b": 300}), as_json=False)
    printed = capsys.readouterr().out
    assert "the lowest is 80.0 %, of b (test rows: 300)" in " ".join(printed.split())
    assert "warning" not in printed


def test_a_summary_without_recalls_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Trainings that were made before have none."""
    document = msgspec.json.decode(encode(Evaluation(end_to_end=NETWORK, levels=(), cascade=CASCADE)))
    for result in (document["end_to_end"], document["cascade"]):
        del result["balanced_accuracy"], result["recalls"]
    del document["label_rows"]
    show(msgspec.convert(document, Evaluation), as_json=False)
    assert "recall" not in capsys.readouterr().out
