"""One line of metrics for each request, in CloudWatch's embedded metric format."""

from pathlib import Path

import pytest

from tests.serving import call, load_app, make_manifest, metrics_among_logs, metrics_line, request_body, store_version
from weir.catalog import keys
from weir.engine.arrays import Floats

pytestmark = pytest.mark.usefixtures("runtime")


def test_one_metrics_line_a_request(served: Path, pictures: Floats, capsys: pytest.CaptureFixture[str]) -> None:
    """It has predictions, rows and time of each level, escalations, cold start, errors and faults."""
    app = load_app("cascade")
    body = request_body(pictures.tolist(), [4, 4, 4])
    for cold in (1, 0):
        capsys.readouterr()
        call(app, "POST", "/cascade/v2/models/thirds/infer", body)
        metrics = metrics_line(capsys.readouterr().out)
        assert metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Weir"
        assert metrics["model"] == "thirds"
        assert {name: metrics[name] for name in ("ColdStart", "Errors", "Faults", "Predictions", "Escalations")} == {
            "ColdStart": [cold],
            "Errors": [0],
            "Faults": [0],
            "Predictions": [4],
            "Escalations": [6],
        }
        assert [metrics[f"Level{k}Rows"] for k in range(3)] == [[4], [4], [2]]
        assert all(metrics[f"Level{k}Time"][0] > 0 for k in range(3))


def test_a_level_that_is_not_run_counts_nothing(
    served: Path, pictures: Floats, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each row is one prediction; rows that begin at the second level have not escalated to it."""
    store_version(served, make_manifest(thresholds=(None, 0.9)))
    app = load_app("cascade")
    call(app, "POST", "/cascade/v2/models/thirds/infer", request_body(pictures.tolist(), [4, 4, 4]))
    metrics = metrics_line(capsys.readouterr().out)
    assert [metrics[f"Level{k}Rows"] for k in range(3)] == [[0], [4], [2]]
    assert (metrics["Predictions"], metrics["Escalations"]) == ([4], [2])


@pytest.mark.parametrize(
    ("path", "errors"), [("/v2", 0), ("/v2/models/thirds", 0), ("/v1", 1), ("/v2/models/nobody", 1)]
)
def test_every_answer_has_its_metrics_line(
    served: Path, capsys: pytest.CaptureFixture[str], path: str, errors: int
) -> None:
    """Answers without predictions and answers to unknown routes have one, too."""
    call(load_app("models"), "GET", path)
    metrics = metrics_line(capsys.readouterr().out)
    assert (metrics["ColdStart"], metrics["Errors"]) == ([1], [errors])


def test_a_refused_request_has_its_metrics_line_too(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its error is counted, and the values of the request before it are not repeated."""
    app = load_app("predict")
    call(app, "POST", "/v2/models/thirds/infer", request_body([0] * 16, [1, 4, 4]))
    capsys.readouterr()
    call(app, "POST", "/v2/models/thirds/infer", b"")
    metrics = metrics_line(capsys.readouterr().out)
    assert metrics["Errors"] == [1]
    assert "Predictions" not in metrics


def test_a_failure_of_the_store_is_a_fault(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An answer of 500 and more is counted as an error and as a fault, by service and not by a model."""
    (served / keys.manifest("thirds", 1)).write_bytes(b"{")
    answer = call(load_app("predict"), "POST", "/v2/models/thirds/infer", request_body([0] * 16, [1, 4, 4]))
    assert answer["statusCode"] == 503
    metrics = metrics_among_logs(capsys.readouterr().out)
    assert (metrics["Errors"], metrics["Faults"]) == ([1], [1])
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]


def test_predictions_are_counted_by_service_and_model(served: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """CloudWatch keeps each metric for all models together, for each model, and for each model of a service."""
    call(load_app("predict"), "POST", "/v2/models/thirds/infer", request_body([0] * 16, [1, 4, 4]))
    metrics = metrics_line(capsys.readouterr().out)
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"], ["model"], ["service", "model"]]
    assert (metrics["service"], metrics["model"], metrics["model_version"]) == ("weir", "thirds", 1)
