"""training.modalities.picture.architectures.backbone, with random weights: nothing is downloaded."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.pictures import colour_picture, picture
from training.configured_keras import keras
from training.export.convert import convert
from training.learning.networks import logits
from training.modalities.picture.architectures import backbone, build, check, recipe
from weir.catalog.inputs import Picture
from weir.errors import BadInput, Unavailable
from weir.runtime.interpreter import Network

SMALL = "backbone:MobileNetV3Small"


@pytest.mark.parametrize("described", [picture(32, 40), colour_picture(40, 32)])
def test_a_backbone_reads_grey_and_colour(described: Picture) -> None:
    """The converted network gives the logits of Keras on raw rows."""
    model = build(SMALL, described, 3, 0)
    rows = np.random.default_rng(0).uniform(0, 255, (4, *described.row_shape)).astype(np.float32)
    expected = logits(model, rows)
    assert expected.shape == (4, 3)
    converted = Network(convert(model, [described], "float32", rows)).logits(rows)
    np.testing.assert_allclose(converted, expected, atol=1e-5 * float(np.abs(expected).max()) + 1e-7)


def test_a_frozen_backbone_learns_in_its_last_layer_alone() -> None:
    """Kernel and bias of the last layer are all that is trained."""
    frozen, tuned = (build(name, colour_picture(32, 32), 3, 0) for name in (f"{SMALL}, frozen", SMALL))
    assert [tuple(weight.shape) for weight in frozen.trainable_variables] == [(576, 3), (3,)]
    assert len(tuned.trainable_variables) > 100
    assert recipe(f"{SMALL},frozen").learning_rate > recipe(SMALL).learning_rate


def test_weights_come_from_a_file(tmp_path: Path) -> None:
    """A file that Keras wrote for the network without its top; one of another network is refused."""
    shape = (32, 32, 3)
    one = keras.applications.MobileNetV3Small(include_top=False, weights=None, input_shape=shape, pooling="avg")
    one.save_weights(tmp_path / "own.weights.h5")
    model = build(f"{SMALL},weights={tmp_path}/own.weights.h5,frozen", colour_picture(32, 32), 3, 0)
    np.testing.assert_array_equal(model.non_trainable_variables[0], one.weights[0])
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(BadInput, match="weights are those of MobileNetV3Small without its top"):
        build(f"{SMALL},weights={tmp_path}/other.weights.h5", colour_picture(32, 32), 3, 0)


def test_a_download_that_fails_is_no_fault_of_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may work when it is tried again."""

    def fails(**_: object) -> None:
        raise Exception("no route")  # noqa: TRY002 (what Keras raises)

    monkeypatch.setattr(keras.applications, "MobileNetV3Small", fails)
    with pytest.raises(Unavailable, match=r"did not download the weights of MobileNetV3Small.*no route"):
        build(f"{SMALL},weights=imagenet", colour_picture(32, 32), 3, 0)


@pytest.mark.parametrize(
    ("name", "side", "rule"),
    [
        ("backbone:ResNet51", 32, "a backbone is one of MobileNetV2, MobileNetV3Small"),
        (f"{SMALL},thawed", 32, "a backbone is named backbone:NAME"),
        (f"{SMALL},weights=a,weights=b", 32, "a backbone is named backbone:NAME"),
        (f"{SMALL},weights=none.h5", 32, "weights of a backbone are imagenet, or a file. Got: none.h5"),
        (SMALL, 31, "at least 32 pixels high and wide. Got: 31 x 31 pixels"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_built(name: str, side: int, rule: str) -> None:
    """The error states the rule."""
    with pytest.raises(BadInput, match=rule):
        check(name, colour_picture(side, side))


@pytest.mark.parametrize("name", backbone.BACKBONES)
def test_every_backbone_is_one_of_keras(name: str) -> None:
    """Its name is that of a function that Keras has."""
    assert callable(getattr(keras.applications, name))
