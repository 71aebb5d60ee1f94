"""training.export.convert."""

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.training.pictures import picture
from training.export.convert import QUANTIZATIONS, convert
from training.modalities.picture.architectures import build
from weir.catalog.manifest import Quantization
from weir.errors import ModelUnavailable

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("form", QUANTIZATIONS)
@pytest.mark.parametrize("name", ["mlp2", "conv-tiny"])
def test_the_same_network_converts_to_the_same_bytes(name: str, form: Quantization, tmp_path: Path) -> None:
    """Converted twice, after it was stored, or built again after others, a network has the same digest."""
    digit = picture(8, 8, white=16.0)
    model = build(name, digit, 10, 0)
    model.save(tmp_path / "model.keras")
    images = RANDOM.uniform(0, 16, (10, 8, 8)).astype(np.float32)
    expected = convert(model, [digit], form, images)
    assert convert(model, [digit], form, images) == expected
    assert convert(keras.models.load_model(tmp_path / "model.keras"), [digit], form, images) == expected
    build("conv-small", digit, 10, 1)
    assert convert(build(name, digit, 10, 0), [digit], form, images) == expected


def test_what_the_converter_refuses_is_unavailable() -> None:
    """TensorFlow's own error does not escape."""
    inputs = keras.Input((4, 4))
    model = keras.Model(inputs, keras.layers.Lambda(keras.ops.erfinv)(inputs))
    with pytest.raises(ModelUnavailable, match="TensorFlow did not convert"):
        convert(model, [picture(4, 4)], "float32", np.zeros((1, 4, 4), np.float32))
