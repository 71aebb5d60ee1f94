"""training.modalities.picture.samples."""

import numpy as np
import pytest

from tests.training.pictures import picture
from training.modalities.picture.samples import file
from weir.catalog.inputs import Picture
from weir.inputs.reader import reader_for


@pytest.mark.parametrize("white", [255.0, 51.0])
def test_a_sample_is_read_as_the_row_it_was(white: float) -> None:
    """The picture that is written gives its row again where it is served."""
    one = picture(4, 5, white=white)
    row = (np.arange(20, dtype=np.float32).reshape(4, 5) * 2) % (white + 1)
    assert np.array_equal(reader_for(one).from_file(file(row, one), "image/png")[0], row)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_sample_has_the_channels_of_its_row(channels: int) -> None:
    """One in colour gives its row again, and so does one whose grey has a channel of its own."""
    one = Picture(name="image", shape=(-1, 4, 5, channels), range=(0.0, 51.0))
    row = np.random.default_rng(0).integers(0, 52, (4, 5, channels)).astype(np.float32)
    np.testing.assert_array_equal(reader_for(one).from_file(file(row, one), "image/png")[0], row)
