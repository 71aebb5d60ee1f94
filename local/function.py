"""A function and its execution environments: one process for each request that is answered at once."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from local.template import FunctionSpec

CONCURRENCY = 4
"""requests of one function answered at once; the next ones wait"""

_START_TIMEOUT_S = 60
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "COVERAGE_PROCESS_CONFIG")


class FunctionError(Exception):
    """The function raised, or its process died: the invocation has no answer."""


class FunctionTimeout(FunctionError):
    """The function took longer than its timeout, and was stopped."""


class Function:
    """Invoke a handler as Lambda would: in a process of its own, with its own variables, one event at a time."""

    def __init__(self, spec: FunctionSpec, environment: Mapping[str, str], log: Path) -> None:
        """Describe a function; its first process starts with the first event.

        Args:
            spec: what the template says of it.
            environment: variables beside or instead of the template's.
            log: file that gets what the processes print.
        """
        self._spec, self._log = spec, log
        passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        lambdas = {
            "AWS_LAMBDA_FUNCTION_NAME": spec.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
            "LAMBDA_TASK_ROOT": str(spec.folder),
        }
        self._environment = {**passed, **lambdas, **spec.environment, **environment}
        self._idle: list[_Process] = []
        self._all: set[_Process] = set()
        self._closed = False
        self._lock = threading.Lock()
        self._slots = threading.Semaphore(CONCURRENCY)

    def invoke(self, event: object) -> object:
        """Answer one event.

        Raises:
            FunctionTimeout: it took longer than the function's timeout.
            FunctionError: it raised, or its process died.
        """
        with self._slots:
            process = self._take()
            try:
                answer = process.ask(json.dumps(event).encode(), self._spec.timeout_s)
            except FunctionError:
                self._drop(process)
                raise
            with self._lock:
                self._idle.append(process)
        if "error" in answer:
            raise FunctionError(answer["error"])
        return answer["answer"]

    def close(self) -> None:
        """Stop every process; whoever waits for an answer, or asks later, gets `FunctionError`."""
        with self._lock:
            self._closed = True
            self._idle.clear()
            processes = list(self._all)
        for process in processes:
            process.kill()

    def _take(self) -> "_Process":
        with self._lock:
            if self._closed:
                raise FunctionError("the function is closed")
            if self._idle:
                return self._idle.pop()
            process = _Process(self._spec, self._environment, self._log)
            self._all.add(process)
        try:
            process.start()
        except FunctionError:
            self._drop(process)
            raise
        return process

    def _drop(self, process: "_Process") -> None:
        process.kill()
        with self._lock:
            self._all.discard(process)


class _Process:
    def __init__(self, spec: FunctionSpec, environment: Mapping[str, str], log: Path) -> None:
        self._connection, theirs = Pipe()
        described = msgspec.json.encode(spec, enc_hook=str).decode()
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "local.worker", str(theirs.fileno()), described],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C in the terminal is the parent's business
            )
        theirs.close()

    def start(self) -> None:
        """Wait until the handler is imported. Raises `FunctionError`."""
        self._receive(_START_TIMEOUT_S)

    def ask(self, event: bytes, timeout_s: int) -> dict[str, dict[str, object]]:
        """Send an event and wait for the answer. Raises `FunctionError`."""
        try:
            self._connection.send_bytes(event)
        except OSError as exc:
            raise FunctionError("the process is gone") from exc
        return self._receive(timeout_s)

    def kill(self) -> None:
        """End the process; it has nothing to lose. Another thread may be waiting for its answer: it reads the end."""
        self._process.kill()
        self._process.wait()

    def _receive(self, timeout_s: int) -> dict[str, dict[str, object]]:
        connection: Connection = self._connection
        if not connection.poll(timeout_s):
            raise FunctionTimeout(f"no answer within {timeout_s} seconds")
        try:
            answer: dict[str, dict[str, object]] = json.loads(connection.recv_bytes())
        except (EOFError, OSError) as exc:
            raise FunctionError("the process ended without an answer") from exc
        return answer
