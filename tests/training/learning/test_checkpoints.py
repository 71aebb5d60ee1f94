"""training.learning.checkpoints."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.training.pictures import picture
from training.learning.checkpoints import Checkpoints, ModelAndHistory
from training.learning.loop import Epoch
from training.modalities.picture.architectures import build
from weir.errors import ModelUnavailable

EPOCH = Epoch(loss=0.5, val_loss=0.25, val_accuracy=None, learning_rate=0.1)


def _model(seed: int) -> ModelAndHistory:
    return build("mlp", picture(4, 4, white=1.0), 3, seed), [EPOCH] * seed


def _two() -> list[ModelAndHistory]:
    return [_model(1), _model(2)]


def _never() -> list[ModelAndHistory]:
    pytest.fail("it is trained again")


@pytest.fixture
def messages() -> list[str]:
    return []


@pytest.fixture
def opened(tmp_path: Path, messages: list[str]) -> Callable[..., Checkpoints]:
    """Open the folder as a training on some data does."""

    def at(data: str = "data", work: Path = tmp_path / "work", reuse: Sequence[Path] = ()) -> Checkpoints:
        return Checkpoints(work, [data, 0], messages.append, reuse)

    return at


def _finish(checkpoints: Checkpoints) -> None:
    checkpoints.resume_or_train_all(["a", "b"], ["target"], _two)


def test_networks_that_have_finished_are_not_trained_again(
    opened: Callable[..., Checkpoints], messages: list[str]
) -> None:
    """They come back with the same weights, curves and digests, and a message says so."""
    one = opened().resume_or_train_all(["a", "b"], ["target"], _two)
    two = opened().resume_or_train_all(["a", "b"], ["target"], _never)
    assert messages == ["a, b: resumed, it was trained before"]
    for trained, again in zip(one, two, strict=True):
        assert (trained.history, trained.made_of) == (again.history, again.made_of)
        for weight, same in zip(trained.model.get_weights(), again.model.get_weights(), strict=True):
            np.testing.assert_array_equal(weight, same)


def test_the_digest_of_a_network_covers_all_that_it_depends_on(opened: Callable[..., Checkpoints]) -> None:
    """Other data or another target give another digest; the same ones give the same."""
    digests = {
        opened(data).resume_or_train("a", [target], lambda: _model(1)).made_of
        for data, target in (("data", "this"), ("data", "that"), ("other data", "this"))
    }
    assert len(digests) == 3
    assert opened().resume_or_train("a", ["this"], lambda: _never()[0]).made_of in digests


@pytest.mark.parametrize("changed", ["data", "target"])
def test_networks_that_depend_on_something_else_are_trained_again(
    changed: str, opened: Callable[..., Checkpoints], messages: list[str]
) -> None:
    """A message gives the reason."""
    _finish(opened())
    other = opened("other data" if changed == "data" else "data")
    other.resume_or_train_all(["a", "b"], ["other" if changed == "target" else "target"], _two)
    assert messages == ["a, b: trained again, for its task, data, seed or libraries have changed"]


def test_networks_that_are_trained_together_are_resumed_together(
    opened: Callable[..., Checkpoints], tmp_path: Path
) -> None:
    """If one of them is missing, all are trained again."""
    _finish(opened())
    next((tmp_path / "work").glob("b.*.keras")).unlink()
    trainings: list[list[ModelAndHistory]] = []

    def train() -> list[ModelAndHistory]:
        trainings.append(_two())
        return trainings[-1]

    opened().resume_or_train_all(["a", "b"], ["target"], train)
    assert trainings


@pytest.mark.parametrize("suffix", [".keras", ".json"])
def test_a_damaged_network_is_an_error(suffix: str, opened: Callable[..., Checkpoints], tmp_path: Path) -> None:
    """It names the file; Keras' own error does not escape."""
    _finish(opened())
    next((tmp_path / "work").glob(f"b.*{suffix}")).write_bytes(b"rubbish")
    with pytest.raises(ModelUnavailable, match=r"cannot be read; remove .*/b\.\w+\.keras to train it again"):
        opened().resume_or_train_all(["a", "b"], ["target"], _never)


def test_a_training_that_was_stopped_starts_again(opened: Callable[..., Checkpoints], messages: list[str]) -> None:
    """A message says that the last training was stopped."""

    def stopped() -> list[ModelAndHistory]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opened().resume_or_train_all(["a", "b"], ["target"], stopped)
    _finish(opened())
    assert messages == ["a, b: trained again, for the last training was stopped in the middle of it"]


def test_networks_of_another_folder_are_reused(
    opened: Callable[..., Checkpoints], messages: list[str], tmp_path: Path
) -> None:
    """They are copied, and later resumed from the copy."""
    _finish(opened())
    there = tmp_path / "there"
    reusing = opened(work=there, reuse=[tmp_path / "nowhere", tmp_path / "work"])
    reusing.resume_or_train_all(["a", "b"], ["target"], _never)
    opened(work=there).resume_or_train_all(["a", "b"], ["target"], _never)
    assert messages == ["a, b: resumed, it was trained before"] * 2


def test_other_networks_of_another_folder_are_not_reused(opened: Callable[..., Checkpoints], tmp_path: Path) -> None:
    """They are trained if they depend on something else, or if one of them is missing in that folder."""
    _finish(opened())
    there = tmp_path / "there"
    opened("other data", there, [tmp_path / "work"]).resume_or_train_all(["a", "b"], ["target"], _two)
    assert len(list(there.glob("*.keras"))) == 2
    next((tmp_path / "work").glob("b.*.keras")).unlink()
    opened("data", there, [tmp_path / "work"]).resume_or_train_all(["a", "b"], ["target"], _two)
    assert len(list(there.glob("*.keras"))) == 4
