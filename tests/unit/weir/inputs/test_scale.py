"""weir.inputs.scale: when the values of pictures seem to be on another scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from weir.catalog.inputs import Datatype, Picture, Tensor
from weir.engine.arrays import Floats
from weir.inputs.rows import joined
from weir.inputs.scale import described, is_narrow, warn_if_narrow

RANDOM = np.random.default_rng(0)
GREY = Picture(name="image", shape=(-1, 4, 5))


def _picture(datatype: Datatype, black: float, white: float) -> Picture:
    return Picture(name="image", shape=(-1, 4, 5), datatype=datatype, range=(black, white))


def _raw(rows: int = 3) -> Floats:
    """Draw pixels of 0 to 255."""
    pixels = RANDOM.integers(0, 256, (rows, 4, 5)).astype(np.float32)
    pixels[:, 0, :2] = 0, 255
    return pixels


@pytest.mark.parametrize("one", [GREY, _picture("FP32", -255, 255), _picture("FP64", 0, 65535)])
def test_pixels_of_0_to_1_are_narrow_where_the_range_is_far_wider(one: Picture) -> None:
    """So are whole requests of them, and 0 and 1 of a mask; it does not matter which pixel comes first."""
    for scaled in (_raw() / 255, 1 - _raw() / 255, np.round(_raw() / 255)):
        assert is_narrow(scaled.astype(one.dtype), one)


def test_pixels_on_the_scale_of_the_input_are_not_narrow() -> None:
    """In any datatype, from black to white or the other way round, and by one row of several."""
    for one in (GREY, _picture("UINT8", 0, 255), _picture("FP16", 0, 255)):
        for raw in (_raw(), 255 - _raw()):
            assert not is_narrow(raw.astype(one.dtype), one)
    assert not is_narrow(_raw() / 255, _picture("FP32", 0, 1))
    assert not is_narrow(_raw() > 128, _picture("BOOL", 0, 1))
    assert not is_narrow((_raw() - 128).astype(np.int8), _picture("INT8", -128, 127))
    assert not is_narrow(np.concatenate([_raw() / 255, _raw(1)]), GREY)


@pytest.mark.parametrize("value", [0, 1, 0.4, 255])
def test_values_that_are_all_the_same_tell_nothing(value: float) -> None:
    """An empty picture is black on every scale."""
    assert not is_narrow(np.full((2, 4, 5), value, np.float32), GREY)


@given(arrays(np.float32, (2, 4, 5), elements=st.floats(0, 8, width=32)))
def test_the_limit_is_2_percent_of_the_range(pixels: Floats) -> None:
    """The largest value less the smallest counts, wherever they are."""
    assert is_narrow(pixels, GREY) == (0 < float(pixels.max()) - float(pixels.min()) < 255 * 0.02)


def test_a_model_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """The log names the model and the range; other models have their own warning, and only pictures have a scale."""
    for model in ("one", "one", "two"):
        warn_if_narrow(_raw() / 255, [GREY], model)
        warn_if_narrow(_raw(), [GREY], model)
        warn_if_narrow(_raw() / 255, [Tensor(name="x", shape=(-1, 4, 5))], model)
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
    one, two = (record.message for record in caplog.records)
    assert f"values sent to the model one {described(GREY)}" in one
    assert described(GREY) == "fill under 2 % of the range of image, 0 to 255"
    assert "the model two" in two


def test_each_picture_of_several_inputs_has_its_scale(caplog: pytest.LogCaptureFixture) -> None:
    """The warning names the input."""
    inputs = [GREY, Picture(name="mask", shape=(-1, 4, 5), range=(0.0, 1.0)), Picture(name="depth", shape=(-1, 4, 5))]
    warn_if_narrow(joined([_raw(), _raw() / 255, _raw() / 255], inputs), inputs, "one")
    (record,) = caplog.records
    assert "of the range of depth, 0 to 255" in record.message
