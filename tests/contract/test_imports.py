"""What a cold start and a request import."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.serving import ROOT, http_event, request_body

HEAVY = (
    "boto3",
    "botocore.session",  # Powertools imports the bare package botocore, where there is one
    "keras",
    "PIL",
    "pydantic",
    "requests",
    "sklearn",
    "tensorflow",
    "training",
    "local",
)
UNNEEDED = (*HEAVY, "aws_lambda_powertools", "asyncio", "botocore", "email", "importlib.metadata", "logging")
"""what no function of the API needs for an answer; Powertools and `logging` come with the first log line"""

CODE = """
import sys
before = set(sys.modules)
import json, runpy, types
handler = runpy.run_path(sys.argv[1])["handler"]
context = types.SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000)
answers = [handler(event, context) for event in json.load(sys.stdin)]
print(json.dumps([answers, [name for name in sys.argv[2:] if name in sys.modules], sorted(before)]))
"""
NOTICE = {"Records": [{"s3": {"object": {"key": "batches/in/thirds/a.csv"}}}]}
EVENTS: dict[str, list[dict[str, Any]]] = {
    "predict": [
        http_event("POST", "/v2/models/thirds/infer", request_body([0] * 16, [1, 4, 4])),
        http_event("POST", "/v2/models/thirds/infer", b"\0" * 64, [("Inference-Header-Content-Length", "0")]),
        http_event("POST", "/v1/models/thirds:predict", json.dumps({"instances": [[0] * 16]}).encode()),
        http_event("GET", "/v2/models/thirds/stats"),
    ],
    "cascade": [http_event("POST", "/cascade/v2/models/thirds/infer", request_body([0] * 16, [1, 4, 4]))],
    "models": [
        *(http_event("GET", path) for path in ("/openapi.json", "/docs")),
        *(http_event("GET", f"/v2{path}") for path in ("", "/health/ready", "/models/thirds", "/models/thirds/ready")),
        http_event("GET", "/v2/models/thirds/config", b"", [("Accept-Encoding", "gzip")]),
        http_event("POST", "/v2/repository/index"),
    ],
    "batch": [{"Records": [{"messageId": "m", "eventSource": "aws:sqs", "body": json.dumps(NOTICE)}]}],
}
API = [name for name in EVENTS if name != "batch"]


def _run(name: str, events: list[dict[str, Any]], cwd: Path, *modules: str, **variables: str) -> list[Any]:
    """Answer events in a fresh interpreter: return the answers, and which of the modules were imported."""
    done = _process(name, events, cwd, *modules, **variables)
    assert done.returncode == 0, done.stderr
    answers, imported, before = json.loads(done.stdout.splitlines()[-1])
    assert set(modules).isdisjoint(before)
    return [answers, imported]


def _process(
    name: str, events: list[dict[str, Any]], cwd: Path, *modules: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    path = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "layers/weir")}
    return subprocess.run(
        [sys.executable, "-c", CODE, str(ROOT / "functions" / name / "app.py"), *modules],
        env={**path, **variables},
        cwd=cwd,
        input=json.dumps(events),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", EVENTS)
def test_importing_a_handler_is_cheap(name: str, tmp_path: Path) -> None:
    """It imports nothing heavy, and reads no store: one that does not exist is not noticed."""
    store = {"MODEL_STORE": "s3://no-such-bucket", "MODEL_STORE_ENDPOINT": "http://127.0.0.1:9"}
    modules = UNNEEDED if name in API else HEAVY
    assert _run(name, [], tmp_path, *modules, **store) == [[], []]


@pytest.mark.parametrize("name", EVENTS)
def test_preloading_reads_the_store_while_the_handler_is_imported(name: str, tmp_path: Path) -> None:
    """The functions that predict log a model that can't be loaded, and start; the others do not preload."""
    done = _process(name, [], tmp_path, MODEL_STORE=tmp_path.as_uri(), MODELS_PRELOAD="thirds")
    assert done.returncode == 0, done.stderr
    logged = [json.loads(line) for line in done.stdout.splitlines()[:-1]]
    assert [line["exception_name"] for line in logged] == (["ModelNotFound"] if name in {"predict", "cascade"} else [])
    assert all(line["message"].startswith("preloading the model thirds failed") for line in logged)


@pytest.mark.parametrize("name", EVENTS)
def test_a_function_with_wrong_settings_does_not_start(name: str, tmp_path: Path) -> None:
    """The error names every variable that is missing or wrong."""
    done = _process(name, [], tmp_path, MODEL_REFRESH_S="soon")
    assert done.returncode != 0
    error = done.stderr.splitlines()[-1]
    assert error.startswith("weir.errors.BadSettings: ")
    assert "MODEL_STORE is s3://bucket[/prefix] or file:///path" in error
    assert "Got: no MODEL_STORE, MODEL_REFRESH_S='soon'" in error


@pytest.mark.parametrize("name", EVENTS)
def test_answering_imports_nothing_heavy(name: str, thirds: Path) -> None:
    """From the first byte to the last, requests are answered with what the layer holds, and with little of it."""
    (thirds / "batches/in/thirds").mkdir(parents=True)
    (thirds / "batches/in/thirds/a.csv").write_text(",".join("0" * 16))
    modules = UNNEEDED if name in API else HEAVY
    answers, heavy = _run(name, EVENTS[name], thirds, *modules, MODEL_STORE=thirds.as_uri())
    assert heavy == []
    for answer in answers:
        assert answer.get("statusCode", 200) == 200
        assert answer.get("batchItemFailures", []) == []
    if name == "batch":
        assert (thirds / "batches/out/thirds/a.csv/summary.json").exists()


@pytest.mark.parametrize(("path", "logs"), [("/v2/models/nobody", False), ("/v2/models/damaged", True)])
def test_powertools_is_imported_with_the_first_log_line(thirds: Path, path: str, logs: bool) -> None:
    """A refusal that is the caller's fault is not logged; a damaged manifest is, and only then Powertools is needed."""
    (thirds / "models/damaged/aliases").mkdir(parents=True)
    (thirds / "models/damaged/aliases/champion.json").write_bytes(b"{")
    events = [http_event("GET", path)]
    (answer,), imported = _run("models", events, thirds, "aws_lambda_powertools", MODEL_STORE=thirds.as_uri())
    assert answer["statusCode"] == (503 if logs else 404)
    assert imported == (["aws_lambda_powertools"] if logs else [])
