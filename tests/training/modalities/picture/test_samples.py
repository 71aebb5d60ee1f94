"""training.modalities.picture.samples."""

import numpy as np
import pytest

from tests.training.pictures import picture
from training.modalities.picture.samples import file
from weir.inputs.reader import reader_for


@pytest.mark.parametrize("white", [255.0, 51.0])
def test_a_sample_is_read_as_the_row_it_was(white: float) -> None:
    """The picture that is written gives its row again where it is served."""
    one = picture(4, 5, white=white)
    row = (np.arange(20, dtype=np.float32).reshape(4, 5) * 2) % (white + 1)
    assert np.array_equal(reader_for(one).from_file(file(row, one), "image/png")[0], row)
