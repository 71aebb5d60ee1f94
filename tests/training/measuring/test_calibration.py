"""training.measuring.calibration."""

import msgspec
import numpy as np
import pytest

from tests.serving import fetch, layered_manifest, make_manifest
from tests.training.thirds import pictures, probabilities
from training.measuring.bins import diagram
from training.measuring.calibration import CalibrationResult, calibration, panels
from training.measuring.contenders import CASCADE_KEY, END_TO_END_KEY
from training.measuring.reliability import ece, floor
from weir.catalog.manifest import Manifest
from weir.engine.arrays import Floats
from weir.runtime.interpreter import DEPLOYED
from weir.runtime.model import Model

TEST = pictures(100)
TEMPERATURES = {"tiny": 0.5, "small": 2.0, "large": 4.0}


def _tempered() -> Manifest:
    """Describe three levels with these temperatures; the fused temperature is 1.5."""
    plain = make_manifest(thresholds=(0.4, 0.6))
    levels = tuple(msgspec.structs.replace(level, temperature=TEMPERATURES[level.name]) for level in plain.levels)
    end_to_end = msgspec.structs.replace(plain.end_to_end, temperature=4.0)
    return msgspec.structs.replace(plain, levels=levels, end_to_end=end_to_end, fused_temperature=1.5)


def _error(posterior: Floats) -> float:
    return ece(posterior.max(axis=1), posterior.argmax(axis=1) == TEST.labels)


@pytest.fixture(scope="module")
def results() -> dict[str, CalibrationResult]:
    """Measure the calibration of levels that have temperatures."""
    return calibration(_tempered(), fetch, TEST)


def test_temperatures_of_one_change_nothing() -> None:
    """Before and after are the same for every contender, diagrams too; and every contender is measured."""
    plain = calibration(make_manifest(thresholds=(0.4, 0.6)), fetch, TEST)
    assert list(plain) == [END_TO_END_KEY, "0", "1", "2", CASCADE_KEY]
    for result in plain.values():
        assert result.before == result.after
        assert result.diagram_before == result.diagram_after


def test_networks_are_measured_with_their_temperatures_and_without(results: dict[str, CalibrationResult]) -> None:
    """The results are the calibration errors of each network's probabilities of the test rows."""
    for number, (name, temperature) in enumerate(TEMPERATURES.items()):
        before, after = probabilities(name, TEST.inputs), probabilities(name, TEST.inputs, temperature)
        assert results[str(number)].before == pytest.approx(_error(before), abs=1e-6)
        assert results[str(number)].after == pytest.approx(_error(after), abs=1e-6)
    assert results[END_TO_END_KEY] == results["2"]


def test_the_cascade_is_measured_as_it_answers(results: dict[str, CalibrationResult]) -> None:
    """After is what serving answers; before is what the same levels answer the same rows without any temperature."""
    predictions, _ = Model(_tempered(), fetch, DEPLOYED).cascade.answer(TEST.inputs)
    correct = predictions.label == TEST.labels
    assert len(set(predictions.exit_level.tolist())) > 1
    assert results[CASCADE_KEY].after == pytest.approx(ece(predictions.confidence, correct), abs=1e-6)
    assert results[CASCADE_KEY].floor == pytest.approx(floor(predictions.confidence), abs=1e-6)
    of_levels = np.stack([probabilities(name, TEST.inputs) for name in TEMPERATURES])
    plain = of_levels[predictions.exit_level, np.arange(len(correct))]
    assert results[CASCADE_KEY].before == pytest.approx(_error(plain), abs=1e-6)
    assert results[CASCADE_KEY].before != results[CASCADE_KEY].after
    assert results[CASCADE_KEY].diagram_before == diagram(plain.max(axis=1), plain.argmax(axis=1) == TEST.labels)


def test_levels_that_build_on_others_are_measured_with_them() -> None:
    """A level of experts is measured after its router, and a level that pools after all others."""
    manifest = layered_manifest()
    results = calibration(manifest, fetch, TEST)
    for number in range(3):
        levels = tuple(msgspec.structs.replace(level, threshold=None) for level in manifest.levels[: number + 1])
        alone = msgspec.structs.replace(manifest, levels=levels, fused_temperature=1.0, abstention=None)
        predictions, _ = Model(alone, fetch, DEPLOYED).cascade.answer(TEST.inputs)
        assert results[str(number)].after == pytest.approx(_error(predictions.probabilities), abs=1e-6)
    predictions, _ = Model(manifest, fetch, DEPLOYED).cascade.answer(TEST.inputs)
    correct = predictions.label == TEST.labels
    assert results[CASCADE_KEY].after == pytest.approx(ece(predictions.confidence, correct), abs=1e-6)


def test_panels_are_named_for_people(results: dict[str, CalibrationResult]) -> None:
    """Each is the contender's result, in the same order."""
    named = panels(_tempered(), results)
    assert list(named) == ["end-to-end", "level 0: tiny", "level 1: small", "level 2: large", "cascade"]
    assert list(named.values()) == list(results.values())
