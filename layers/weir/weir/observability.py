"""What one invocation counts, as one line in CloudWatch's embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

Powertools has this, too, and takes more of a request's time than reading and answering it (docs/decisions/0009).
"""

import time
from collections.abc import Mapping
from typing import Literal

import msgspec

Unit = Literal["Count", "Microseconds"]


class InvocationMetrics:
    """Counts of the invocation that runs."""

    def __init__(self, namespace: str, service: str) -> None:
        """Begin with nothing counted; CloudWatch keeps metrics by namespace, service and model."""
        self._namespace, self._service = namespace, service
        self._descriptions: dict[tuple[object, ...], msgspec.Raw] = {}
        self._forget()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "InvocationMetrics":
        """Name namespace and service as the variables of Powertools do."""
        return cls(
            environment.get("POWERTOOLS_METRICS_NAMESPACE") or "Weir",
            environment.get("POWERTOOLS_SERVICE_NAME") or "weir",
        )

    def _forget(self) -> None:
        self._units: dict[str, Unit] = {}
        self._values: dict[str, list[float]] = {}
        self._dimensions: dict[str, str] = {}
        self._properties: dict[str, object] = {}

    def add(self, name: str, value: float, unit: Unit = "Count") -> None:
        """Count something; of one name there may be several values."""
        self._units[name] = unit
        self._values.setdefault(name, []).append(value)

    def tell(self, *, model: str, version: int) -> None:
        """Say which model it is about: metrics are kept by model, and the line names the version, too."""
        self._dimensions["model"] = model
        self._properties["model_version"] = version

    def __enter__(self) -> None:
        """Begin an invocation: nothing is left of the one before."""
        self._forget()

    def __exit__(self, *_: object) -> None:
        """Print one line when the invocation ends, however it does."""
        print(self._line())  # noqa: T201 (standard output is where CloudWatch reads it)

    def _line(self) -> str:
        dimensions = {**self._dimensions, "service": self._service}
        head = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": self._described(tuple(dimensions))}
        return msgspec.json.encode({"_aws": head, **dimensions, **self._properties, **self._values}).decode()

    def _described(self, dimensions: tuple[str, ...]) -> msgspec.Raw:
        """Say what is counted; a function counts the same things most of the time, so it is written once."""
        key = (dimensions, *self._units)
        if key not in self._descriptions:
            told = {
                "Namespace": self._namespace,
                "Dimensions": [dimensions],
                "Metrics": [{"Name": name, "Unit": unit} for name, unit in self._units.items()],
            }
            self._descriptions[key] = msgspec.Raw(msgspec.json.encode([told]))
        return self._descriptions[key]
