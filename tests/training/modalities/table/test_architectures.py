"""training.modalities.table.architectures."""

from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.training.tables import COLOUR, HEIGHT, TABLE, rows
from training.data.splits.split import Split
from training.export.convert import QUANTIZATIONS, convert
from training.learning.networks import TrainingTarget, logits, train
from training.learning.settling import settled_network
from training.modalities import modality_of
from training.modalities.table.architectures import NETWORKS
from training.modalities.table.modality import TableModality
from training.modalities.table.statistics import fit
from training.task import NetworkSpec, SettledNetwork
from weir.catalog.columns import Number
from weir.catalog.inputs import Table
from weir.catalog.manifest import Quantization
from weir.engine.arrays import Floats
from weir.errors import BadInput
from weir.runtime.interpreter import Network

ROWS, OTHERS = rows(400), rows(200, 1)
TARGET = TrainingTarget(ROWS, OTHERS, 2, (TABLE,))


def _spec(architecture: str) -> NetworkSpec:
    return NetworkSpec(name="n", architecture=architecture)


@cache
def _trained(name: str, columns: tuple[str, ...] = ()) -> keras.Model:
    described = NetworkSpec(name="n", architecture=name, epochs=20, columns=columns)
    spec = settled_network(described, modality_of([TABLE]).recipe(described), ROWS.labels, "auto")
    return train(spec, TARGET, 0, lambda *_: None)[0]


@cache
def _converted(name: str) -> dict[Quantization, bytes]:
    return {form: convert(_trained(name), [TABLE], form, ROWS.inputs[:50]) for form in QUANTIZATIONS}


def _odd() -> Floats:
    """Make rows of infinite and huge values, of gaps, and of codes that no training row has."""
    values = OTHERS.inputs.copy()
    values[:50, HEIGHT], values[50:100, HEIGHT] = np.inf, -np.inf
    values[100:150, 3:], values[150:, 3:] = 1e30, -1e30
    values[::3, COLOUR] = 99
    values[::5] = np.nan
    return values


@pytest.mark.parametrize("name", NETWORKS)
def test_every_architecture_survives_every_conversion(name: str, runtime: str) -> None:
    """Converted without quantization it has Keras' logits; in all forms they are finite, whatever the rows."""
    for form, content in _converted(name).items():
        network = Network(content, runtime)
        assert np.isfinite(network.logits(_odd())).all()
        if form != "int8":  # one range for all columns of the input: its accuracy excludes it
            tolerance = {"float32": 1e-5, "dynamic": 0.1, "float16": 0.3}[form]
            expected = logits(_trained(name), OTHERS.inputs)
            np.testing.assert_allclose(network.logits(OTHERS.inputs), expected, atol=tolerance)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_learns_from_all_kinds_of_columns(name: str) -> None:
    """Numbers, a category, and a part of a date decide the label; on one column alone it knows less."""
    accuracy = (logits(_trained(name), OTHERS.inputs).argmax(axis=1) == OTHERS.labels).mean()
    assert accuracy > 0.83
    alone = logits(_trained(name, ("height",)), OTHERS.inputs)
    assert 0.6 < (alone.argmax(axis=1) == OTHERS.labels).mean() < accuracy


@pytest.mark.parametrize("name", NETWORKS)
def test_a_saved_network_is_the_same_when_it_is_loaded(name: str, tmp_path: Path) -> None:
    """Statistics are among its weights, and its conversion has the same bytes."""
    _trained(name).save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(logits(again, OTHERS.inputs), logits(_trained(name), OTHERS.inputs))
    assert convert(again, [TABLE], "dynamic", ROWS.inputs[:5]) == _converted(name)["dynamic"]


def test_columns_that_a_network_does_not_read_change_nothing() -> None:
    """Whatever is there, such as rubbish."""
    rubbish = OTHERS.inputs.copy()
    rubbish[:, 1:] = np.inf
    model = _trained("table-linear", ("height",))
    np.testing.assert_array_equal(logits(model, rubbish), logits(model, OTHERS.inputs))


def test_the_front_encodes_as_the_statistics_say() -> None:
    """Its parts are those of NumPy: bent numbers, bins, masks and one-hots."""
    front = _trained("table-mlp").layers[1]
    fitted, values = fit(TABLE, (), ROWS), OTHERS.inputs
    numbers = values[:, fitted.numbers]
    gaps = np.isnan(numbers)
    numbers = np.where(gaps, fitted.median, numbers)
    scaled = (numbers - fitted.median) * fitted.inverse_scale
    bins = np.clip((numbers[:, fitted.bins] - fitted.low) / fitted.width, 0, 1)
    units = values[:, fitted.codes] == fitted.code
    bent, between = front(values)
    np.testing.assert_allclose(bent, scaled / np.sqrt(1 + (scaled / 3) ** 2), atol=1e-5)
    np.testing.assert_allclose(between, np.hstack([bins, gaps[:, fitted.masked], units]), atol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_numbers_that_are_never_missing_need_no_median(name: str) -> None:
    """Where no number may be missing, a network answers as one that fills gaps, and has fewer operations."""
    whole = Table(name="row", columns=(Number(name="a"), Number(name="b")))
    gaps = Table(name="row", columns=(Number(name="a"), Number(name="b", optional=True)))
    values = Split(np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32), np.arange(100) % 2)
    one, two = (TableModality(table).build(_spec(name), 2, 0, values) for table in (whole, gaps))
    two.set_weights(one.get_weights())
    np.testing.assert_array_equal(logits(one, values.inputs), logits(two, values.inputs))
    fewer, more = (len(convert(model, [whole], "float32", values.inputs)) for model in (one, two))
    assert fewer < more


def test_the_same_seed_gives_the_same_weights() -> None:
    """A linear network starts at zero, so that before training it favours no label."""
    modality = TableModality(TABLE)
    one, two, other = (modality.build(_spec("table-mlp"), 2, seed, ROWS).get_weights() for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(one, two, strict=True))
    assert any((a != b).any() for a, b in zip(one, other, strict=True))
    assert not logits(modality.build(_spec("table-linear"), 2, 1, ROWS), OTHERS.inputs).any()


def test_an_unknown_architecture_is_refused() -> None:
    """The error lists those of tables, whether one checks, asks for a recipe, or builds."""
    modality = TableModality(TABLE)
    for refused in (
        lambda: modality.check(_spec("mlp")),
        lambda: modality.recipe(_spec("mlp")),
        lambda: modality.build(_spec("mlp"), 2, 0, ROWS),
    ):
        with pytest.raises(BadInput, match=r"of a table is one of table-plain, table-linear, table-mlp; .*\. Got: mlp"):
            refused()


@pytest.mark.parametrize("name", NETWORKS)
def test_an_expert_has_the_weights_of_its_generalist_but_for_the_outputs(name: str) -> None:
    """Statistics are fitted on the same rows, so an expert can begin with all weights, and with some of the outputs."""
    labels = ROWS.labels + (ROWS.inputs[:, COLOUR] == 2)
    general = TrainingTarget(Split(ROWS.inputs, labels), OTHERS, 3, (TABLE,))
    spec = SettledNetwork(name="n", architecture=name, epochs=1)
    whole = general.untrained(spec, 0).get_weights()
    part = general.subset(np.array([0, -1, 1]), 2).untrained(spec, 0).get_weights()
    fewer = [(*one.shape[:-1], 2) for one in whole]
    assert all(two.shape in (one.shape, shape) for one, two, shape in zip(whole, part, fewer, strict=True))
    statistics = slice(0, 5)
    for one, two in zip(whole[statistics], part[statistics], strict=True):
        np.testing.assert_array_equal(one, two)
