"""training.modalities.text.architectures, and the layers and the front of its networks."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.training.texts import text, two_moods
from training.configured_keras import keras
from training.export.convert import QUANTIZATIONS, convert
from training.learning.networks import logits
from training.modalities.layers import LAYERS
from training.modalities.text.architectures import ARCHITECTURES, build, known
from training.modalities.text.architectures.hashed import HashedNetwork
from training.modalities.text.cleaning import Rows
from training.modalities.text.front import parted
from training.modalities.text.layers import Hashed, WeightedSum
from weir.catalog.manifest import Quantization
from weir.engine.arrays import Floats
from weir.errors import BadInput
from weir.runtime.interpreter import Network

MOST = 64
HASHED = [name for name in ARCHITECTURES if name != "text-conv"]
TEXTS, LABELS = two_moods(300, MOST)


def _built(name: str, seed: int = 0) -> keras.Model:
    """Build a network whose logits differ between rows: what starts at zero does not stay there."""
    model = build(name, text(MOST), 3, seed, TEXTS)
    random = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(random.normal(0, 0.1, weight.shape))
    return model


@cache
def _converted(name: str) -> tuple[Rows, Floats, dict[Quantization, bytes]]:
    """Return texts, the logits of Keras on them, and the network in each quantization."""
    texts = TEXTS[:20].copy()
    texts[0], texts[1], texts[2] = 0, ord("a"), [ord("a"), *[0] * (MOST - 1)]
    model = _built(name)
    contents = {form: convert(model, [text(MOST)], form, TEXTS[:40]) for form in QUANTIZATIONS}
    return texts, logits(model, texts), contents


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_survives_every_quantization(name: str, runtime: str) -> None:
    """Each converted network reads the bytes as int32, and gives nearly the logits of Keras."""
    texts, expected, contents = _converted(name)
    assert expected.shape == (20, 3)
    assert np.isfinite(expected).all()
    for form, content in contents.items():
        network = Network(content, runtime)
        assert network.inputs == (((MOST,), np.dtype(np.int32)),)
        tolerance = {"float32": 1e-5, "float16": 1e-2, "dynamic": 0.05}.get(form, 0.5) * float(np.abs(expected).max())
        usual = slice(3, None) if form == "int8" else slice(None)  # activations are clipped to what training rows had
        np.testing.assert_allclose(network.logits(texts)[usual], expected[usual], atol=tolerance)


@pytest.mark.parametrize("name", ["text-glance", "text-tiny", "text-hash", "text-conv"])
def test_a_stored_network_is_the_same(name: str, tmp_path: Path) -> None:
    """It is read again by Keras with the layers that Weir adds, and its artifact has the same bytes."""
    model = _built(name)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", custom_objects=LAYERS)
    np.testing.assert_array_equal(logits(again, TEXTS[:9]), logits(model, TEXTS[:9]))
    expected = convert(model, [text(MOST)], "float32", TEXTS[:1])
    assert convert(again, [text(MOST)], "float32", TEXTS[:1]) == expected
    assert convert(_built(name), [text(MOST)], "float32", TEXTS[:1]) == expected


@pytest.mark.parametrize("name", HASHED)
def test_a_network_without_its_front_is_the_same(name: str) -> None:
    """What the rest makes of compact buckets is what the network makes of texts, and they share their weights."""
    model = _built(name)
    front, rest = parted(model)
    np.testing.assert_allclose(logits(rest, front(TEXTS)), logits(model, TEXTS), atol=1e-5)
    assert [id(one) for one in rest.trainable_variables] == [id(one) for one in model.trainable_variables]


def test_a_network_without_a_front_is_all_rest() -> None:
    """A convolutional one reads texts in training too."""
    model = _built("text-conv")
    front, rest = parted(model)
    assert rest is model
    assert front(TEXTS) is TEXTS


@pytest.mark.parametrize("name", HASHED)
@pytest.mark.parametrize("part", [True, False], ids=["rest", "whole"])
def test_networks_learn(name: str, part: bool) -> None:
    """Ten steps halve the loss, on texts or on their buckets; the weights of buckets stay."""
    model = build(name, text(MOST), 2, 0, TEXTS)
    front, rest = parted(model) if part else ((lambda rows: rows), model)
    read, optimizer = front(TEXTS), keras.optimizers.Adam(known(name).recipe.learning_rate * 3)
    fixed = [np.array(one) for one in model.non_trainable_weights]
    losses = []
    for _ in range(10):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(LABELS, rest(read, training=True)))
        optimizer.apply(tape.gradient(loss, rest.trainable_variables), rest.trainable_variables)
        losses.append(float(loss))
    assert losses[-1] < losses[0] / 2
    for weight, before in zip(model.non_trainable_weights, fixed, strict=True):
        np.testing.assert_array_equal(weight, before)


def test_the_seed_determines_a_network_and_what_it_drops() -> None:
    """The same seed gives the same weights and the same logits in training, another one others."""
    outputs = [np.asarray(build("text-hash", text(MOST), 2, seed, TEXTS)(TEXTS, training=True)) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert (outputs[0] != outputs[2]).any()


@pytest.mark.parametrize("rows", [1, 5])
def test_the_sum_is_that_of_its_formula(rows: int) -> None:
    """A bucket counts as often as it comes, and an empty text gives zeros; alone or among other rows."""
    layer = WeightedSum(8, 3, deviation=1.0, dropout=0.5)
    buckets = np.array([[1, 2, 2, 0], [0, 0, 0, 0], [7, 0, 7, 7], [3, 4, 5, 6], [0, 0, 0, 1]], np.int32)
    layer.build((None, 4))
    layer.weights_of_buckets.assign([0, 1, 2, 3, 4, 5, 6, 7])
    weights, vectors = np.array(layer.weights_of_buckets), np.array(layer.vectors)
    for start in range(0, 5, rows):
        part = buckets[start : start + rows]
        total = (weights[part][..., None] * vectors[part]).sum(axis=1)
        expected = total / np.sqrt(np.maximum((weights[part] ** 2).sum(axis=1, keepdims=True), 1))
        np.testing.assert_allclose(layer(part), expected, atol=1e-5)


def test_a_text_loses_a_bucket_as_a_whole() -> None:
    """In training about the given share goes, of each row another; a bucket never goes at one place alone."""
    layer = WeightedSum(1000, 999, deviation=0.0, dropout=0.3)
    layer.build((None, 4))
    layer.vectors.assign(np.eye(1000)[:, :999])
    buckets = np.tile(np.repeat(np.arange(1, 400), 2).astype(np.int32), (50, 1))
    kept = np.asarray(layer(buckets, training=True))[:, 1:400]
    largest = kept.max(axis=1, keepdims=True)
    assert np.isin(kept / largest, (0, 1)).all()
    assert 0.65 < (kept > 0).mean() < 0.75
    assert len({tuple(row > 0) for row in kept}) == 50


def test_a_glance_sees_the_beginning_of_a_text() -> None:
    """Whatever comes behind its 48 bytes changes nothing."""
    longer = np.pad(TEXTS, ((0, 0), (0, 48)), constant_values=ord("x"))
    other = longer.copy()
    other[:, 48:] = ord("y")
    model = build("text-glance", text(longer.shape[1]), 2, 0, longer)
    model.get_layer("sum").vectors.assign(np.random.default_rng(0).normal(size=(2**14, 2)))
    np.testing.assert_array_equal(logits(model, longer), logits(model, other))
    assert logits(model, longer).any()


@pytest.mark.parametrize(("labels", "size"), [(2, 16), (8, 16), (20, 40), (27, 48), (300, 48)])
def test_more_labels_take_longer_vectors(labels: int, size: int) -> None:
    """Within limits; a linear network has one value for each label."""
    networks = [ARCHITECTURES[name] for name in ("text-hash", "text-linear")]
    assert [one.size_for(labels) for one in networks if isinstance(one, HashedNetwork)] == [size, labels]


def test_hashing_learns_nothing() -> None:
    """The front has no weights, so that it can be computed once for a training."""
    assert not build("text-small", text(MOST), 2, 0, TEXTS).get_layer("front").weights
    assert Hashed.from_config(Hashed((2, 3), 64, words=True).get_config()).features.sizes == (2, 3)


def test_an_unknown_architecture_is_refused() -> None:
    """The error lists the architectures."""
    with pytest.raises(
        BadInput, match=r"text-glance, text-tiny, text-small, text-linear, text-hash, text-conv; .*\. Got: mlp"
    ):
        build("mlp", text(MOST), 2, 0, TEXTS)
