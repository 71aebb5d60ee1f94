"""training.replay.timing."""

from collections.abc import Mapping

import pytest

from tests.serving import layered_manifest, make_manifest
from tests.training.thirds import fetch, pictures
from training.replay.timing import times
from weir.catalog.manifest import Manifest
from weir.runtime.model import Model


@pytest.mark.parametrize(("manifest", "experts"), [(make_manifest(), {}), (layered_manifest(), {1: {0}})])
def test_every_network_has_a_time_of_its_own(manifest: Manifest, experts: dict[int, set[int]]) -> None:
    """One for each level; for a level of experts one for each, by the number of its group."""
    model = Model(manifest, fetch)
    found = times(model, pictures(20).inputs)
    assert len(found) == len(manifest.levels)
    for number, taken in enumerate(found):
        each = taken if isinstance(taken, Mapping) else {-1: taken}
        assert set(each) == experts.get(number, {-1})
        assert all(0 < time_us < 1e6 for time_us in each.values())
