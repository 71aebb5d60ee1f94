"""Run one execution environment of a function in its own process: `python -m local.worker` (see `local.function`).

It imports the handler as Lambda does, with its folder first on the path, and answers one event at a time until its
parent closes the connection or dies.
"""

import importlib
import json
import os
import select
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import msgspec

from local.events import ACCOUNT, REGION
from local.template import FunctionSpec

MAX_ANSWER_BYTES = 6_291_556
"""Lambda's own limit: 6 MB and a little"""

_GRACE_S = 1
"""seconds in which a process may end by itself when its parent is gone"""


@dataclass(frozen=True)
class Context:
    """The context of an invocation, as Lambda passes it to a handler."""

    function_name: str
    memory_limit_in_mb: int
    deadline: float
    """when the function is stopped, on `time.monotonic`"""
    function_version: str = "$LATEST"
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    log_group_name: str = "local"
    log_stream_name: str = "local"

    @property
    def invoked_function_arn(self) -> str:
        """Return the ARN of the function."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the function is stopped."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


def main(descriptor: int, spec: FunctionSpec) -> None:
    """Answer events from a connection until it is closed."""
    connection = Connection(descriptor)
    sys.path.insert(0, str(spec.folder))
    module, _, function = spec.handler.rpartition(".")
    handle = getattr(importlib.import_module(module), function)
    connection.send_bytes(b"{}")  # ready
    while True:
        try:
            event = json.loads(connection.recv_bytes())
        except EOFError:
            return
        context = Context(spec.name, spec.memory_mb, time.monotonic() + spec.timeout_s)
        connection.send_bytes(_answer(handle, event, context))
        sys.stdout.flush()


def end_with_parent(descriptor: int) -> None:
    """Wait until the other end of a connection closes, then end the process: a handler may be busy for minutes."""
    hang_up = select.poll()
    hang_up.register(descriptor, 0)  # a hang-up is always reported
    hang_up.poll()
    time.sleep(_GRACE_S)
    os._exit(1)


def _answer(handle: Callable[[Any, Context], Any], event: object, context: Context) -> bytes:
    try:
        answer = json.dumps(handle(event, context), ensure_ascii=False).encode()
        if len(answer) > MAX_ANSWER_BYTES:
            raise ValueError(f"an answer has at most {MAX_ANSWER_BYTES:,} bytes. Got: {len(answer):,}")  # noqa: TRY301
        return b'{"answer": ' + answer + b"}"
    except Exception as exc:  # noqa: BLE001 (an exception of the handler ends its invocation only)
        traceback.print_exc()
        return json.dumps({"error": {"errorType": type(exc).__name__, "errorMessage": str(exc)}}).encode()


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, args=(int(sys.argv[1]),), daemon=True).start()
    main(int(sys.argv[1]), msgspec.json.decode(sys.argv[2], type=FunctionSpec, dec_hook=lambda kind, text: kind(text)))
