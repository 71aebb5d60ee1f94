"""training.measuring.log_odds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.measuring.log_odds import LogOdds

RESOLUTION = st.sampled_from([1.0, 0.05, 1e-3, 1e-5])
RANGE = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted).filter(lambda ends: ends[1] - ends[0] > 1e-3)


@given(st.floats(0, 1), RESOLUTION)
def test_a_share_is_found_where_it_was_placed(share: float, resolution: float) -> None:
    """The scale and its inverse agree for all shares, 0 and 1 too."""
    scale = LogOdds(low=0, high=1, resolution=resolution)
    assert scale.share(scale.place(share)) == pytest.approx(share, abs=1e-9)


def test_shares_near_one_are_spread() -> None:
    """From 90 to 99 % is as far as from 99 to 99.9 %, and farther than from 50 to 70 %."""
    scale = LogOdds(low=0, high=1, resolution=1e-5)
    half, more, ninety, nines, three_nines, all_ = scale.place([0.5, 0.7, 0.9, 0.99, 0.999, 1])
    assert nines - ninety == pytest.approx(three_nines - nines, rel=0.05)
    assert nines - ninety > 2 * (more - half)
    assert np.isfinite(all_)


@given(RANGE, RESOLUTION)
def test_an_axis_shows_its_range_with_ticks(ends: list[float], resolution: float) -> None:
    """The limits lie a little outside the range, and at least two ticks, in ascending order, inside."""
    low, high = ends
    scale = LogOdds(low=low, high=high, resolution=resolution)
    first, last = scale.limits()
    assert first < low < high < last
    ticks = scale.ticks()
    assert len(ticks) >= 2
    assert ticks == sorted(set(ticks))
    assert low <= ticks[0] <= ticks[-1] <= high
