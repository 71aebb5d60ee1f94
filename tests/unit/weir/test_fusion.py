"""weir.fusion."""

from typing import get_args

import numpy as np

from weir.fusion import FUSIONS, replace
from weir.manifest import Fusion


def test_replace_takes_the_levels_word_alone() -> None:
    """What the levels before it said is forgotten."""
    level = np.array([[0.2, 0.8]], np.float32)
    assert replace(None, level) is level
    assert replace(np.array([[0.9, 0.1]], np.float32), level) is level


def test_every_fusion_of_a_manifest_is_known() -> None:
    """A manifest that is taken can be run."""
    assert set(FUSIONS) == set(get_args(Fusion))
