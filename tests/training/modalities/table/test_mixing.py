"""training.modalities.table.mixing."""

import numpy as np

from tests.training.tables import DAYS, TABLE, rows
from training.modalities.table.mixing import swapped


def test_a_mixed_row_has_each_column_from_itself_or_the_row_before() -> None:
    """No value is between two others, and about a tenth of the columns are foreign."""
    values = np.nan_to_num(rows(2000).inputs)
    mixed = swapped(values, TABLE, np.random.default_rng(0))
    before = np.roll(values, 1, axis=0)
    np.testing.assert_array_equal(np.where(mixed == values, values, before), mixed)
    foreign = mixed[:, 0] != values[:, 0]
    assert 0.08 < foreign.mean() < 0.12


def test_the_parts_of_a_date_stay_together() -> None:
    """A month goes with its day."""
    values = np.repeat(np.arange(500, dtype=np.float32)[:, None], TABLE.row_values, axis=1)
    mixed = swapped(values, TABLE, np.random.default_rng(1))
    assert (mixed[:, DAYS:] == mixed[:, DAYS : DAYS + 1]).all()
    assert (mixed[:, DAYS] != values[:, DAYS]).any()
