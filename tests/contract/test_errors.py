"""Every error has a status."""

import pytest

from weir import errors, http
from weir.errors import WeirError


def _leaves(kind: type[WeirError]) -> list[type[WeirError]]:
    return [found for child in kind.__subclasses__() for found in [child, *_leaves(child)]]


@pytest.mark.parametrize(
    "kind", [kind for kind in _leaves(WeirError) if kind.__module__ == errors.__name__], ids=lambda kind: kind.__name__
)
def test_every_error_of_weir_has_a_status(kind: type[WeirError]) -> None:
    """A new class of error can't be forgotten: it, or an ancestor, stands in the table."""
    assert any(ancestor in http.STATUS for ancestor in kind.__mro__)
