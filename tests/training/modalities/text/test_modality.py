"""training.modalities.text.modality."""

import msgspec
import numpy as np
import pytest

from tests.training.texts import rows, text, two_moods
from tests.training.training_runs import spec
from training.data.splits.split import Split
from training.modalities.fronts import parted
from training.modalities.text import cleaning, mixing
from training.modalities.text.architectures import ARCHITECTURES
from training.modalities.text.modality import TextModality
from weir.errors import BadInput

MODALITY = TextModality(text(32))
TEXTS, LABELS = two_moods(40, 32)


def test_every_verb_is_that_of_the_package() -> None:
    """Rows are checked, marked, counted and mixed; nothing is odd in the scale of bytes, and no text is changed."""
    random = np.random.default_rng
    np.testing.assert_array_equal(MODALITY.as_rows(TEXTS.astype(np.uint8)), TEXTS)
    for reason, mask in cleaning.unusable(TEXTS).items():
        np.testing.assert_array_equal(MODALITY.unusable(TEXTS)[reason], mask)
    assert MODALITY.constant_inputs(TEXTS) == cleaning.constant_inputs(TEXTS)
    assert not MODALITY.scale_warning(TEXTS)
    assert MODALITY.augmented(TEXTS, spec("n"), random(0)) is TEXTS
    np.testing.assert_array_equal(MODALITY.mixed(TEXTS, random(1)), mixing.mixed(TEXTS, random(1)))
    assert MODALITY.record(rows(32, "Grüße")[0]) == {"text": "Grüße"}
    assert MODALITY.example(rows(32, "Grüße")[0]) == (".txt", "Grüße".encode())


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_has_a_recipe_and_a_network(name: str) -> None:
    """A network is of the training rows, and is parted into what is computed once and what is trained."""
    described = msgspec.structs.replace(spec("n"), architecture=name)
    MODALITY.check(described)
    assert MODALITY.recipe(described).epochs
    model = MODALITY.build(described, 2, 0, Split(TEXTS, LABELS))
    assert model.output_shape == (None, 2)
    front, rest = parted(model)
    assert rest(front(TEXTS)).shape == (40, 2)


def test_an_unknown_architecture_is_refused() -> None:
    """The error lists the architectures, before anything is built."""
    with pytest.raises(BadInput, match="an architecture is one of text-glance, text-tiny"):
        MODALITY.check(msgspec.structs.replace(spec("n"), architecture="mlp"))
