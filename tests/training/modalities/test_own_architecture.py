"""training.modalities.own_architecture: networks that a user writes."""

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.training.pictures import colour_picture
from training.learning.networks import logits
from training.modalities.own_architecture import check, is_own
from training.modalities.picture import architectures
from weir.catalog.inputs import Text
from weir.errors import BadInput

SOURCE = """
import keras
import numpy as np

def linear(input_shape, outputs):
    inputs = keras.Input(input_shape)
    return keras.Model(inputs, keras.layers.Dense(outputs)(keras.layers.Flatten()(inputs)))

def raises(input_shape, outputs):
    raise KeyError("no such layer")

def takes_nothing():
    pass

def returns_nothing(input_shape, outputs):
    pass

def too_many(input_shape, outputs):
    return linear(input_shape, outputs + 1)

def another_shape(input_shape, outputs):
    return linear((*input_shape, 2), outputs)

def infinite(input_shape, outputs):
    inputs = keras.Input(input_shape)
    flat = keras.layers.Flatten()(inputs)
    return keras.Model(inputs, keras.layers.Dense(outputs, bias_initializer=keras.initializers.Constant(np.inf))(flat))

number = 5
"""
DESCRIBED = colour_picture(4, 5)


@pytest.fixture(autouse=True)
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a module into the folder that the command is run in."""
    (tmp_path / "own_package").mkdir()
    (tmp_path / "own_package" / "networks.py").write_text(SOURCE)
    (tmp_path / "broken_module.py").write_text("import nothing_that_exists")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in [name for name in sys.modules if name.startswith("own_package")]:
        monkeypatch.delitem(sys.modules, name)


def test_a_function_builds_the_network() -> None:
    """It is found in the working folder, and its weights depend on the seed alone."""
    name = "own_package.networks:linear"
    architectures.check(name, DESCRIBED)
    rows = np.random.default_rng(0).uniform(0, 255, (3, 4, 5, 3)).astype(np.float32)
    one, same, other = (logits(architectures.build(name, DESCRIBED, 4, seed), rows) for seed in (1, 1, 2))
    assert one.shape == (3, 4)
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert architectures.recipe(name).epochs is None


def test_every_kind_of_input_may_have_one() -> None:
    """A network of texts reads whole numbers."""
    check("own_package.networks:linear", Text(name="text", most_bytes=16))


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("no_package.networks:linear", "the module of .* can be imported. Got: ModuleNotFoundError"),
        ("broken_module:linear", "the module of .* can be imported. Got: ModuleNotFoundError: .*nothing_that_exists"),
        ("own_package.networks:lines", "own_package.networks has a function lines. Got: nothing"),
        ("own_package.networks:number", "own_package.networks has a function number. Got: int"),
        ("own_package.networks:raises", "can be called with .* Got: KeyError: 'no such layer'"),
        ("own_package.networks:takes_nothing", "can be called with .* Got: TypeError"),
        ("own_package.networks:returns_nothing", "returns a keras.Model. Got: NoneType"),
        ("own_package.networks:too_many", r"returns logits of shape \(rows, 2\)\. Got: \(2, 3\) from 2 rows"),
        ("own_package.networks:another_shape", r"reads rows of shape \(4, 5, 3\)"),
        ("own_package.networks:infinite", "the logits of .* are finite"),
    ],
)
def test_a_function_that_builds_no_such_network_is_refused(name: str, rule: str) -> None:
    """Each has one error that says what is wrong."""
    with pytest.raises(BadInput, match=rule):
        architectures.check(name, DESCRIBED)


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("module:function", True),
        ("a.b_c.d1:f", True),
        ("conv-tiny", False),
        ("backbone:MobileNetV3Small,frozen", False),
        ("a:b:c", False),
        ("a b:c", False),
        (".a:b", False),
        ("1a:b", False),
    ],
)
def test_a_dotted_path_names_a_function(name: str, own: bool) -> None:
    """Names of other architectures are none."""
    assert is_own(name) == own
