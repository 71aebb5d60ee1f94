"""What an invocation reports: structured log lines, and one line of metrics in CloudWatch's embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

Log lines are Powertools'. It has such metrics, too, but takes more of a request's time for them than reading and
answering it (docs/decisions/0009).
"""

import os
import time
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

Unit = Literal["Count", "Microseconds"]


@cache
def logger() -> "Logger":
    """Return the structured logger; it is imported with the first line, for most cold starts log none."""
    from aws_lambda_powertools import Logger  # noqa: PLC0415

    return Logger()


@cache
def warn_once(line: str) -> None:
    """Log a warning, the first time only that this process has this line to say."""
    logger().warning(line, stacklevel=3)


class InvocationMetrics:
    """What the running invocation counts."""

    def __init__(self, namespace: str, service: str) -> None:
        """Begin with nothing counted; CloudWatch keeps metrics by namespace, service and model."""
        self._namespace, self._service = namespace, service
        self._directives: dict[tuple[object, ...], msgspec.Raw] = {}
        self._reset()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "InvocationMetrics":
        """Name namespace and service as the variables of Powertools do."""
        return cls(
            environment.get("POWERTOOLS_METRICS_NAMESPACE") or "Weir",
            environment.get("POWERTOOLS_SERVICE_NAME") or "weir",
        )

    def _reset(self) -> None:
        self._units: dict[str, Unit] = {}
        self._values: dict[str, list[float]] = {}
        self._dimensions = {"service": self._service}
        self._properties: dict[str, object] = {}

    def add(self, name: str, value: float, unit: Unit = "Count") -> None:
        """Add a value to a metric; one metric may have several values."""
        self._units[name] = unit
        self._values.setdefault(name, []).append(value)

    def set_model(self, model: str, version: int) -> None:
        """Name the model of the invocation, which is a dimension of its metrics, and the version, which is none."""
        self._dimensions["model"] = model
        self._properties["model_version"] = version

    def __enter__(self) -> None:
        """Begin an invocation, without the values of the one before."""
        self._reset()

    def __exit__(self, *_: object) -> None:
        """Print one line when the invocation ends, even by an exception."""
        print(self._line())  # noqa: T201 (standard output is where CloudWatch reads it)

    def _line(self) -> str:
        head = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": self._directive()}
        return msgspec.json.encode({"_aws": head, **self._dimensions, **self._properties, **self._values}).decode()

    def _directive(self) -> msgspec.Raw:
        """Describe the metrics of the line; most lines of a function have the same description, so it is kept."""
        key = ("model" in self._dimensions, *self._units)
        if key not in self._directives:
            directive = {
                "Namespace": self._namespace,
                "Dimensions": _WITH_MODEL if "model" in self._dimensions else _WITHOUT_MODEL,
                "Metrics": [{"Name": name, "Unit": unit} for name, unit in self._units.items()],
            }
            self._directives[key] = msgspec.Raw(msgspec.json.encode([directive]))
        return self._directives[key]


_WITHOUT_MODEL = [["service"]]
_WITH_MODEL = [["service"], ["model"], ["service", "model"]]
"""dimension sets: CloudWatch keeps each metric once for all models, once by model, once by both"""

metrics = InvocationMetrics.from_environment(os.environ)
"""of the invocation that runs in this process"""
