"""benchmarks.data_results: what is counted over the splits of a data set, and what the table says of it."""

from dataclasses import replace

import msgspec
import pytest

from benchmarks import data_results
from benchmarks.data_results import Alone, Baseline, Measured, Result

SPLIT = Measured(
    trained="",
    learned=500,
    rows=100,
    epsilon=0.01,
    networks={"tiny": Alone(85, 2.0, 0.6), "small": Alone(89, 5.0, 0.1), "large": Alone(90, 10.0, 0.3)},
    cascade=90,
    cascade_us=4.0,
    baselines={"logistic": Baseline(40, 88, 3, 5), "forest": Baseline(45, 86, 2, 6)},
)
RESULT = Result("set", [SPLIT])


def _split(**changes: object) -> Measured:
    return msgspec.structs.replace(SPLIT, **changes)


def test_figures_are_those_of_the_last_line() -> None:
    """The model of scikit-learn that is best on validation rows is the baseline, even if another is on test rows."""
    assert RESULT.best == "forest"
    assert RESULT.figures() == {
        "end_to_end": 0.9,
        "cascade": 0.9,
        "baseline": 0.86,
        "time_ratio": 0.4,
        "control_time_ratio": 0.5,
    }


def test_rows_of_splits_are_added_and_ratios_are_medians() -> None:
    """The gap is in points of all test rows, with the standard error of paired differences."""
    three = [SPLIT, _split(cascade_us=9.0, rows=200), _split(cascade_us=5.0)]
    result = Result("set", three)
    assert result.rows == 400
    assert result.end_to_end == 270 / 400
    assert result.time_ratio == 0.5
    assert RESULT.gap_points == pytest.approx(-4)
    assert RESULT.gap_error == pytest.approx(100 * (0.08 - 0.04**2) ** 0.5 / 10)


@pytest.mark.parametrize(
    ("changes", "control"),
    [
        ({}, "small"),
        ({"epsilon": 0.05}, "tiny"),
        ({"epsilon": None}, "large"),
        ({"epsilon": 0.005}, "large"),
        ({"networks": {"tiny": Alone(95, 2.0, 0.7), "large": Alone(90, 10.0, 0.3)}}, "tiny"),
    ],
)
def test_the_control_is_the_cheapest_network_within_epsilon(changes: dict[str, object], control: str) -> None:
    """It may be the end-to-end model itself; a network that is more accurate is within epsilon too."""
    assert Result("set", [_split(**changes)]).control == control


def test_networks_that_a_split_left_out_are_no_control() -> None:
    """The control must be there in every split; limits of splits count by the weakest."""
    without = _split(networks={"tiny": Alone(85, 2.0, 0.6), "large": Alone(90, 10.0, 0.3)}, epsilon=0.02)
    result = Result("set", [SPLIT, without])
    assert result.shared == ["tiny", "large"]
    assert (result.epsilon, result.control) == (0.02, "large")
    assert Result("set", [SPLIT, _split(epsilon=None)]).epsilon is None


def test_a_miss_is_told_with_its_size_and_reason() -> None:
    """A set that reaches its aims has no such line; a gap says whether chance explains it."""
    assert RESULT.misses() == []
    slow = replace(RESULT, splits=[_split(cascade_us=7.0)])
    assert slow.misses() == [
        "the cascade takes 0.70 of the time: its first level takes 0.20, and 30 % of the rows go on to the last"
    ]
    behind = _split(baselines={"forest": Baseline(1, 96, 7, 1)})
    assert behind.baselines["forest"].test - behind.end_to_end.correct == 6
    (line,) = Result("set", [behind]).misses()
    assert line.startswith("forest is 6.00 points ahead of the end-to-end model, more than chance explains")


def test_the_last_line_counts_over_sets() -> None:
    """A tie is no win; medians are over sets."""
    tie = Result("tie", [_split(baselines={"forest": Baseline(1, 90, 2, 2)}, cascade_us=6.0)])
    counted = data_results.figures([RESULT, tie])
    assert list(counted) == [
        "set",
        "tie",
        *("worst_gap_points", "median_time_ratio", "median_control_time_ratio", "end_to_end_wins"),
    ]
    assert [counted[name] for name in list(counted)[2:]] == [0.0, 0.5, 0.5, 1]


def test_the_table_has_a_line_for_each_set_and_says_what_it_is() -> None:
    """Below it stands what is predicted, the networks alone, and the misses."""
    lines = data_results.table([RESULT], {"set": "numbers -> label"})
    assert lines[2].split()[:3] == ["set", "500", "100"]
    assert "86.00 % forest" in lines[2]
    assert lines[3] == "  numbers -> label; 1 split; alone: tiny 85.00 %, small 89.00 %, large 90.00 %"
    assert len(lines) == 4
    assert data_results.verdicts(data_results.figures([RESULT]), 1)[2].startswith("end-to-end wins on 1 of 1 sets")
