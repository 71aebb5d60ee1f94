"""training.export.quantized."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.training.pictures import picture
from training.data.splits.split import Indices, Split
from training.export.quantized import quantize
from training.learning.networks import Trained, TrainingTarget, train
from training.task import SettledNetwork
from weir.catalog.columns import Number
from weir.catalog.inputs import Table
from weir.engine.arrays import Labels
from weir.runtime.interpreter import DEPLOYED

LABELS = 4
SPEC = SettledNetwork(name="small", architecture="mlp", epochs=3, learning_rate=0.01)


def _rows(count: int, seed: int) -> Split:
    """Draw noise with one bright square, whose corner is the label; label 0 is far darker than the others."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % LABELS
    images = random.uniform(0, 12, (count, 8, 8)).astype(np.float32)
    for image, label in zip(images, labels, strict=True):
        top, left = 4 * (label // 2), 4 * (label % 2)
        image[top : top + 4, left : left + 4] += 8 if label == 0 else 240
    return Split(images, labels.astype(np.int64))


def _sorted(labels: Labels) -> Indices:
    return np.argsort(labels, kind="stable")


def _one_label_first(labels: Labels) -> Indices:
    return np.argsort(labels != 0, kind="stable")


ORDERS: list[Callable[[Labels], Indices]] = [_sorted, _one_label_first]


@pytest.mark.parametrize("order", ORDERS)
def test_int8_keeps_its_accuracy_however_the_training_rows_are_sorted(order: Callable[[Labels], Indices]) -> None:
    """The range of its activations comes from rows of all labels, not from the first rows."""
    rows, validation = _rows(1200, 0), _rows(200, 1)
    numbers = order(rows.labels)
    target = TrainingTarget(Split(rows.inputs[numbers], rows.labels[numbers]), validation, LABELS, (picture(8, 8),))
    assert set(target.train.labels[:200].tolist()) == {0}
    model, history = train(SPEC, target, 0, lambda *_: None)
    table = quantize("small", Trained(model, history, ""), target, 0.005, seed=0).report.quantization
    int8 = next(row for row in table.of("int8") if row.interpreter == DEPLOYED)
    assert table.float_accuracy > 0.95
    assert int8.accuracy >= table.float_accuracy - 0.005


ACCOUNTS = Table(name="row", columns=(Number(name="account"), Number(name="age")))
"""sums of money, beyond the range of float16, beside small numbers"""


def _accounts(count: int, seed: int) -> Split:
    """Draw rows of which 4 % have the second label; they have more money."""
    random = np.random.default_rng(seed)
    labels = (np.arange(count) % 25 == 0).astype(np.int64)
    account = 1e6 * random.lognormal(1.5 * labels, 0.4)
    return Split(np.stack([account, random.normal(45, 12, count)], axis=1).astype(np.float32), labels)


def test_a_form_that_spoils_the_probabilities_of_a_table_is_refused() -> None:
    """float16 rounds the edges of the encoding, and int8 knows one range for all columns; accuracy may hide it."""
    target = TrainingTarget(_accounts(1000, 0), _accounts(500, 1), 2, (ACCOUNTS,))
    spec = SettledNetwork(name="linear", architecture="table-linear", epochs=6, learning_rate=0.02, balanced=True)
    model, history = train(spec, target, 0, lambda *_: None)
    quantized = quantize("linear", Trained(model, history, ""), target, 1.0, seed=0)  # however inaccurate
    table = quantized.report.quantization
    assert table.chosen == quantized.artifact.quantization == "dynamic"
    assert max(row.moved for row in table.of("dynamic")) < 0.02
    assert min(row.moved for form in ("float16", "int8") for row in table.of(form)) > 0.2
    assert set(table.refused) == {"float16", "int8"}
    assert "; int8 is refused: probabilities move by 0." in quantized.summary


def _labelled(labels: list[int]) -> Split:
    """Make rows that hold their own number."""
    return Split(np.arange(len(labels), dtype=np.float32), np.array(labels))


def _sampled_labels(split: Split, count: int) -> list[int]:
    """Count the rows of each label in a sample."""
    counts: list[int] = np.bincount(split.labels[split.sample(count, 0).astype(int)]).tolist()
    return counts


def test_a_sample_has_as_many_rows_of_each_label() -> None:
    """A label with too few rows gives all of them, and the others fill its place."""
    assert _sampled_labels(_labelled([0] * 90 + [1] * 90 + [2] * 90), 30) == [10, 10, 10]
    assert _sampled_labels(_labelled([0] * 90 + [1] * 3 + [2] * 90), 31) == [14, 3, 14]


def test_a_sample_comes_from_the_whole_split_and_depends_on_the_seed() -> None:
    """No row is drawn twice; the same seed draws the same rows, and another seed draws others."""
    split = _labelled([0] * 500 + [1] * 500)
    drawn = split.sample(200, 7)
    assert len(set(drawn.tolist())) == 200
    for label in range(2):
        own = drawn[split.labels[drawn.astype(int)] == label] - 500 * label
        assert np.histogram(own, 5, (0, 500))[0].min() >= 10
    np.testing.assert_array_equal(split.sample(200, 7), drawn)
    assert set(split.sample(200, 8).tolist()) != set(drawn.tolist())


def test_a_small_split_is_its_own_sample() -> None:
    """There are then fewer rows than asked for, each once."""
    assert sorted(_labelled([0, 1, 1]).sample(200, 0).tolist()) == [0, 1, 2]
