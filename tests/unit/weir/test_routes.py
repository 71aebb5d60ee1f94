"""weir.routes."""

import pytest

from weir.routes import verbs


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v2", ("GET",)),
        ("/cascade/v2/health/live", ("GET",)),
        ("/v2/models/m", ("GET",)),
        ("/v2/models/m/ready", ("GET",)),
        ("/v2/models/m/versions/1/ready", ("GET",)),
        ("/v2/models/m/infer", ("POST",)),
        ("/cascade/v2/models/m/versions/1/infer", ("POST",)),
        ("/v2/models", ()),
        ("/v2/models/m/n/infer", ()),
        ("/v3", ()),
        ("", ()),
    ],
)
def test_verbs_of_a_path(path: str, expected: tuple[str, ...]) -> None:
    """A known path has its verbs, an unknown one none."""
    assert verbs(path) == expected
