"""One line of metrics a request, in CloudWatch's embedded metric format."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.serving import call, load_app, make_manifest, request_body, store_version

Floats = NDArray[np.float32]

pytestmark = pytest.mark.usefixtures("runtime")


def test_one_metrics_line_a_request(served: Path, pictures: Floats, capsys: pytest.CaptureFixture[str]) -> None:
    """In CloudWatch's embedded metric format: predictions, rows and time of each level, cold start, errors."""
    app = load_app("cascade")
    body = request_body(pictures.tolist(), [4, 4, 4])
    for cold in (1, 0):
        capsys.readouterr()
        call(app, "POST", "/cascade/v2/models/thirds/infer", body)
        (line,) = capsys.readouterr().out.splitlines()
        told = json.loads(line)
        assert told["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Weir"
        assert told["model"] == "thirds"
        assert {name: told[name] for name in ("ColdStart", "Errors", "Predictions", "Escalations")} == {
            "ColdStart": [cold],
            "Errors": [0],
            "Predictions": [4],
            "Escalations": [6],
        }
        assert [told[f"Level{k}Rows"] for k in range(3)] == [[4], [4], [2]]
        assert all(told[f"Level{k}Time"][0] > 0 for k in range(3))


def test_a_level_that_is_not_run_counts_nothing(
    served: Path, pictures: Floats, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows are predicted once each; those that begin at the second level have not escalated to it."""
    store_version(served, make_manifest(thresholds=(None, 0.9)))
    app = load_app("cascade")
    call(app, "POST", "/cascade/v2/models/thirds/infer", request_body(pictures.tolist(), [4, 4, 4]))
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert [told[f"Level{k}Rows"] for k in range(3)] == [[0], [4], [2]]
    assert (told["Predictions"], told["Escalations"]) == ([4], [2])


@pytest.mark.parametrize(
    ("path", "errors"), [("/v2", 0), ("/v2/models/thirds", 0), ("/v1", 1), ("/v2/models/nobody", 1)]
)
def test_every_answer_has_its_metrics_line(
    served: Path, capsys: pytest.CaptureFixture[str], path: str, errors: int
) -> None:
    """Also where nothing is predicted, and where nobody knows the route."""
    call(load_app("models"), "GET", path)
    (line,) = capsys.readouterr().out.splitlines()
    assert (json.loads(line)["ColdStart"], json.loads(line)["Errors"]) == ([1], [errors])


def test_a_refused_request_has_its_metrics_line_too(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Errors are counted, and nothing of the request before it is left over."""
    app = load_app("predict")
    call(app, "POST", "/v2/models/thirds/infer", request_body([0] * 16, [1, 4, 4]))
    capsys.readouterr()
    call(app, "POST", "/v2/models/thirds/infer", b"")
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert told["Errors"] == [1]
    assert "Predictions" not in told
