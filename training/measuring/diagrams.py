"""Reliability diagrams in one SVG: a panel per level, before and after calibration."""

import io
import math
from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.measuring.reliability import Bin, gap
from weir.errors import BadInput

Panel = tuple[Sequence[Bin], Sequence[Bin]]
"""a diagram before calibration, and one after"""

_LINES = (("before", "#d55e00", "o"), ("after", "#0072b2", "s"))
"""label, colour (told apart by the colour-blind too) and marker"""
_SIDE_IN = 2.1
_LEAST_AREA, _AREA = 5.0, 60.0
"""area of the point of a bin without rows, and what all rows add to it"""


def draw(panels: Mapping[str, Panel], *, columns: int = 4) -> bytes:
    """Draw an SVG: for each name, accuracy against confidence before and after, and both calibration errors.

    The same panels give the same bytes. The larger a point, the more rows its bin holds.

    Raises:
        BadInput: there is no panel, or one without rows.
    """
    if not panels:
        raise BadInput("a picture has at least one panel", len(panels))
    written = io.BytesIO()
    # the same ids in every run, and text kept as text
    with mpl.rc_context({"svg.hashsalt": "weir", "svg.fonttype": "none", "font.size": 8.0, "axes.titlesize": 8.0}):
        figure(panels, columns=columns).savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return written.getvalue()


def figure(panels: Mapping[str, Panel], *, columns: int) -> Figure:
    """Lay panels out in rows, with shared axis labels and one legend."""
    wide = min(columns, len(panels))
    high = math.ceil(len(panels) / wide)
    whole = Figure(figsize=(max(wide, 2) * _SIDE_IN, high * (_SIDE_IN + 0.3) + 0.5), layout="constrained")
    for place, (name, panel) in enumerate(panels.items(), 1):
        _fill(whole.add_subplot(high, wide, place), name, panel)
    whole.supxlabel("confidence", size="medium")
    whole.supylabel("accuracy", size="medium")
    whole.legend(*whole.axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False)
    return whole


def _fill(axes: Axes, name: str, panel: Panel) -> None:
    """Draw one panel; on the diagonal, accuracy equals confidence."""
    axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=0.8, label="perfect")
    for bins, (label, colour, marker) in zip(panel, _LINES, strict=True):
        across, up = [one.confidence for one in bins], [one.accuracy for one in bins]
        rows = sum(one.rows for one in bins)
        areas = [_LEAST_AREA + _AREA * one.rows / rows for one in bins]
        axes.plot(across, up, color=colour, linewidth=1, alpha=0.6)
        axes.scatter(across, up, s=areas, color=colour, marker=marker, linewidths=0, label=label, clip_on=False)
    before, after = (100 * gap(bins) for bins in panel)
    axes.set_title(f"{name}\nECE {before:.2f} → {after:.2f} %", parse_math=False)
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1), aspect="equal")
    axes.grid(color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
