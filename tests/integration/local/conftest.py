"""A function whose events control what it does."""

from pathlib import Path

import pytest

from local.template import FunctionSpec

HANDLER = """
import os, pathlib, sys, time
print("imported", flush=True)
def handler(event, context):
    what = event.get("what")
    if what == "echo": return {"event": event, "name": context.function_name, "cwd_on_path": sys.path[0]}
    if what == "remaining": return context.get_remaining_time_in_millis()
    if what == "environment": return dict(os.environ)
    if what == "raise": raise ValueError("handler's own")
    if what == "die": os._exit(3)
    if what == "sleep": time.sleep(event["s"]); return "slept"
    if what == "unserializable": return {1, 2}
    if what == "pid": time.sleep(event.get("s", 0)); return os.getpid()
    if what == "big": return {"statusCode": 200, "body": "x" * 6_291_556}
    if what == "busy": pathlib.Path(event["file"]).write_text(str(os.getpid())); time.sleep(60)
    return {"statusCode": 200, "body": context.invoked_function_arn}
"""


@pytest.fixture
def spec(tmp_path: Path) -> FunctionSpec:
    """A function whose events name what it does, with a timeout of two seconds."""
    folder = tmp_path / "function"
    folder.mkdir()
    (folder / "app.py").write_text(HANDLER)
    return FunctionSpec("Obedient", folder, "app.handler", 2, 128, {"FROM_TEMPLATE": "1", "MODEL_STORE": "template"})
