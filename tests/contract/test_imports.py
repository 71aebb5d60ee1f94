"""What a cold start and a request pay for."""

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
CODE = """
import json, runpy, sys, types
handler = runpy.run_path(sys.argv[1])["handler"]
context = types.SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000)
answers = [handler(event, context) for event in json.load(sys.stdin)]
print(json.dumps([answers, [name for name in sys.argv[2:] if name in sys.modules]]))
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


def _run(name: str, events: list[dict[str, Any]], cwd: Path, **variables: str) -> list[Any]:
    environment = {"PATH": os.environ["PATH"], "POWERTOOLS_METRICS_NAMESPACE": "Weir", **variables}
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(ROOT / "functions" / name / "app.py"), *HEAVY],
        env=environment,
        cwd=cwd,
        input=json.dumps(events),
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", EVENTS)
def test_importing_a_handler_is_cheap(name: str, tmp_path: Path) -> None:
    """It imports nothing heavy, and reads no store: one that does not exist is not noticed."""
    store = {"MODEL_STORE": "s3://no-such-bucket", "MODEL_STORE_ENDPOINT": "http://127.0.0.1:9"}
    assert _run(name, [], tmp_path, **store) == [[], []]


@pytest.mark.parametrize("name", EVENTS)
def test_preloading_reads_the_store_while_the_handler_is_imported(name: str, tmp_path: Path) -> None:
    """A function whose models can't be loaded does not start."""
    with pytest.raises(subprocess.CalledProcessError) as failed:
        _run(name, [], tmp_path, MODEL_STORE=tmp_path.as_uri(), MODELS_PRELOAD="thirds")
    assert "ModelNotFound" in failed.value.stderr


@pytest.mark.parametrize("name", EVENTS)
def test_answering_imports_nothing_heavy(name: str, thirds: Path) -> None:
    """From the first byte to the last, requests are answered with what the layer holds."""
    (thirds / "batches/in/thirds").mkdir(parents=True)
    (thirds / "batches/in/thirds/a.csv").write_text(",".join("0" * 16))
    answers, heavy = _run(name, EVENTS[name], thirds, MODEL_STORE=thirds.as_uri())
    assert heavy == []
    for answer in answers:
        assert answer.get("statusCode", 200) == 200
        assert answer.get("batchItemFailures", []) == []
    if name == "batch":
        assert (thirds / "batches/out/thirds/a.csv/summary.json").exists()
