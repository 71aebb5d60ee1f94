"""training.modalities.picture.architectures."""

from functools import cache

import numpy as np
import pytest

from tests.training.pictures import colour_picture, picture
from training.export.convert import QUANTIZATIONS, convert
from training.learning.networks import logits
from training.modalities.picture.architectures import ARCHITECTURES, build, check, recipe
from training.modalities.recipe import Recipe
from weir.catalog.inputs import Picture
from weir.catalog.manifest import Quantization
from weir.engine.arrays import Floats
from weir.errors import BadInput
from weir.runtime.interpreter import Network

RANDOM = np.random.default_rng(0)


SHAPES = {"grey": picture(28, 28), "colour": colour_picture(21, 18)}
CLASSIC = ("mlp", "mlp2", "conv-tiny", "conv-small", "conv-wide", "conv-medium", "conv-large", "conv-xlarge")
CONVERTED = [(name, "grey") for name in CLASSIC] + [
    (name, "colour") for name in ("mlp", "conv-tiny", *ARCHITECTURES) if name not in CLASSIC[1:2] + CLASSIC[3:]
]


def _rows(described: Picture, count: int) -> Floats:
    return np.random.default_rng(0).uniform(0, 255, (count, *described.row_shape)).astype(np.float32)


@cache
def _converted(name: str, kind: str) -> tuple[Floats, Floats, dict[Quantization, bytes]]:
    """Return raw rows, the logits of Keras on them, and the network in each quantization."""
    described = SHAPES[kind]
    model, images = build(name, described, 10, 0), _rows(described, 40)
    contents = {form: convert(model, [described], form, images) for form in QUANTIZATIONS}
    return images, logits(model, images), contents


@pytest.mark.parametrize(("name", "kind"), dict.fromkeys(CONVERTED))
def test_every_architecture_survives_every_quantization(name: str, kind: str, runtime: str) -> None:
    """Each converted network gives nearly the logits of Keras on raw rows; in float32, all but the same."""
    images, expected, contents = _converted(name, kind)
    assert expected.shape == (40, 10)
    for form, content in contents.items():
        converted = Network(content, runtime).logits(images)
        tolerance = {"float32": 1e-5, "float16": 1e-2}.get(form, 0.2) * float(np.abs(expected).max())
        np.testing.assert_allclose(converted, expected, atol=tolerance)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("described", [picture(9, 12), colour_picture(9, 12), colour_picture(48, 40)])
def test_every_architecture_reads_grey_and_colour_of_any_size(name: str, described: Picture) -> None:
    """Sides need not be equal, nor multiples of the strides."""
    check(name, described)
    assert logits(build(name, described, 4, 0), _rows(described, 2)).shape == (2, 4)


@pytest.mark.parametrize("name", ["tiny", "residual", "residual-two-heads", "separable"])
def test_one_pixel_is_enough_for_strides_that_pad(name: str) -> None:
    """The newer networks pad, so that nothing is too small for them."""
    check(name, colour_picture(1, 1))


def test_grey_with_a_channel_is_grey() -> None:
    """A network reads the same whether grey pixels have a channel of their own."""
    channel = Picture(name="image", shape=(-1, 9, 12, 1))
    images = _rows(picture(9, 12), 3)
    for name in ("mlp", "conv-tiny", "residual"):
        plain, with_channel = (build(name, one, 4, 0) for one in (picture(9, 12), channel))
        np.testing.assert_array_equal(logits(plain, images), logits(with_channel, images[..., None]))


def test_recipes_of_newer_networks_leave_nothing_open() -> None:
    """The first networks are trained as they always were, for epochs that the task states."""
    assert all(recipe(name) == Recipe(decays="everything", balance=False) for name in CLASSIC)
    for name in set(ARCHITECTURES) - set(CLASSIC):
        one = recipe(name)
        assert one.epochs
        assert (one.weight_decay, one.label_smoothing, one.average, one.decays) == (0.05, 0.1, 0.99, "kernels")


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
