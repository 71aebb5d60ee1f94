"""training.replay.timing."""

from collections.abc import Mapping

import pytest

from tests.serving import fetch, layered_manifest, make_manifest
from tests.training.thirds import pictures
from training.replay.timing import times
from weir.catalog.manifest import Manifest
from weir.runtime.model import Model


@pytest.mark.parametrize(("manifest", "experts"), [(make_manifest(), {}), (layered_manifest(), {1: {"outer"}})])
def test_every_network_has_a_time_of_its_own(manifest: Manifest, experts: dict[int, set[str]]) -> None:
    """Each level has one; a level of experts has one for each of them, by the name of its group."""
    of_levels = times(Model(manifest, fetch), pictures(20).inputs)
    assert len(of_levels) == len(manifest.levels)
    for number, time in enumerate(of_levels):
        each = time if isinstance(time, Mapping) else {"": time}
        assert set(each) == experts.get(number, {""})
        assert all(0 < time_us < 1e6 for time_us in each.values())
