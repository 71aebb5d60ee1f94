"""Count what this process has answered for each version since it started; each process counts by itself."""

import time
from collections import defaultdict

from msgspec import Struct, field

from weir.protocol.messages import Duration, InferStatistics, ModelStatistics

SCOPE = "this process since it started; a function may have many, and CloudWatch has them all (namespace Weir)"


class Counts(Struct):
    """The counts of one version of one model."""

    rows: int = 0
    last_ms: int = 0
    """when the last request was answered, in milliseconds since 1970"""
    success: Duration = field(default_factory=Duration)
    fail: Duration = field(default_factory=Duration)
    compute: Duration = field(default_factory=Duration)


class RequestCounts(Struct, frozen=True):
    """The counts of all versions."""

    counts: defaultdict[tuple[str, int], Counts] = field(default_factory=lambda: defaultdict(Counts))

    def answered(self, model: str, version: int, *, rows: int, taken_ns: int, compute_ns: int) -> None:
        """Count a request that was answered."""
        counts = self.counts[model, version]
        counts.rows += rows
        counts.last_ms = time.time_ns() // 1_000_000
        _add(counts.success, taken_ns)
        _add(counts.compute, compute_ns)

    def failed(self, model: str, version: int, *, taken_ns: int) -> None:
        """Count a request that got an error: a refusal, or a model that was unavailable."""
        _add(self.counts[model, version].fail, taken_ns)

    def of(self, model: str, version: int) -> ModelStatistics:
        """Return the counts of one version as a message of the protocol."""
        counts = self.counts.get((model, version), Counts())
        return ModelStatistics(
            name=model,
            version=str(version),
            last_inference=counts.last_ms,
            inference_count=counts.rows,
            execution_count=counts.success.count,
            inference_stats=InferStatistics(success=counts.success, fail=counts.fail, compute_infer=counts.compute),
            parameters={"scope": SCOPE},
        )


def _add(duration: Duration, taken_ns: int) -> None:
    duration.count += 1
    duration.ns += taken_ns
