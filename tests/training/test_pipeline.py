"""training.pipeline: what training does about promises; whole trainings are in `test_cli` and `test_layered`."""

import re
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.serving import LABELS
from tests.training.quick import TASK, copied
from tests.training.thirds import pictures, split_in_four
from tests.training.training_runs import OFF
from training import folder
from training.certifying import attempts as attempts_file
from training.pipeline import train
from training.task import Data, Sizes, decode
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


def test_what_makes_data_doubtful_is_told_before_anything_is_trained(tmp_path: Path) -> None:
    """Pixels of 0 to 1, many rows that are dropped, and a label with few rows; training goes on."""
    rows = pictures(700, 5)
    y = np.where((rows.labels == 2) & (np.arange(700) > 90), 3, rows.labels)
    np.savez(tmp_path / "odd.npz", x=rows.inputs / 255, y=y, label_names=np.array(LABELS))
    task, _ = split_in_four(tmp_path)
    task = msgspec.structs.replace(
        task,
        data=Data(source="npz", path=str(tmp_path / "odd.npz")),
        sizes=Sizes(validation=100, certification=100, test=100),
        optimise=OFF,
        quantization_tolerance=0.5,
    )
    messages: list[str] = []
    evaluation = train(task, tmp_path / "out", Callbacks(messages.append, lambda *_: None))
    warned = [message for message in messages[:5] if message.startswith("warning: ")]
    dropped, scale, few = warned
    assert re.fullmatch(r"warning: \d+ of 700 rows were dropped", dropped)
    assert scale.startswith("warning: values fill under 2 % of the range of image, 0 to 255")
    right = np.bincount(y)[2]
    assert few.startswith("warning: labels with fewer than 10 rows in a part: right (")
    assert sum(map(int, re.findall(r"(\d+) \w+", few.partition("right (")[2]))) == right
    assert list(evaluation.label_rows) == list(LABELS)
    assert sum(evaluation.label_rows.values()) == 100
    cleaning = msgspec.json.decode((tmp_path / "out" / folder.REPORT).read_bytes())["cleaning"]
    assert [f"warning: {one}" for one in cleaning["warnings"]] == [dropped, scale]


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
