"""training.modalities.table.statistics."""

import numpy as np
import pytest

from tests.training.tables import COLOUR, DAYS, HEIGHT, HOUR, ROOMS, TABLE, rows
from training.data.splits.split import Split
from training.modalities.table.statistics import fit
from weir.errors import BadInput

ROWS = rows(900)


def test_numbers_are_compared_with_the_quartiles_of_those_present() -> None:
    """Median and interquartile range are NumPy's, without gaps; a value that never changes has none."""
    fitted = fit(TABLE, (), ROWS)
    assert fitted.numbers == (HEIGHT, ROOMS, DAYS, 4, 5)
    assert HOUR not in fitted.numbers
    for number, place in enumerate(fitted.numbers):
        low, median, high = np.nanquantile(ROWS.inputs[:, place], (0.25, 0.5, 0.75))
        assert fitted.median[number] == pytest.approx(median)
        assert fitted.inverse_scale[number] == pytest.approx(1 / (high - low))


def test_numbers_that_are_mostly_alike_have_the_scale_of_their_range() -> None:
    """An interquartile range of 0 is no scale."""
    values = np.zeros((100, 7), np.float32)
    values[:5, ROOMS], values[:, COLOUR] = 4, 2
    fitted = fit(TABLE, ("rooms",), Split(values, np.arange(100) % 2))
    assert fitted.inverse_scale.tolist() == [0.5]


def test_bins_fill_the_range_of_a_number() -> None:
    """They ascend from the minimum to the maximum without a gap, at most 32, where labels differ."""
    fitted = fit(TABLE, (), ROWS)
    for number, place in enumerate(fitted.numbers):
        own = np.flatnonzero(np.array(fitted.bins) == number)
        low, width = fitted.low[own], fitted.width[own]
        assert 1 <= len(own) <= 32
        assert (width > 0).all()
        np.testing.assert_allclose(low[1:], (low + width)[:-1], rtol=1e-6)
        assert low[0] == np.nanmin(ROWS.inputs[:, place])
        assert low[-1] + width[-1] == pytest.approx(np.nanmax(ROWS.inputs[:, place]))


def test_bins_are_divided_where_labels_change() -> None:
    """A step at 0.3 becomes an edge, up to the distance of two values."""
    values = np.zeros((500, 7), np.float32)
    values[:, HEIGHT] = np.linspace(0, 1, 500)
    fitted = fit(TABLE, ("height",), Split(values, (values[:, HEIGHT] > 0.3).astype(np.int64)))
    assert fitted.low.tolist() == pytest.approx([0, 0.3], abs=2e-3)


def test_gaps_and_codes_of_the_training_rows_are_known() -> None:
    """A number with gaps has a mask, and each code that comes has a unit: one that does not would stay untrained."""
    fitted = fit(TABLE, (), ROWS)
    assert [fitted.numbers[masked] for masked in fitted.masked] == [HEIGHT, DAYS, 4, 5]
    assert fitted.optional
    assert not fit(TABLE, ("rooms", "colour"), ROWS).optional
    assert fitted.codes == (COLOUR,) * 4
    assert fitted.code.tolist() == [0, 2, 3, 4]
    assert fit(TABLE, ("rooms",), ROWS).codes == ()


def test_columns_of_one_value_are_no_input() -> None:
    """The error names the columns that the network reads."""
    values = ROWS.inputs.copy()
    values[:, ROOMS], values[:, COLOUR] = 1, 2
    with pytest.raises(BadInput, match=r"has two values\. Got: each of rooms, colour has one in all rows"):
        fit(TABLE, ("rooms", "colour"), Split(values, ROWS.labels))
