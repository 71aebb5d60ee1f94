"""training.measuring.contenders."""

import hashlib
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.serving import artifact, layered_manifest, make_manifest
from tests.training.thirds import fetch, pictures
from training.measuring.contenders import CASCADE, END_TO_END, contenders, floated, uncalibrated
from weir.catalog.manifest import Expert, Manifest
from weir.engine.cascade import ALWAYS_ESCALATE, Predictions, run
from weir.engine.confidence import softmax
from weir.engine.hierarchy import Hierarchy
from weir.runtime.interpreter import RUNTIMES, Network
from weir.runtime.model import LevelUse, Model

Floats = NDArray[np.float32]

ROWS = pictures(60).inputs
MANIFESTS = [make_manifest(thresholds=(0.4, 0.6)), layered_manifest()]
INSTEAD = {"tiny": "small", "small": "large", "large": "tiny", "router": "outer", "outer": "router"}
"""network -> one of as many outputs, which stands for the one that it was quantized from"""


def _tempered(manifest: Manifest) -> Manifest:
    """Give every network a temperature of its own."""
    levels = tuple(
        msgspec.structs.replace(
            level,
            temperature=2.0 + number,
            experts={group: Expert(artifact=one.artifact, temperature=0.5) for group, one in level.experts.items()},
        )
        for number, level in enumerate(manifest.levels)
    )
    end_to_end = msgspec.structs.replace(manifest.end_to_end, temperature=1.5)
    return msgspec.structs.replace(manifest, levels=levels, end_to_end=end_to_end, fused_temperature=3.0)


def _said(name: str, temperature: float = 1.0) -> Floats:
    return softmax(Network(fetch(artifact(name).digest), RUNTIMES[0]).logits(ROWS), temperature)


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_every_side_is_named_and_takes_time(manifest: Manifest) -> None:
    """The end-to-end model, the levels by their numbers, the cascade; one label for each row."""
    found = contenders(manifest, fetch)
    assert list(found) == [END_TO_END, "0", "1", "2", CASCADE]
    for side in found.values():
        answers, time_us = side.ask(ROWS)
        assert len(answers.label) == len(ROWS)
        assert time_us > 0


def test_a_level_alone_says_what_its_network_says() -> None:
    """Under its own temperature and no other, whatever its fusion and threshold; the end-to-end model too."""
    plain = contenders(_tempered(make_manifest()), fetch)
    pooled = msgspec.structs.replace(layered_manifest().levels[2], weights=(0.5, 2.0))
    levels = (*layered_manifest().levels[:2], pooled)
    layered = contenders(_tempered(msgspec.structs.replace(layered_manifest(), levels=levels)), fetch)
    expected = {
        END_TO_END: (plain, _said("large", 1.5)),
        "0": (plain, _said("tiny", 2)),
        "1": (plain, _said("small", 3)),
        "2": (layered, _said("large", 4)),
    }
    for name, (found, said) in expected.items():
        answers, _ = found[name].ask(ROWS)
        np.testing.assert_allclose(answers.probabilities, said, atol=1e-6)
        assert set(answers.exit_level.tolist()) == {0}


def test_a_router_alone_spreads_its_groups() -> None:
    """Over their labels, by the prior."""
    manifest = layered_manifest()
    groups = Hierarchy.named(manifest.groups, manifest.labels, manifest.prior)
    answers, _ = contenders(manifest, fetch)["0"].ask(ROWS)
    np.testing.assert_allclose(answers.probabilities, groups.spread(_said("router")), atol=1e-6)


def test_experts_stand_behind_the_levels_before_them() -> None:
    """Every row goes to them, whatever the thresholds, and they give the labels that the engine gives so far."""
    manifest = layered_manifest()
    careless = msgspec.structs.replace(manifest.levels[0], threshold=0.0)
    manifest = msgspec.structs.replace(manifest, levels=(careless, *manifest.levels[1:]))
    model = Model(manifest, fetch, RUNTIMES[0])
    router, experts, _ = model.steps(cascade=True)
    engine = run(ROWS, [replace(router, threshold=ALWAYS_ESCALATE), experts], model.hierarchy)
    answers, _ = contenders(manifest, fetch)["1"].ask(ROWS)
    np.testing.assert_array_equal(answers.label, engine.label)
    np.testing.assert_allclose(answers.confidence, engine.confidence, atol=1e-6)
    assert set(answers.exit_level.tolist()) == {1}


def test_only_the_networks_of_experts_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the levels before them, which they stand behind; of every other side the whole call is."""
    answer = Model.answer

    def timed(model: Model, rows: Floats, *, cascade: bool, whole: bool) -> tuple[Predictions, list[LevelUse]]:
        answers, uses = answer(model, rows, cascade=cascade, whole=whole)
        return answers, [msgspec.structs.replace(use, time_us=1e9 * (number + 1)) for number, use in enumerate(uses)]

    monkeypatch.setattr(Model, "answer", timed)
    taken = {name: side.ask(ROWS)[1] for name, side in contenders(layered_manifest(), fetch).items()}
    assert taken.pop("1") == 2e9 / len(ROWS)
    assert max(taken.values()) < 1e9 / len(ROWS)


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_the_cascade_answers_as_it_serves(manifest: Manifest) -> None:
    """With its thresholds, its fused temperature and its abstention."""
    answers, _ = contenders(manifest, fetch)[CASCADE].ask(ROWS)
    served, _ = Model(manifest, fetch, RUNTIMES[0]).answer(ROWS, cascade=True, whole=False)
    np.testing.assert_array_equal(answers.exit_level, served.exit_level)
    np.testing.assert_array_equal(answers.probabilities, served.probabilities)
    assert (answers.given is None) == (manifest.abstention is None)


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_floated_serves_other_bytes_under_their_own_digests(manifest: Manifest) -> None:
    """Each artifact is the one that its reference stands for; all else is as it was, and both can be served."""
    references = {artifact(name).digest: fetch(artifact(other).digest) for name, other in INSTEAD.items()}
    found, fetched = floated(manifest, references)
    assert len(found.artifacts) == len(manifest.artifacts)
    for digest, one in found.artifacts.items():
        assert digest == one.digest == hashlib.sha256(fetched(digest)).hexdigest()
        assert one.quantization == "float32"
    expected = {digest: hashlib.sha256(content).hexdigest() for digest, content in references.items()}
    assert [one.digest for level in found.levels for one in level.artifacts] == [
        expected[one.digest] for level in manifest.levels for one in level.artifacts
    ]
    assert found.end_to_end.artifact.digest == expected[manifest.end_to_end.artifact.digest]
    assert [(level.name, level.threshold, level.fusion, list(level.experts)) for level in found.levels] == [
        (level.name, level.threshold, level.fusion, list(level.experts)) for level in manifest.levels
    ]
    answers, _ = contenders(found, fetched)[END_TO_END].ask(ROWS)
    np.testing.assert_allclose(answers.probabilities, _said("tiny"), atol=1e-6)


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_uncalibrated_has_no_temperature(manifest: Manifest) -> None:
    """Neither of levels nor of experts, of the end-to-end model nor of the cascade; nothing else changes."""
    plain = msgspec.structs.replace(manifest, fused_temperature=1.0)
    assert uncalibrated(_tempered(manifest)) == plain
    assert uncalibrated(plain) == plain
