"""weir.observability: one line of metrics an invocation, in CloudWatch's embedded metric format."""

import json
import subprocess
import sys

import pytest
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from tests.serving import metrics_line
from weir.observability import InvocationMetrics


def test_a_line_is_what_powertools_would_have_written(capsys: pytest.CaptureFixture[str]) -> None:
    """Namespace, dimension sets, units and values are the same as in a line of Powertools' own metrics."""
    ours = InvocationMetrics("Weir", "weir")
    with ours:
        ours.set_model("digits", 3)
        ours.add("Predictions", 4)
        ours.add("Level0Time", 17.5, "Microseconds")
        ours.add("Level0Time", 2.5, "Microseconds")
    line = metrics_line(capsys.readouterr().out)
    theirs = EphemeralMetrics(namespace="Weir", service="weir")
    theirs.add_dimensions(model="digits")
    theirs.add_dimensions(service="weir", model="digits")
    theirs.add_metadata("model_version", 3)
    theirs.add_metric("Predictions", MetricUnit.Count, 4)
    for value in (17.5, 2.5):
        theirs.add_metric("Level0Time", MetricUnit.Microseconds, value)
    theirs.flush_metrics()
    expected = metrics_line(capsys.readouterr().out)
    for one in (line, expected):
        one["_aws"]["Timestamp"] = 0
    assert line == expected
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"], ["model"], ["service", "model"]]


def test_without_a_model_there_is_one_dimension(capsys: pytest.CaptureFixture[str]) -> None:
    """The line of a request that names no model, or a wrong one, is counted by service only, as Powertools does it."""
    ours, theirs = InvocationMetrics("Weir", "weir"), EphemeralMetrics(namespace="Weir", service="weir")
    with ours:
        ours.add("Errors", 1)
    line = metrics_line(capsys.readouterr().out)
    theirs.add_metric("Errors", MetricUnit.Count, 1)
    theirs.flush_metrics()
    expected = metrics_line(capsys.readouterr().out)
    line["_aws"]["Timestamp"] = expected["_aws"]["Timestamp"] = 0
    assert line == expected
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]


def test_the_model_of_one_invocation_is_not_that_of_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither as a dimension nor as a property."""
    metrics = InvocationMetrics("Weir", "weir")
    with metrics:
        metrics.set_model("digits", 3)
        metrics.add("Errors", 0)
    assert metrics_line(capsys.readouterr().out)["model"] == "digits"
    with metrics:
        metrics.add("Errors", 0)
    line = metrics_line(capsys.readouterr().out)
    assert {"model", "model_version"}.isdisjoint(line)
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]


def test_a_failing_invocation_has_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The line is printed although the handler raises, and its values do not reach the next line."""
    metrics = InvocationMetrics.from_environment({})

    def fail() -> None:
        with metrics:
            metrics.add("Messages", 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert metrics_line(capsys.readouterr().out)["Messages"] == [1]
    with metrics:
        metrics.add("Other", 1)
    assert "Messages" not in metrics_line(capsys.readouterr().out)


def test_variables_name_namespace_and_service(capsys: pytest.CaptureFixture[str]) -> None:
    """They are the variables of Powertools, which the template sets."""
    with InvocationMetrics.from_environment(
        {"POWERTOOLS_METRICS_NAMESPACE": "N", "POWERTOOLS_SERVICE_NAME": "s"}
    ) as metrics:
        assert metrics is None
    line = metrics_line(capsys.readouterr().out)
    assert line["service"] == "s"
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "N"


def test_the_logger_is_powertools_and_imported_with_the_first_line() -> None:
    """A process that logs nothing does not import Powertools; a logged line is one JSON document."""
    code = (
        "import sys; from weir import observability\n"
        "assert 'aws_lambda_powertools' not in sys.modules\n"
        "observability.logger().error('failed')\n"
        "assert observability.logger() is observability.logger()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    (line,) = done.stdout.splitlines()
    document = json.loads(line)
    assert (document["level"], document["message"]) == ("ERROR", "failed")
