"""training.pipeline: what training does about promises; whole trainings are in `test_cli` and `test_layered`."""

from pathlib import Path

import pytest

from tests.training.quick import TASK, copied
from training import folder
from training.certifying import attempts as attempts_file
from training.pipeline import train
from training.task import decode
from training.terminal.callbacks import Callbacks
from weir.errors import BadInput


def test_a_limit_that_rows_cannot_carry_is_replaced_and_told(trained: Path, tmp_path: Path) -> None:
    """200 rows do not carry 1 %, so training promises 2 %; with networks of another training it is its 2nd attempt."""
    messages: list[str] = []
    task = decode(TASK.replace("max_loss = 0.2", "max_loss = 0.01").encode())
    train(task, tmp_path / "out", Callbacks(messages.append, lambda *_: None), trained)
    certificate = folder.manifest(tmp_path / "out").certificate
    assert certificate is not None
    assert (certificate.max_loss, certificate.attempt, certificate.delta) == (0.02, 2, 0.025)
    why = "200 certification rows carry 2 % at delta 2.5 %; 1 % takes at least 368"
    assert f"warning: max_loss 0.02: {why}" in messages
    first = attempts_file.load(trained).attempts
    assert attempts_file.load(tmp_path / "out").attempts[:1] == first
    assert len(first) == 1


@pytest.mark.parametrize("damaged", ["the folder itself", "the one that is reused"])
def test_damaged_attempts_are_refused_before_anything_is_trained(trained: Path, tmp_path: Path, damaged: str) -> None:
    """They can't be counted, and training would take its time to find out."""
    reused, out = copied(trained, tmp_path), tmp_path / "out"
    (out / folder.WORK).mkdir(parents=True)
    place = out if damaged == "the folder itself" else reused
    (place / attempts_file.FILE).write_bytes(b"{")
    messages: list[str] = []
    with pytest.raises(BadInput, match=r"attempts\.json is what certification wrote"):
        train(decode(TASK.encode()), out, Callbacks(messages.append, lambda *_: None), reused)
    assert messages == []
