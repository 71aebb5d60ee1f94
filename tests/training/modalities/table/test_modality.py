"""training.modalities.table.modality."""

import numpy as np

from tests.training.tables import TABLE, rows
from training.data.cleaning import clean
from training.data.dataset import Dataset
from training.modalities.table import cleaning, mixing, samples
from training.modalities.table.modality import TableModality
from training.task import NetworkSpec

ROWS = rows(60)


def test_every_verb_is_that_of_the_package() -> None:
    """Rows are not changed in training, and no scale is odd."""
    modality, spec = TableModality(TABLE), NetworkSpec(name="n", architecture="table-mlp")
    np.testing.assert_array_equal(modality.as_rows(ROWS.inputs), ROWS.inputs)
    for reason, mask in cleaning.unusable(ROWS.inputs, TABLE).items():
        np.testing.assert_array_equal(modality.unusable(ROWS.inputs)[reason], mask)
    assert modality.constant_inputs(ROWS.inputs) == 0
    assert modality.scale_warning(ROWS.inputs) == ""
    assert modality.augmented(ROWS.inputs, spec, np.random.default_rng(0)) is ROWS.inputs
    mixed = mixing.swapped(ROWS.inputs, TABLE, np.random.default_rng(0))
    np.testing.assert_array_equal(modality.mixed(ROWS.inputs, np.random.default_rng(0)), mixed)
    assert modality.example(ROWS.inputs[0]) == (".json", samples.written(modality.record(ROWS.inputs[0])))
    assert modality.record(ROWS.inputs[0]) == samples.record(ROWS.inputs[0], TABLE)
    modality.check(spec)


def test_a_table_is_cleaned() -> None:
    """Rows with an impossible value are dropped, and so are rows that come twice, gaps included."""
    values = ROWS.inputs.copy()
    values[1, 0], values[2, 2], values[9] = np.inf, 17, values[0]
    cleaned, counts = clean(Dataset(values, ROWS.labels, ("no", "yes"), (TABLE,)))
    assert counts.summary() == "57 rows kept, dropped: 1 not finite, 1 out of range, 1 duplicate"
    assert cleaned.input is TABLE
