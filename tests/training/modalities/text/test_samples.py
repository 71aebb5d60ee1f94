"""training.modalities.text.samples."""

import pytest

from tests.training.texts import rows
from training.modalities.text.samples import file


@pytest.mark.parametrize(("given", "written"), [("Grüße", "Grüße"), ("", ""), ("aaaaaaü", "aaaaaa"), (b"a\xffb", "ab")])
def test_a_sample_is_the_text(given: str | bytes, written: str) -> None:
    """It is UTF-8 whatever was cut or broken."""
    assert file(rows(7, given)[0]).decode() == written
