"""training.export.quantization: the rule of choice over tables, and measuring over real networks."""

import math
from typing import Any

import numpy as np
import pytest

from tests.serving import NETWORKS
from training.data.splits.split import Split
from training.export.quantization import Measurement, QuantizationTable, choose, measure
from weir.catalog.manifest import Quantization
from weir.engine.arrays import Floats
from weir.engine.confidence import softmax
from weir.errors import ModelUnavailable
from weir.runtime.interpreter import DEPLOYED, RUNTIMES, Network, installed


def _row(form: Quantization, interpreter: str = DEPLOYED, **facts: object) -> Measurement:
    sound = {"size_bytes": 100, "accuracy": 0.9, "agreement": 1.0, "latency_us": 10.0}
    named: dict[str, Any] = {"quantization": form, "interpreter": interpreter, "interpreter_version": "1"}
    return Measurement(**{**named, **sound, **facts})


def _table(*rows: Measurement, ties: tuple[tuple[Quantization, Quantization], ...] = ()) -> QuantizationTable:
    return QuantizationTable(network="n", float_accuracy=0.9, rows=(_row("float32"), *rows), ties=ties)


@pytest.mark.parametrize(
    ("rows", "chosen"),
    [
        ([_row("float16"), _row("dynamic", latency_us=5.0), _row("int8", latency_us=8.0)], "dynamic"),
        ([_row("float16", size_bytes=50, latency_us=10.1), _row("dynamic", latency_us=9.0)], "dynamic"),
        ([_row("float16"), _row("int8", latency_us=1.0, accuracy=0.894)], "float16"),
        ([_row("float16"), _row("int8", latency_us=1.0, accuracy=0.895)], "int8"),
        ([_row("float16"), _row("int8", latency_us=1.0, error="no")], "float16"),
        (
            [_row("float16"), _row("float16", RUNTIMES[1], accuracy=0.5), _row("int8"), _row("int8", RUNTIMES[1])],
            "int8",
        ),
        ([_row("float16", latency_us=9.0), _row("float16", RUNTIMES[1], latency_us=99.0), _row("int8")], "float16"),
    ],
    ids=[
        "the fastest",
        "a smaller one that does not tie is too slow",
        "what loses too much is out",
        "the limit itself is in",
        "what does not run is out",
        "what loses too much in one interpreter is out",
        "time is the deployed interpreter's",
    ],
)
def test_the_rule_of_choice(rows: list[Measurement], chosen: str) -> None:
    """The fastest quantization within the tolerance is chosen, and the smallest of equally fast ones."""
    assert choose(_table(*rows), 0.005).chosen == chosen


@pytest.mark.parametrize(
    ("ties", "chosen"),
    [
        ((("float16", "dynamic"),), "float16"),
        ((("float16", "dynamic"), ("dynamic", "int8")), "int8"),
        ((("float16", "int8"),), "dynamic"),
        ((("float32", "dynamic"),), "dynamic"),
    ],
    ids=["a tie", "of all that tie the smallest", "a tie of slower ones", "float32 is no candidate"],
)
def test_ties_in_time_are_decided_by_size(ties: tuple[tuple[Quantization, Quantization], ...], chosen: str) -> None:
    """Of those that tie with the fastest the smallest is chosen, whatever the noise of their times."""
    rows = [
        _row("float16", latency_us=9.2, size_bytes=50),
        _row("dynamic", latency_us=9.0, size_bytes=60),
        _row("int8", latency_us=9.3, size_bytes=40),
    ]
    assert choose(_table(*rows, ties=ties), 0.005).chosen == chosen


def test_a_form_that_moves_probabilities_far_is_refused() -> None:
    """However fast it is and however accurate; the table says why, and the limit itself is in."""
    rows = [
        _row("float16", moved=0.4),
        _row("dynamic", moved=0.1),
        _row("int8", moved=0.01, latency_us=1.0),
        _row("int8", RUNTIMES[1], moved=0.11),
    ]
    table = choose(_table(*rows), 0.005)
    assert table.chosen == "dynamic"
    assert table.refused == {
        "float16": "probabilities move by 0.40 in 1 of 100 rows, more than 0.1",
        "int8": "probabilities move by 0.11 in 1 of 100 rows, more than 0.1",
    }


def test_the_reference_is_published_where_every_form_moves_probabilities_far() -> None:
    """A training that took hours is not thrown away; of forms that are not accurate enough, none will do."""
    rows = [_row("float16", moved=0.2), _row("dynamic", moved=0.2), _row("int8", accuracy=0.5, moved=0.9)]
    table = choose(_table(*rows), 0.005)
    assert table.chosen == "float32"
    assert table.refused["int8"] == "an accuracy of 0.5000, the float network's is 0.9000"


def test_float32_is_not_chosen_for_its_speed() -> None:
    """It is the reference, and not chosen even if it is the fastest."""
    table = QuantizationTable(network="n", float_accuracy=0.9, rows=(_row("float32", latency_us=0.1), _row("float16")))
    assert choose(table, 0.005).chosen == "float16"


@pytest.mark.parametrize("facts", [{"agreement": 0.5}, {"agreement": math.nan}, {"error": "refused"}])
def test_a_network_that_broke_in_conversion_fails(facts: dict[str, Any]) -> None:
    """Where the float32 form does not predict what Keras predicts, no quantization is chosen."""
    table = QuantizationTable(network="n", float_accuracy=0.9, rows=(_row("float32", **facts), _row("float16")))
    with pytest.raises(ModelUnavailable, match="the float32 conversion of n does not agree with Keras"):
        choose(table, 0.005)


def test_without_any_interpreter_training_fails() -> None:
    """Without an interpreter nothing is measured, and the error states it."""
    with pytest.raises(ModelUnavailable, match="no interpreter"):
        choose(QuantizationTable(network="n", float_accuracy=0.9, rows=()), 0.005)


def test_when_every_form_loses_too_much_training_fails() -> None:
    """The error lists each quantization's accuracy."""
    with pytest.raises(ModelUnavailable, match=r"within 0\.005.*int8 0\.5"):
        choose(_table(_row("int8", accuracy=0.5)), 0.005)


def test_every_form_is_measured_in_every_interpreter() -> None:
    """The table has accuracy, agreement, size and latency, or the error of an interpreter that refuses."""
    images = np.zeros((30, 4, 4), np.float32)
    images[:15, :, 0], images[15:, :, 3] = 255, 255
    validation = Split(images, np.array([0] * 15 + [2] * 14 + [1]))
    float_logits = np.eye(3, dtype=np.float32)[[0] * 15 + [2] * 15]
    contents: dict[Quantization, bytes] = {
        "float32": (NETWORKS / "large.tflite").read_bytes(),
        "int8": (NETWORKS / "custom.tflite").read_bytes(),
    }
    table = measure("n", contents, validation, float_logits)
    assert [(row.quantization, row.interpreter) for row in table.rows] == [
        (form, interpreter) for interpreter in installed() for form in contents
    ]
    for row in table.of("float32"):
        assert row.moved == pytest.approx(_moved(contents["float32"], images, float_logits), abs=1e-4)
        assert row.accuracy == table.float_accuracy == pytest.approx(29 / 30)
        assert row.agreement == 1.0
        assert row.latency_us > 0
        assert row.size_bytes == len(contents["float32"])
    assert all(row.error and math.isnan(row.accuracy) for row in table.of("int8"))


def _moved(content: bytes, images: Floats, float_logits: Floats) -> float:
    """Compute, by sorting, what 99 of 100 of 30 rows keep to."""
    one, other = (softmax(logits) for logits in (Network(content, DEPLOYED).logits(images), float_logits))
    distances = sorted(0.5 * np.abs(one - other).sum(axis=1))
    return float(distances[-2] + 0.71 * (distances[-1] - distances[-2]))


def test_forms_of_one_network_tie() -> None:
    """The same bytes under two names take the same time, so they tie."""
    validation = Split(np.zeros((30, 4, 4), np.float32), np.zeros(30, np.int64))
    content = (NETWORKS / "large.tflite").read_bytes()
    contents: dict[Quantization, bytes] = {"float32": content, "float16": content}
    table = measure("n", contents, validation, np.eye(3, dtype=np.float32)[[0] * 30])
    assert table.ties == (("float32", "float16"),)
    assert table.tied("float16") == ["float32"]
