"""weir.observability: one line an invocation, in CloudWatch's embedded metric format."""

import json

import pytest
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from weir.observability import InvocationMetrics


def _told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    (line,) = capsys.readouterr().out.splitlines()
    told: dict[str, object] = json.loads(line)
    return told


def test_a_line_is_what_powertools_would_have_written(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever reads that format finds the same namespace, dimensions, units and values."""
    ours = InvocationMetrics("Weir", "weir")
    with ours:
        ours.tell(model="digits", version=3)
        ours.add("Predictions", 4)
        ours.add("Level0Time", 17.5, "Microseconds")
        ours.add("Level0Time", 2.5, "Microseconds")
    line = _told(capsys)
    theirs = EphemeralMetrics(namespace="Weir", service="weir")
    theirs.add_dimension("model", "digits")
    theirs.add_metadata("model_version", 3)
    theirs.add_metric("Predictions", MetricUnit.Count, 4)
    for value in (17.5, 2.5):
        theirs.add_metric("Level0Time", MetricUnit.Microseconds, value)
    theirs.flush_metrics()
    expected = _told(capsys)
    for one in (line, expected):
        one["_aws"]["Timestamp"] = 0  # type: ignore[index]
    assert line == expected


def test_a_failing_invocation_has_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing of it is left for the next."""
    metrics = InvocationMetrics.from_environment({})

    def fail() -> None:
        with metrics:
            metrics.add("Messages", 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert _told(capsys)["Messages"] == [1]
    with metrics:
        metrics.add("Other", 1)
    assert "Messages" not in _told(capsys)


def test_variables_name_namespace_and_service(capsys: pytest.CaptureFixture[str]) -> None:
    """Those of Powertools, as the template sets them."""
    with InvocationMetrics.from_environment(
        {"POWERTOOLS_METRICS_NAMESPACE": "N", "POWERTOOLS_SERVICE_NAME": "s"}
    ) as metrics:
        assert metrics is None
    told = _told(capsys)
    assert told["service"] == "s"
    assert told["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "N"  # type: ignore[index]
