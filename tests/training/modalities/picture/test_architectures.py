"""training.modalities.picture.architectures."""

from functools import cache

import numpy as np
import pytest

from tests.training.pictures import picture
from training.export.convert import QUANTIZATIONS, convert
from training.learning.networks import logits
from training.modalities.picture.architectures import ARCHITECTURES, build, check
from weir.catalog.manifest import Quantization
from weir.engine.arrays import Floats
from weir.errors import BadInput
from weir.runtime.interpreter import Network

RANDOM = np.random.default_rng(0)


@cache
def _converted(name: str) -> tuple[Floats, Floats, dict[Quantization, bytes]]:
    """Return raw rows, the logits of Keras on them, and the network in each quantization."""
    model = build(name, picture(28, 28), 10, 0)
    images = RANDOM.uniform(0, 255, (40, 28, 28)).astype(np.float32)
    contents = {form: convert(model, [picture(28, 28)], form, images) for form in QUANTIZATIONS}
    return images, logits(model, images), contents


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_survives_every_quantization(name: str, runtime: str) -> None:
    """Each converted network gives nearly the logits of Keras on raw rows."""
    images, expected, contents = _converted(name)
    assert expected.shape == (40, 10)
    for form, content in contents.items():
        converted = Network(content, runtime).logits(images)
        tolerance = {"float32": 1e-4, "float16": 1e-2}.get(form, 0.2) * float(np.abs(expected).max())
        np.testing.assert_allclose(converted, expected, atol=tolerance)


def test_the_classic_networks_have_the_classic_sizes() -> None:
    """They have the layers 784 -> 128 -> 10, and 784 -> 128 -> 128 -> 10."""
    assert build("mlp", picture(28, 28), 10, 0).count_params() == 784 * 128 + 128 + 128 * 10 + 10
    assert build("mlp2", picture(28, 28), 10, 0).count_params() == 101_770 + 128 * 128 + 128


def test_raw_values_are_scaled_inside() -> None:
    """Rows of two ranges that are the same once scaled get the same logits."""
    images = RANDOM.uniform(0, 255, (5, 8, 8)).astype(np.float32)
    of_bytes, of_sixteenths = (build("mlp", picture(8, 8, white=high), 3, 1) for high in (255.0, 16.0))
    np.testing.assert_allclose(logits(of_bytes, images), logits(of_sixteenths, images * 16 / 255), atol=1e-4)


def test_an_unknown_architecture_is_refused() -> None:
    """The error lists the architectures."""
    with pytest.raises(BadInput, match=r"mlp, mlp2, conv-tiny.*conv-xlarge"):
        build("resnet", picture(28, 28, white=1.0), 10, 0)


@pytest.mark.parametrize(("side", "fits"), [(4, False), (5, True)])
def test_pictures_that_layers_leave_nothing_of_are_refused(side: int, fits: bool) -> None:
    """Strides and pooling of conv-large leave nothing of 4x4 pixels; that is said before anything is trained."""
    if fits:
        check("conv-large", picture(side, side))
        assert build("conv-large", picture(side, side), 3, 0).output_shape == (None, 3)
    else:
        with pytest.raises(BadInput, match=r"large enough for conv-large.*Got: 4 x 4 pixels"):
            check("conv-large", picture(side, side))
