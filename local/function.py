"""A function and its execution environments: one process for each concurrent invocation."""

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
from weir import proxies

CONCURRENCY = 4
"""concurrent invocations of one function; further ones wait"""

_START_TIMEOUT_S = 60
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_PASSED_ON = (
    *("PATH", "HOME", "LANG", "TMPDIR", "COVERAGE_PROCESS_CONFIG"),
    *(*proxies.VARIABLES, *proxies.EXCEPTIONS, *_CERTIFICATES),
)
"""variables that a function shares with this process: the store may be behind a proxy"""


class FunctionError(Exception):
    """The invocation failed: the function raised, or its process died."""


class FunctionTimeout(FunctionError):
    """The function took longer than its timeout and was stopped."""


class Function:
    """Invoke a handler as Lambda does: in its own process, with its own variables, one event at a time."""

    def __init__(self, spec: FunctionSpec, environment: Mapping[str, str], log: Path) -> None:
        """Describe a function; its first process starts with the first event.

        Args:
            spec: its description in the template.
            environment: variables that add to those of the template or override them.
            log: file to which the processes print.
        """
        self._spec, self._log = spec, log
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        lambdas = {
            "AWS_LAMBDA_FUNCTION_NAME": spec.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
            "LAMBDA_TASK_ROOT": str(spec.folder),
        }
        self._environment = {**passed_on, **lambdas, **spec.environment, **environment}
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
                answer = process.invoke(json.dumps(event).encode(), self._spec.timeout_s)
            except FunctionError:
                self._discard(process)
                raise
            with self._lock:
                self._idle.append(process)
        if "error" in answer:
            raise FunctionError(answer["error"])
        return answer["answer"]

    def close(self) -> None:
        """Stop every process; running and later invocations raise `FunctionError`."""
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
            try:
                process = _Process(self._spec, self._environment, self._log)
            except OSError as exc:  # no file descriptors, memory or disk
                raise FunctionError("its process could not be started") from exc
            self._all.add(process)
        try:
            process.start()
        except FunctionError:
            self._discard(process)
            raise
        return process

    def _discard(self, process: "_Process") -> None:
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
                start_new_session=True,  # Ctrl-C in the terminal reaches the parent only
            )
        theirs.close()

    def start(self) -> None:
        """Wait until the handler is imported. Raises `FunctionError`."""
        self._receive(_START_TIMEOUT_S)

    def invoke(self, event: bytes, timeout_s: int) -> dict[str, dict[str, object]]:
        """Send an event and wait for the answer. Raises `FunctionError`."""
        try:
            self._connection.send_bytes(event)
        except OSError as exc:
            raise FunctionError("the process has ended") from exc
        return self._receive(timeout_s)

    def kill(self) -> None:
        """End the process; another thread that waits for its answer reads the end of the connection."""
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
