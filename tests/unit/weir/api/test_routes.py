"""weir.api.routes."""

import pytest

from weir.api.routes import verbs


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
        ("/v2/", ("GET",)),
        ("/v2/models/m/config", ("GET",)),
        ("/cascade/v2/models/m/versions/1/stats", ("GET",)),
        ("/cascade/v2/repository/index", ("POST",)),
        ("/v1/models/m:predict", ("POST",)),
        ("/v1/models/m/versions/1:predict", ("POST",)),
        ("/openapi.json", ("GET",)),
        ("/docs", ("GET",)),
        ("/cascade/v1/models/m:predict", ()),
        ("/cascade/docs", ()),
        ("/v2/models", ()),
        ("/v2/models/m/n/infer", ()),
        ("/v3", ()),
        ("", ()),
    ],
)
def test_verbs_of_a_path(path: str, expected: tuple[str, ...]) -> None:
    """A known path has its verbs, an unknown one none."""
    assert verbs(path) == expected
