"""training.measuring.calibration."""

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.serving import artifact, layered_manifest, make_manifest
from tests.training.thirds import fetch, pictures
from training.measuring.calibration import Reading, panels, readings
from training.measuring.contenders import CASCADE, END_TO_END
from training.measuring.reliability import diagram, ece, floor
from weir.catalog.manifest import Manifest
from weir.engine.cascade import ALWAYS_ESCALATE
from weir.engine.confidence import softmax
from weir.runtime.interpreter import RUNTIMES, Network
from weir.runtime.model import Model

Floats = NDArray[np.float32]

TEST = pictures(100)
NETWORKS = ("tiny", "small", "large")


def _tempered() -> Manifest:
    """Three levels of temperatures 0.5, 2 and 4; the cascade's is 1.5."""
    plain = make_manifest(thresholds=(0.4, 0.6))
    temperatures = zip(plain.levels, (0.5, 2.0, 4.0), strict=True)
    levels = tuple(msgspec.structs.replace(level, temperature=temperature) for level, temperature in temperatures)
    end_to_end = msgspec.structs.replace(plain.end_to_end, temperature=4.0)
    return msgspec.structs.replace(plain, levels=levels, end_to_end=end_to_end, fused_temperature=1.5)


def _said(name: str, temperature: float = 1.0) -> Floats:
    return softmax(Network(fetch(artifact(name).digest), RUNTIMES[0]).logits(TEST.inputs), temperature)


def _error(said: Floats) -> float:
    return ece(said.max(axis=1), said.argmax(axis=1) == TEST.labels)


@pytest.fixture(scope="module")
def found() -> dict[str, Reading]:
    """Readings of levels with temperatures."""
    return readings(_tempered(), fetch, TEST)


def test_temperatures_of_one_change_nothing() -> None:
    """Before and after are the same on every side, diagrams too; and every level and the whole are read."""
    plain = readings(make_manifest(thresholds=(0.4, 0.6)), fetch, TEST)
    assert list(plain) == [END_TO_END, "0", "1", "2", CASCADE]
    for one in plain.values():
        assert one.before == one.after
        assert one.diagram_before == one.diagram_after


def test_networks_are_read_with_their_temperatures_and_without(found: dict[str, Reading]) -> None:
    """By the calibration error of what each says of the test rows."""
    for number, (name, temperature) in enumerate(zip(NETWORKS, (0.5, 2, 4), strict=True)):
        assert found[str(number)].before == pytest.approx(_error(_said(name)), abs=1e-6)
        assert found[str(number)].after == pytest.approx(_error(_said(name, temperature)), abs=1e-6)
    assert found[END_TO_END] == found["2"]


def test_the_cascade_is_read_as_it_answers(found: dict[str, Reading]) -> None:
    """After: what serving says; before: what the same levels say of the same rows without any temperature."""
    answers, _ = Model(_tempered(), fetch, RUNTIMES[0]).answer(TEST.inputs, cascade=True)
    right = answers.label == TEST.labels
    assert len(set(answers.exit_level.tolist())) > 1
    assert found[CASCADE].after == pytest.approx(ece(answers.confidence, right), abs=1e-6)
    assert found[CASCADE].floor == pytest.approx(floor(answers.confidence), abs=1e-6)
    plain = np.stack([_said(name) for name in NETWORKS])[answers.exit_level, np.arange(len(right))]
    assert found[CASCADE].before == pytest.approx(_error(plain), abs=1e-6)
    assert found[CASCADE].before != found[CASCADE].after
    assert found[CASCADE].diagram_before == diagram(plain.max(axis=1), plain.argmax(axis=1) == TEST.labels)


def test_levels_that_build_on_others_are_read_with_them() -> None:
    """An experts' level after its router, a pool of all: what the ladder so far would say."""
    manifest = layered_manifest()
    found = readings(manifest, fetch, TEST)
    for number in range(3):
        levels = tuple(
            msgspec.structs.replace(level, threshold=ALWAYS_ESCALATE) for level in manifest.levels[: number + 1]
        )
        alone = msgspec.structs.replace(manifest, levels=levels, fused_temperature=1.0, abstention=None)
        answers, _ = Model(alone, fetch, RUNTIMES[0]).answer(TEST.inputs, cascade=True)
        assert found[str(number)].after == pytest.approx(_error(answers.probabilities), abs=1e-6)
    answers, _ = Model(manifest, fetch, RUNTIMES[0]).answer(TEST.inputs, cascade=True)
    assert found[CASCADE].after == pytest.approx(ece(answers.confidence, answers.label == TEST.labels), abs=1e-6)


def test_panels_are_named_for_people(found: dict[str, Reading]) -> None:
    """Each with its diagram before and after."""
    named = panels(_tempered(), found)
    assert list(named) == ["end-to-end", "level 0: tiny", "level 1: small", "level 2: large", "cascade"]
    assert named["cascade"] == (found[CASCADE].diagram_before, found[CASCADE].diagram_after)
