"""The server that all cases are sent to."""

from collections.abc import Iterator

import pytest

from tests.conformance.cases import Ask, server


@pytest.fixture(scope="session")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Send a case to a server of the models `thirds` (two versions), `two`, `layers`, `mnist-sample` and `pair`."""
    with server(tmp_path_factory.mktemp("conformance") / "store") as asking:
        yield asking
