"""local.function: handlers in processes of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.function import CONCURRENCY, Function, FunctionError, FunctionTimeout
from local.template import FunctionSpec
from tests.integration.local.processes import alive, eventually


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def function(spec: FunctionSpec, log: Path) -> Iterator[Function]:
    """The obedient function, stopped at the end."""
    function = Function(spec, {"MODEL_STORE": "system"}, log)
    yield function
    function.close()


def test_a_handler_is_called_as_lambda_does(function: Function, spec: FunctionSpec, log: Path) -> None:
    """It gets the event and a context, has its folder first on the path, and prints to the log."""
    answer = function.invoke({"what": "echo", "nested": {"ä": [1, None]}})
    assert answer == {
        "event": {"what": "echo", "nested": {"ä": [1, None]}},
        "name": "Obedient",
        "cwd_on_path": str(spec.folder),
    }
    remaining = function.invoke({"what": "remaining"})
    assert isinstance(remaining, int)
    assert 0 < remaining <= 2000
    assert "imported" in log.read_text()


def test_its_environment_is_its_own(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the template's variables, overridden by the system's, and none of the caller's."""
    variables = function.invoke({"what": "environment"})
    assert isinstance(variables, dict)
    assert (variables["FROM_TEMPLATE"], variables["MODEL_STORE"]) == ("1", "system")
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == "Obedient"
    assert "PYTEST_CURRENT_TEST" not in variables


def test_a_process_answers_one_event_after_another(function: Function) -> None:
    """A warm process is used for the next event."""
    assert len({function.invoke({"what": "pid"}) for _ in range(5)}) == 1


def test_concurrent_invocations_have_processes_of_their_own(function: Function) -> None:
    """Their number has a limit; further invocations wait, and all are answered."""
    with ThreadPoolExecutor(8) as pool:
        pids = set(pool.map(lambda _: function.invoke({"what": "pid", "s": 0.3}), range(8)))
    assert 1 < len(pids) <= CONCURRENCY


def test_a_handler_that_raises_keeps_its_process(function: Function, log: Path) -> None:
    """The invocation fails, and the log has the traceback."""
    pid = function.invoke({"what": "pid"})
    with pytest.raises(FunctionError, match="handler's own"):
        function.invoke({"what": "raise"})
    assert function.invoke({"what": "pid"}) == pid
    assert "ValueError: handler's own" in log.read_text()


def test_an_answer_that_is_no_json_fails(function: Function) -> None:
    """The invocation fails, as on Lambda."""
    with pytest.raises(FunctionError, match="not JSON serializable"):
        function.invoke({"what": "unserializable"})


def test_a_process_that_dies_is_replaced(function: Function) -> None:
    """The invocation fails, and the next one has a new process."""
    with pytest.raises(FunctionError, match="ended without an answer"):
        function.invoke({"what": "die"})
    assert function.invoke({"what": "pid"})


def test_a_process_that_was_killed_while_idle_is_replaced(function: Function) -> None:
    """One invocation may fail; the next one has a new process."""
    pid = function.invoke({"what": "pid"})
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not alive(pid))
    with pytest.raises(FunctionError):
        function.invoke({"what": "pid"})
    assert function.invoke({"what": "pid"}) != pid


def test_a_handler_that_takes_too_long_is_stopped(function: Function) -> None:
    """After the timeout its process is gone, and the next invocation has a new one."""
    pid = function.invoke({"what": "pid"})
    assert isinstance(pid, int)
    with pytest.raises(FunctionTimeout, match="within 2 seconds"):
        function.invoke({"what": "sleep", "s": 60})
    assert not alive(pid)
    assert function.invoke({"what": "sleep", "s": 0}) == "slept"


def test_a_handler_that_cannot_be_imported_fails_each_time(spec: FunctionSpec, log: Path) -> None:
    """The log has the reason, and no invocation hangs."""
    (spec.folder / "app.py").write_text("raise RuntimeError('no start')")
    function = Function(spec, {}, log)
    for _ in range(2):
        with pytest.raises(FunctionError):
            function.invoke({})
    function.close()
    assert "no start" in log.read_text()


def test_close_leaves_no_process(spec: FunctionSpec, log: Path) -> None:
    """Closing a function ends its processes."""
    function = Function(spec, {}, log)
    pid = function.invoke({"what": "pid"})
    assert isinstance(pid, int)
    function.close()
    assert not alive(pid)


def test_close_ends_running_and_later_invocations(spec: FunctionSpec, log: Path, tmp_path: Path) -> None:
    """A running invocation fails at once, and a later one starts no process."""
    function = Function(spec, {}, log)
    busy = tmp_path / "busy"
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(function.invoke, {"what": "busy", "file": str(busy)})
        assert eventually(busy.exists)
        function.close()
        with pytest.raises(FunctionError, match="ended without an answer"):
            waiting.result(timeout=20)
    with pytest.raises(FunctionError, match="is closed"):
        function.invoke({})


def test_an_answer_has_a_size_limit(function: Function) -> None:
    """It is six megabytes, as on Lambda; the process stays."""
    pid = function.invoke({"what": "pid"})
    with pytest.raises(FunctionError, match="at most 6,291,556 bytes"):
        function.invoke({"what": "big"})
    assert function.invoke({"what": "pid"}) == pid


def test_the_working_directory_is_not_on_the_path(
    spec: FunctionSpec, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Modules in it are not imported, for Lambda does not have it."""
    for name in ("local", "weir"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('the wrong one')")
    monkeypatch.chdir(tmp_path)
    function = Function(spec, {}, log)
    assert function.invoke({"what": "pid"})
    function.close()


_PARENT = """
import sys
from pathlib import Path
from local.function import Function
from local.template import FunctionSpec
folder, log, busy = map(Path, sys.argv[1:])
function = Function(FunctionSpec("F", folder, "app.handler", 60, 128, {}), {}, log)
print(function.invoke({"what": "pid"}), flush=True)
function.invoke({"what": "busy", "file": str(busy)})
"""


def test_a_parent_that_is_killed_leaves_no_process(spec: FunctionSpec, log: Path, tmp_path: Path) -> None:
    """A worker ends with its parent, even while its handler is busy."""
    busy = tmp_path / "busy"
    command = [sys.executable, "-c", _PARENT, str(spec.folder), str(log), str(busy)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert eventually(busy.exists)
        assert alive(pid)
        parent.kill()
    assert eventually(lambda: not alive(pid))
