"""Reliability diagrams in one SVG: a panel per level, before and after calibration."""

import io
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.measuring.bins import Bin
from training.measuring.calibration import CalibrationResult
from training.measuring.log_odds import LogOdds
from weir.errors import BadInput


class _Series(NamedTuple):
    """How bins are drawn."""

    label: str
    colour: str
    """of points, told apart by the colour-blind"""
    bar_colour: str
    bar_width: float
    marker: str
    marker_size: float
    fill: str


# the thin dark bar of one is seen on the wide pale bar of the other, and a square in a hollow circle, in greyscale too
_BEFORE = _Series("before calibration", "#d55e00", "#f5c9a6", 3.2, "o", 5.5, "white")
_AFTER = _Series("after calibration", "#0072b2", "#0072b2", 1.0, "s", 3.0, "#0072b2")
_LEGEND_TITLE = "points: accuracy of the rows of a bin, with its 95 % interval; below: rows of each bin"
_WIDTH_IN, _HEIGHT_IN = 2.5, 3.2
"""of a panel with its title"""
_HEIGHT_RATIOS = [5.5, 1.0]
"""of accuracies to numbers of rows"""


def draw(panels: Mapping[str, CalibrationResult], *, columns: int = 4) -> bytes:
    """Draw an SVG: for each name, accuracy against confidence before and after, and both calibration errors.

    Each point is a bin, with the 95 % interval of its accuracy; below, a bar shows how many rows it holds. Each panel
    shows the part of the scale that its own points and intervals need. The same panels give the same bytes.

    Raises:
        BadInput: there is no panel, or one without rows.
    """
    if not panels:
        raise BadInput("a picture has at least one panel", len(panels))
    for panel in panels.values():
        if not (panel.diagram_before and panel.diagram_after):
            raise BadInput("a panel has at least one row", 0)
    written = io.BytesIO()
    # the same ids in every run, and text kept as text
    with mpl.rc_context(
        {
            "svg.hashsalt": "weir",
            "svg.fonttype": "none",
            "font.size": 8.0,
            "axes.titlesize": 8.0,
            "legend.title_fontsize": 8.0,
        }
    ):
        figure(panels, columns=columns).savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return written.getvalue()


def figure(panels: Mapping[str, CalibrationResult], *, columns: int) -> Figure:
    """Lay panels out in rows, with one legend."""
    wide = min(columns, len(panels))
    high = math.ceil(len(panels) / wide)
    whole = Figure(figsize=(max(wide, 2) * _WIDTH_IN, high * _HEIGHT_IN + 0.5), layout="constrained")
    grid = whole.add_gridspec(2 * high, wide, height_ratios=_HEIGHT_RATIOS * high)
    for place, (name, panel) in enumerate(panels.items()):
        row, column = divmod(place, wide)
        accuracies = whole.add_subplot(grid[2 * row, column])
        rows = whole.add_subplot(grid[2 * row + 1, column], sharex=accuracies)
        accuracies.set_title(_title(name, panel), parse_math=False)
        _draw_accuracies(accuracies, panel)
        _draw_rows(rows, panel)
        if column == 0:
            accuracies.set_ylabel("accuracy, %")
            rows.set_ylabel("rows")
    handles, labels = whole.axes[0].get_legend_handles_labels()
    whole.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False, title=_LEGEND_TITLE)
    return whole


def _title(name: str, panel: CalibrationResult) -> str:
    per_bin = [one.rows for one in _bins(panel)]
    fewest, most = min(per_bin), max(per_bin)
    spread = f"{most:,}" if fewest == most else f"{fewest:,}–{most:,}"
    rows = sum(one.rows for one in panel.diagram_after)
    return f"{name}\nECE {100 * panel.before:.2f} → {100 * panel.after:.2f} %\nn = {rows:,}, {spread} per bin"


def _draw_accuracies(axes: Axes, panel: CalibrationResult) -> None:
    """Draw the upper part of a panel; on the diagonal, accuracy equals confidence."""
    scale = _scale(panel)
    scale.apply(axes)
    axes.plot(scale.limits(), scale.limits(), color="0.3", linestyle="--", linewidth=0.8, label="perfect")
    _draw_points(axes, panel.diagram_before, _BEFORE)
    _draw_points(axes, panel.diagram_after, _AFTER)
    axes.grid(color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelbottom=False)


def _draw_points(axes: Axes, bins: Sequence[Bin], series: _Series) -> None:
    below = [one.accuracy - one.accuracy_low for one in bins]
    above = [one.accuracy_high - one.accuracy for one in bins]
    axes.errorbar(
        [one.confidence for one in bins],
        [one.accuracy for one in bins],
        (below, above),
        label=series.label,
        linestyle="",
        color=series.colour,
        marker=series.marker,
        markersize=series.marker_size,
        markerfacecolor=series.fill,
        ecolor=series.bar_colour,
        elinewidth=series.bar_width,
    )


def _draw_rows(axes: Axes, panel: CalibrationResult) -> None:
    """Draw the lower part of a panel: a bar for the rows of each bin."""
    for bins, series in ((panel.diagram_before, _BEFORE), (panel.diagram_after, _AFTER)):
        confidence, rows = [one.confidence for one in bins], [one.rows for one in bins]
        axes.vlines(confidence, 0, rows, colors=series.bar_colour, linewidth=series.bar_width)
    most = max(one.rows for one in _bins(panel))
    axes.set_ylim(0, most)
    axes.set_yticks([0, most], ["0", f"{most:,}"])
    axes.set_xlabel("confidence, %")
    axes.spines[["top", "right"]].set_visible(False)


def _scale(panel: CalibrationResult) -> LogOdds:
    """Choose the scale that shows every point and interval of a panel, as fine as one of its rows."""
    bins = _bins(panel)
    return LogOdds(
        low=min(min(one.confidence, one.accuracy_low) for one in bins),
        high=max(max(one.confidence, one.accuracy_high) for one in bins),
        resolution=1 / sum(one.rows for one in panel.diagram_after),
    )


def _bins(panel: CalibrationResult) -> tuple[Bin, ...]:
    return (*panel.diagram_before, *panel.diagram_after)
