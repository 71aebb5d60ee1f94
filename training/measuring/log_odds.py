"""The scale of a reliability diagram: log-odds, which spread the shares near 100 %, where confident networks are."""

import msgspec
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

_TICKS = (1, 0.9, 0.5, 0.99, 0, 0.1, 0.999, 0.9999, 0.3, 0.7, 0.95, 0.8, 0.2, 0.6, 0.4, 0.98, 0.97, 0.96)
"""shares that a tick may mark, those that matter most first"""
_TICK_DISTANCE = 0.18
"""smallest distance between ticks, in lengths of the axis"""
_MARGIN = 0.05
"""what an axis shows beyond the lowest and the highest share, in lengths of the axis"""
_LOW_RESOLUTION = 0.1
"""few classifiers are so unsure that shares below this matter"""


class LogOdds(msgspec.Struct, frozen=True, kw_only=True):
    """A scale of log-odds that reaches 0 and 1: a share lies at `ln((share + 0.1) / (1 - share + resolution))`."""

    low: float
    """the lowest share to show"""
    high: float
    """the highest share to show, above `low`"""
    resolution: float
    """above 0: shares that are nearer to 1 than this lie close together"""

    def place(self, share: ArrayLike) -> NDArray[np.float64]:
        """Return where shares lie."""
        shares = np.asarray(share, np.float64)
        placed: NDArray[np.float64] = np.log((shares + _LOW_RESOLUTION) / (1 - shares + self.resolution))
        return placed

    def share(self, place: ArrayLike) -> NDArray[np.float64]:
        """Return the shares that lie there."""
        odds = np.exp(np.asarray(place, np.float64))
        return (odds * (1 + self.resolution) - _LOW_RESOLUTION) / (1 + odds)

    def limits(self) -> tuple[float, float]:
        """Return the shares at the ends of an axis; with the margin they can lie a little outside 0 to 1."""
        low, high = self.place([self.low, self.high])
        margin = _MARGIN * (high - low)
        first, last = self.share([low - margin, high + margin])
        return float(first), float(last)

    def ticks(self) -> list[float]:
        """Return at least two shares to label, in ascending order: round ones, or else the lowest and the highest."""
        low, high = self.place([self.low, self.high])
        kept: list[float] = []
        for tick in (one for one in _TICKS if self.low <= one <= self.high):
            distances = np.abs(self.place(kept) - self.place(tick))
            if (distances >= _TICK_DISTANCE * (high - low)).all():
                kept.append(tick)
        return sorted(kept) if len(kept) > 1 else [self.low, self.high]

    def apply(self, axes: Axes) -> None:
        """Give both axes this scale, labelled in percent: equal shares lie on the diagonal."""
        limits, ticks = self.limits(), self.ticks()
        labels = [f"{100 * tick:.4g}" for tick in ticks]
        axes.set(xlim=limits, ylim=limits)  # before the scale, which cannot place what lies far outside 0 to 1
        axes.set_xscale("function", functions=(self.place, self.share))
        axes.set_yscale("function", functions=(self.place, self.share))
        axes.set_xticks(ticks, labels)
        axes.set_yticks(ticks, labels)
        axes.minorticks_off()
