"""local.worker, in a thread instead of a process."""

import json
import os
import sys
import threading
import time
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest

from local.template import FunctionSpec
from local.worker import MAX_ANSWER_BYTES, Context, main

HANDLER = """
def handler(event, context):
    if event == "raise": raise ValueError("its own")
    if isinstance(event, int): return "x" * event
    return [event, context.function_name]
"""


def test_a_context_is_like_lambdas() -> None:
    """It has name, memory, remaining time, and another request ID each time."""
    context = Context("F", 128, time.monotonic() + 60)
    assert context.invoked_function_arn.endswith(":function:F")
    assert context.memory_limit_in_mb == 128
    assert 0 < context.get_remaining_time_in_millis() <= 60_000
    assert Context("F", 128, 0).get_remaining_time_in_millis() == 0
    assert context.aws_request_id != Context("F", 128, 0).aws_request_id


def test_events_are_answered_until_the_connection_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception, or an answer above Lambda's limit, is an error of its own event; the next event is answered."""
    (tmp_path / "obedient_worker.py").write_text(HANDLER)
    monkeypatch.setattr(sys, "path", list(sys.path))
    ours, theirs = Pipe()
    spec = FunctionSpec("F", tmp_path, "obedient_worker.handler", 2, 128, {})
    worker = threading.Thread(target=main, args=(os.dup(theirs.fileno()), spec))
    theirs.close()
    worker.start()
    assert ours.recv_bytes() == b"{}"

    def invoke(event: object) -> dict[str, Any]:
        ours.send_bytes(json.dumps(event).encode())
        answer: dict[str, Any] = json.loads(ours.recv_bytes())
        return answer

    assert invoke("ä") == {"answer": ["ä", "F"]}
    assert invoke("raise") == {"error": {"errorType": "ValueError", "errorMessage": "its own"}}
    assert len(invoke(MAX_ANSWER_BYTES - 2)["answer"]) == MAX_ANSWER_BYTES - 2
    assert set(invoke(MAX_ANSWER_BYTES - 1)) == {"error"}
    assert invoke(1) == {"answer": "x"}
    ours.close()
    worker.join(20)
    assert not worker.is_alive()
