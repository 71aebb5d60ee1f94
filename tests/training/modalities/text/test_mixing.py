"""training.modalities.text.mixing."""

import numpy as np
import pytest

from tests.training.texts import rows
from training.modalities.text.mixing import mixed
from training.modalities.text.samples import file

RANDOM = np.random.default_rng(0)


def test_a_mixed_text_begins_as_its_own_and_ends_as_the_other() -> None:
    """Both are cut where words begin; the first text gets the end of the last."""
    texts = rows(64, "one two three four", "five six seven eight")
    out = [file(row).decode() for row in mixed(np.tile(texts, (50, 1)), RANDOM)]
    for place, spliced in enumerate(out):
        own, other = ("one two three four", "five six seven eight")[:: 1 if place % 2 == 0 else -1]
        assert any(spliced == own[:cut] + other[end:] for cut in range(len(own) + 1) for end in range(len(other) + 1))
        assert spliced.startswith(own.split()[0])
        assert set(spliced.split()) <= {*own.split(), *other.split(), *[own.split()[-1] + other.split()[-1]]}
    assert len(set(out)) > 4


@pytest.mark.parametrize("texts", [("日本語のテキスト", "Übergrößenträger"), ("é", "ü"), ("x" * 30, "y" * 30)])
def test_characters_stay_whole(texts: tuple[str, str]) -> None:
    """Texts without blanks are cut between characters, never within one."""
    for row in mixed(np.tile(rows(200, *texts), (50, 1)), RANDOM):
        content = bytes(row[row != 0].astype(np.uint8))
        assert content
        assert content.decode()


def test_mixed_texts_are_rows() -> None:
    """They have the shape of the rows, zeros behind their end alone, and are cut if they are too long."""
    texts = RANDOM.integers(1, 256, (40, 16)).astype(np.int32)
    texts[::3, 5:] = 0
    out = mixed(texts, RANDOM)
    assert out.shape == texts.shape
    assert out.dtype == np.int32
    assert not ((out[:, :-1] == 0) & (out[:, 1:] != 0)).any()
    assert (out[:, 0] != 0).all()
