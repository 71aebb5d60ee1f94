"""training.measuring.diagrams."""

from xml.etree import ElementTree as ET

import msgspec
import numpy as np
import pytest

from training.measuring.bins import diagram
from training.measuring.calibration import CalibrationResult
from training.measuring.diagrams import draw
from training.measuring.reliability import Confidences, Flags, ece, floor
from weir.errors import BadInput

EIGHT = ["end-to-end", *[f"level {number}: level-{number}" for number in range(6)], "cascade"]


def _result(confidence: Confidences, before: Flags, after: Flags) -> CalibrationResult:
    return CalibrationResult(
        before=ece(confidence, before),
        after=ece(confidence, after),
        floor=floor(confidence, draws=1),
        diagram_before=diagram(confidence, before),
        diagram_after=diagram(confidence, after),
    )


def _panel(seed: int, rows: int = 500) -> CalibrationResult:
    random = np.random.default_rng(seed)
    confidence = random.uniform(0.2, 0.99, rows)
    before, after = (random.random(rows) < confidence - worse for worse in (0.15, 0))
    return _result(confidence, before, after)


def _texts(picture: bytes) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("names", [["cascade"], ["<b>&", "$x", "a--b", "small", "end-to-end"]])
def test_a_picture_shows_every_name_and_both_errors(names: list[str]) -> None:
    """It is XML whatever the names contain, with text that can be searched and read."""
    panels = {name: _panel(seed) for seed, name in enumerate(names)}
    texts = _texts(draw(panels, columns=2))
    legend = {"perfect", "before calibration", "after calibration"}
    assert set(names) | legend | {"confidence, %", "accuracy, %", "rows"} <= set(texts)
    for panel in panels.values():
        assert f"ECE {100 * panel.before:.2f} → {100 * panel.after:.2f} %" in texts


def test_the_errors_shown_are_those_reported() -> None:
    """They are the errors of equal-width bins, not those of the bins that are drawn."""
    panel = msgspec.structs.replace(_panel(0), before=0.1234, after=0.0321)
    assert "ECE 12.34 → 3.21 %" in _texts(draw({"cascade": panel}))


@pytest.mark.parametrize(
    ("rows", "counts"), [(20, "n = 20, 20 per bin"), (100, "n = 100, 33–34 per bin"), (9000, "n = 9,000, 600 per bin")]
)
def test_a_picture_counts_rows(rows: int, counts: str) -> None:
    """The title of a panel says how many rows there are, and how many of them are in a bin."""
    assert counts in _texts(draw({"cascade": _panel(0, rows)}))


def test_each_of_eight_panels_counts_its_rows() -> None:
    """A model of six levels has a panel for each, for the end-to-end model and for the cascade."""
    texts = _texts(draw({name: _panel(seed, 60 + seed) for seed, name in enumerate(EIGHT)}))
    assert [text for text in texts if text.startswith("n = ")] == [
        f"n = {rows}, {rows // 2}{f'–{rows // 2 + 1}' if rows % 2 else ''} per bin" for rows in range(60, 68)
    ]


def test_the_largest_number_of_rows_is_labelled() -> None:
    """The bars of rows have an axis from 0 to the rows of the largest bin."""
    confidence = np.array([*np.linspace(0.3, 0.6, 40), *[0.8] * 1960])
    texts = _texts(draw({"cascade": _result(confidence, confidence > 0.4, confidence > 0.5)}))
    assert "n = 2,000, 40–1,960 per bin" in texts
    assert "1,960" in texts


@pytest.mark.parametrize("value", [0.0, 0.55, 1.0])
@pytest.mark.parametrize("rows", [1, 100_000])
@pytest.mark.parametrize("accuracy", [0, 0.9, 1])
def test_equal_confidences_are_drawn(value: float, rows: int, accuracy: float) -> None:
    """One bin makes a picture without a warning, wherever it lies."""
    correct = np.arange(rows) < accuracy * rows
    texts = _texts(draw({"cascade": _result(np.full(rows, value), correct, correct)}))
    assert f"n = {rows:,}, {rows:,} per bin" in texts


def test_the_same_panels_are_the_same_bytes() -> None:
    """The bytes depend on no date, machine or chance; other panels give others."""
    first = draw({"cascade": _panel(0)})
    assert first == draw({"cascade": _panel(0)}) != draw({"cascade": _panel(1)})
    assert b"date" not in first.lower()


def test_nothing_to_draw_is_refused() -> None:
    """A picture has at least one panel, and each panel at least one row."""
    with pytest.raises(BadInput, match=r"a picture has at least one panel\. Got: 0"):
        draw({})
    for empty in ("diagram_before", "diagram_after"):
        panel = msgspec.structs.replace(_panel(0), **{empty: ()})
        with pytest.raises(BadInput, match=r"a panel has at least one row\. Got: 0"):
            draw({"cascade": panel})
