"""training.measuring.contenders."""

import hashlib
import time
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from tests.serving import artifact, fetch, layered_manifest, make_manifest
from tests.training.thirds import MANIFESTS, pictures, probabilities
from training.measuring.contenders import CASCADE_KEY, END_TO_END_KEY, contenders, uncalibrated, with_float_references
from weir.catalog.levels import Classifier, Experts, Level, Router
from weir.catalog.manifest import Artifact, Manifest
from weir.engine.arrays import Floats
from weir.engine.cascade import cascade_of
from weir.engine.hierarchy import Hierarchy
from weir.engine.predictions import Predictions
from weir.inputs.tensor import InputRows
from weir.runtime.interpreter import DEPLOYED, Network
from weir.runtime.model import LevelUse, Model, Predictor

ROWS = pictures(60).inputs
INSTEAD = {"tiny": "small", "small": "large", "large": "tiny", "router": "outer", "outer": "router"}
"""network -> one of as many outputs, which stands for the one that it was quantized from"""


def _tempered_level(level: Level[Artifact], temperature: float) -> Level[Artifact]:
    match level:
        case Classifier() | Router():
            return msgspec.structs.replace(level, temperature=temperature)
        case Experts():
            experts = {
                group: msgspec.structs.replace(expert, temperature=0.5) for group, expert in level.experts.items()
            }
            return msgspec.structs.replace(level, experts=experts)


def _tempered(manifest: Manifest) -> Manifest:
    """Give every network a temperature of its own."""
    levels = tuple(_tempered_level(level, 2.0 + number) for number, level in enumerate(manifest.levels))
    end_to_end = msgspec.structs.replace(manifest.end_to_end, temperature=1.5)
    return msgspec.structs.replace(manifest, levels=levels, end_to_end=end_to_end, fused_temperature=3.0)


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_every_contender_is_named_and_timed(manifest: Manifest) -> None:
    """They are the end-to-end model, the levels by their numbers, the cascade; each labels every row."""
    named = contenders(manifest, fetch)
    assert list(named) == [END_TO_END_KEY, "0", "1", "2", CASCADE_KEY]
    for contender in named.values():
        predictions, time_us = contender.answer(ROWS)
        assert len(predictions.label) == len(ROWS)
        assert time_us > 0


def test_a_level_alone_answers_from_its_own_network() -> None:
    """It has its own temperature and no other, whatever its fusion and threshold; so has the end-to-end model."""
    plain = contenders(_tempered(make_manifest()), fetch)
    router, experts, last = layered_manifest().levels
    levels = (router, experts, msgspec.structs.replace(last, weights=(0.5, 2.0)))
    layered = contenders(_tempered(msgspec.structs.replace(layered_manifest(), levels=levels)), fetch)
    expected = {
        END_TO_END_KEY: (plain, probabilities("large", ROWS, 1.5)),
        "0": (plain, probabilities("tiny", ROWS, 2)),
        "1": (plain, probabilities("small", ROWS, 3)),
        "2": (layered, probabilities("large", ROWS, 4)),
    }
    for name, (named, own) in expected.items():
        predictions, _ = named[name].answer(ROWS)
        np.testing.assert_allclose(predictions.probabilities, own, atol=1e-6)
        assert set(predictions.exit_level.tolist()) == {0}


def test_a_router_alone_spreads_its_groups_by_the_prior() -> None:
    """A group's probability is divided among its labels."""
    manifest = layered_manifest()
    groups = Hierarchy.named(manifest.groups, manifest.labels, manifest.prior)
    predictions, _ = contenders(manifest, fetch)["0"].answer(ROWS)
    np.testing.assert_allclose(predictions.probabilities, groups.spread(probabilities("router", ROWS)), atol=1e-6)


def test_experts_answer_after_the_levels_before_them() -> None:
    """Every row reaches them, whatever the thresholds, and gets the label of the cascade that ends with them."""
    manifest = layered_manifest()
    careless = msgspec.structs.replace(manifest.levels[0], threshold=0.0)
    manifest = msgspec.structs.replace(manifest, levels=(careless, *manifest.levels[1:]))
    model, cascade = Model(manifest, fetch, DEPLOYED), cascade_of(manifest)
    first = cascade.with_levels([level.map(lambda one: model.network(one).logits) for level in cascade.levels[:2]])
    engine = replace(first, abstention=None).with_thresholds([None, None]).answer(ROWS, full=False)
    predictions, _ = contenders(manifest, fetch)["1"].answer(ROWS)
    np.testing.assert_array_equal(predictions.label, engine.label)
    np.testing.assert_allclose(predictions.confidence, engine.confidence, atol=1e-6)
    assert set(predictions.exit_level.tolist()) == {1}


def test_only_the_networks_of_experts_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The levels before them are not; of every other contender the whole call is timed."""
    answer = Predictor.answer

    def timed(self: Predictor, rows: InputRows, *, full: bool) -> tuple[Predictions, list[LevelUse]]:
        predictions, uses = answer(self, rows, full=full)
        return predictions, [msgspec.structs.replace(use, time_us=1e9 * (n + 1)) for n, use in enumerate(uses)]

    monkeypatch.setattr(Predictor, "answer", timed)
    times = {name: one.answer(ROWS)[1] for name, one in contenders(layered_manifest(), fetch).items()}
    assert times.pop("1") == 2e9 / len(ROWS)
    assert max(times.values()) < 1e9 / len(ROWS)


def test_contenders_are_timed_by_cpu_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that waits takes no time, whether its call is timed or, of experts, it alone."""
    logits = Network.logits

    def waiting(self: Network, rows: InputRows) -> Floats:
        time.sleep(0.03)
        return logits(self, rows)

    named = contenders(layered_manifest(), fetch)
    for contender in named.values():
        contender.answer(ROWS)  # loads the networks
    monkeypatch.setattr(Network, "logits", waiting)
    for contender in named.values():
        assert contender.answer(ROWS)[1] * len(ROWS) < 15_000


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_the_cascade_answers_as_it_serves(manifest: Manifest) -> None:
    """It has its thresholds, its fused temperature and its abstention."""
    predictions, _ = contenders(manifest, fetch)[CASCADE_KEY].answer(ROWS)
    served, _ = Model(manifest, fetch, DEPLOYED).cascade.answer(ROWS, full=False)
    np.testing.assert_array_equal(predictions.exit_level, served.exit_level)
    np.testing.assert_array_equal(predictions.probabilities, served.probabilities)
    assert (predictions.abstentions is None) == (manifest.abstention is None)


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_floated_serves_other_bytes_under_their_own_digests(manifest: Manifest) -> None:
    """Each artifact is replaced by its reference; all else is as it was, and both manifests can be served."""
    references = {artifact(name).digest: fetch(artifact(other).digest) for name, other in INSTEAD.items()}
    replaced, fetched = with_float_references(manifest, references)
    assert len(replaced.artifacts) == len(manifest.artifacts)
    for digest, one in replaced.artifacts.items():
        assert digest == one.digest == hashlib.sha256(fetched(digest)).hexdigest()
        assert one.quantization == "float32"
    expected = {digest: hashlib.sha256(content).hexdigest() for digest, content in references.items()}
    assert [one.digest for level in replaced.levels for one in level.networks] == [
        expected[one.digest] for level in manifest.levels for one in level.networks
    ]
    assert replaced.end_to_end.artifact.digest == expected[manifest.end_to_end.artifact.digest]
    unchanged = [level.map(lambda _: None) for level in manifest.levels]
    assert [level.map(lambda _: None) for level in replaced.levels] == unchanged
    predictions, _ = contenders(replaced, fetched)[END_TO_END_KEY].answer(ROWS)
    np.testing.assert_allclose(predictions.probabilities, probabilities("tiny", ROWS), atol=1e-6)


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_uncalibrated_has_no_temperature(manifest: Manifest) -> None:
    """Levels, experts, the end-to-end model and the cascade have none; nothing else changes."""
    plain = msgspec.structs.replace(manifest, fused_temperature=1.0)
    assert uncalibrated(_tempered(manifest)) == plain
    assert uncalibrated(plain) == plain
