"""training.learning.checkpoints."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.training.pictures import picture
from training.learning.checkpoints import Checkpoints, Made
from training.learning.loop import Epoch
from training.modalities.picture.architectures import build
from weir.errors import ModelUnavailable

EPOCH = Epoch(loss=0.5, val_loss=0.25, val_accuracy=None, learning_rate=0.1)


def _made(seed: int) -> Made:
    return build("mlp", picture(4, 4, white=1.0), 3, seed), [EPOCH] * seed


def _two() -> list[Made]:
    return [_made(1), _made(2)]


def _never() -> list[Made]:
    pytest.fail("it is trained again")


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def opened(tmp_path: Path, said: list[str]) -> Callable[..., Checkpoints]:
    """Open the folder as a training of some data does."""

    def at(data: str = "data", work: Path = tmp_path / "work", reuse: Sequence[Path] = ()) -> Checkpoints:
        return Checkpoints(work, [data, 0], said.append, reuse)

    return at


def _finish(checkpoints: Checkpoints) -> None:
    checkpoints.several(["a", "b"], ["made"], _two)


def test_what_is_finished_is_not_trained_again(opened: Callable[..., Checkpoints], said: list[str]) -> None:
    """Weights, curves and digests are the same, and it is said."""
    one = opened().several(["a", "b"], ["made"], _two)
    two = opened().several(["a", "b"], ["made"], _never)
    assert said == ["a, b: resumed, it was trained before"]
    for trained, again in zip(one, two, strict=True):
        assert (trained.history, trained.made_of) == (again.history, again.made_of)
        for weight, same in zip(trained.model.get_weights(), again.model.get_weights(), strict=True):
            np.testing.assert_array_equal(weight, same)


def test_a_network_alone_is_named_by_what_made_it(opened: Callable[..., Checkpoints]) -> None:
    """Its digest is another one when anything else is."""
    digests = {
        opened(data).one("a", [made_of], lambda: _made(1)).made_of
        for data, made_of in (("data", "this"), ("data", "that"), ("other data", "this"))
    }
    assert len(digests) == 3
    assert opened().one("a", ["this"], lambda: _never()[0]).made_of in digests


@pytest.mark.parametrize("changed", ["data", "made of"])
def test_whatever_has_changed_is_trained_again(
    changed: str, opened: Callable[..., Checkpoints], said: list[str]
) -> None:
    """And it is said why."""
    _finish(opened())
    other = opened("other data" if changed == "data" else "data")
    other.several(["a", "b"], ["other" if changed == "made of" else "made"], _two)
    assert said == ["a, b: trained again, for its task, data, seed or libraries have changed"]


def test_of_networks_that_are_trained_together_all_are_taken_or_none(
    opened: Callable[..., Checkpoints], tmp_path: Path
) -> None:
    """Though only one of them is missing."""
    _finish(opened())
    next((tmp_path / "work").glob("b.*.keras")).unlink()
    asked: list[bool] = []

    def train() -> list[Made]:
        asked.append(True)
        return _two()

    opened().several(["a", "b"], ["made"], train)
    assert asked


@pytest.mark.parametrize("suffix", [".keras", ".json"])
def test_a_damaged_network_is_an_error(suffix: str, opened: Callable[..., Checkpoints], tmp_path: Path) -> None:
    """It names the file; Keras' own error does not escape."""
    _finish(opened())
    next((tmp_path / "work").glob(f"b.*{suffix}")).write_bytes(b"rubbish")
    with pytest.raises(ModelUnavailable, match=r"remove .*/b\.\w+\.keras"):
        opened().several(["a", "b"], ["made"], _never)


def test_a_training_that_was_stopped_begins_anew(opened: Callable[..., Checkpoints], said: list[str]) -> None:
    """And it is said."""

    def stopped() -> list[Made]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opened().several(["a", "b"], ["made"], stopped)
    _finish(opened())
    assert said == ["a, b: trained again, for the last training was stopped in the middle of it"]


def test_networks_of_another_folder_are_taken(
    opened: Callable[..., Checkpoints], said: list[str], tmp_path: Path
) -> None:
    """They are copied, and then they are this folder's own."""
    _finish(opened())
    there = tmp_path / "there"
    opened(work=there, reuse=[tmp_path / "nowhere", tmp_path / "work"]).several(["a", "b"], ["made"], _never)
    opened(work=there).several(["a", "b"], ["made"], _never)
    assert said == ["a, b: resumed, it was trained before"] * 2


def test_other_networks_of_another_folder_are_left_alone(opened: Callable[..., Checkpoints], tmp_path: Path) -> None:
    """Those that were made of something else, or of which one is missing."""
    _finish(opened())
    there = tmp_path / "there"
    opened("other data", there, [tmp_path / "work"]).several(["a", "b"], ["made"], _two)
    assert len(list(there.glob("*.keras"))) == 2
    next((tmp_path / "work").glob("b.*.keras")).unlink()
    opened("data", there, [tmp_path / "work"]).several(["a", "b"], ["made"], _two)
    assert len(list(there.glob("*.keras"))) == 4
