"""Send 100,000 mutated requests through the handlers: `make bench-fuzz`.

JSON, bytes, pictures and headers are changed at random (`benchmarks.mutations`), and go through the routes and the
handlers in this process. No request may be answered 5xx or take long, and memory may not grow.
"""

import base64
import contextlib
import gc
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from benchmarks.mutations import mutated, valid_requests
from benchmarks.setting import header
from local import template
from local.events import HttpRequest, HttpResponse
from local.gateway import Gateway
from local.system import TEMPLATE
from tests.serving import context, digits_manifest, layered_manifest, load_app, make_manifest, store_version

REQUESTS = 100_000
_APPS = {
    "PredictFunction": "predict",
    "CascadeFunction": "cascade",
    "ModelsFunction": "models",
    "BatchFunction": "batch",
}
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

Send = Callable[[HttpRequest], HttpResponse]


@dataclass
class Outcome:
    """The answers to the requests, their times, and the memory of the process."""

    statuses: Counter[int] = field(default_factory=Counter)
    slowest_s: float = 0.0
    failures: list[str] = field(default_factory=list)
    """requests that were answered 5xx, or by no document of the protocol"""
    memory_mb: list[float] = field(default_factory=list)
    """resident memory after each half of the requests"""

    @property
    def growth(self) -> float:
        """Memory after the second half, as a share of that after the first."""
        return self.memory_mb[1] / self.memory_mb[0]


def main() -> None:
    """Send the requests, and print the outcome."""
    outcome = fuzz(REQUESTS, seed=0)
    print("\n".join((*header(), "", f"statuses: {dict(sorted(outcome.statuses.items()))}")))
    print(f"resident memory after each half: {', '.join(f'{size:.0f} MB' for size in outcome.memory_mb)}")
    print(*outcome.failures[:10], sep="\n")
    figures = {
        "requests": outcome.statuses.total(),
        "server_errors": len(outcome.failures),
        "slowest_s": round(outcome.slowest_s, 3),
        "memory_growth": round(outcome.growth - 1, 4),
    }
    print(json.dumps(figures))


def fuzz(requests: int, *, seed: int) -> Outcome:
    """Send mutated requests, the same ones for the same seed."""
    random, outcome = Random(seed), Outcome()  # noqa: S311 (the same every time)
    seeds = valid_requests(random)
    with served() as send:
        for request in seeds:  # a valid request is answered
            _sent(request, send, outcome, must=200)
        for half in range(2):
            for _ in range(requests // 2):
                _sent(mutated(random.choice(seeds), seeds, random), send, outcome)
            outcome.memory_mb.append(_resident_mb())
            print(f"half {half + 1} of 2", file=sys.stderr)
    return outcome


def _sent(request: HttpRequest, send: Send, outcome: Outcome, must: int | None = None) -> None:
    start = time.perf_counter()
    answer = send(request)
    outcome.slowest_s = max(outcome.slowest_s, time.perf_counter() - start)
    outcome.statuses[answer.status] += 1
    if answer.status >= 500 or (must or answer.status) != answer.status or not _follows_protocol(answer):  # noqa: PLR2004
        body = base64.b64encode(request.body[:2000]).decode()
        outcome.failures.append(f"{answer.status} {answer.body[:200]!r}: {request.method} {request.raw_path!r} {body}")


def _follows_protocol(answer: HttpResponse) -> bool:
    """Tell whether an error is a JSON document with the key `error` and no other."""
    if answer.status < 400:  # noqa: PLR2004
        return True
    try:
        return set(json.loads(answer.body)) == {"error"}
    except ValueError:
        return False


@contextlib.contextmanager
def served() -> Iterator[Send]:
    """Serve three models from this process, through the template's routes."""
    with tempfile.TemporaryDirectory() as store, Path(os.devnull).open("w") as nowhere:
        for manifest in (make_manifest(), layered_manifest(), digits_manifest()):
            store_version(Path(store), manifest)
        os.environ["MODEL_STORE"] = Path(store).as_uri()
        functions = {name: _InProcess(load_app(app).handler) for name, app in _APPS.items()}
        with contextlib.redirect_stdout(nowhere):  # the lines of metrics
            yield Gateway(template.read(TEMPLATE).routes, functions).answer


@dataclass(frozen=True)
class _InProcess:
    """A function that runs in this process: no request of the fuzzer ends one."""

    handler: Callable[[Mapping[str, object], object], object]

    def invoke(self, event: object) -> object:
        assert isinstance(event, dict)
        return self.handler(event, context())

    def close(self) -> None:
        """Do nothing: no process was started."""


def _resident_mb() -> float:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES / 1e6


if __name__ == "__main__":
    main()
