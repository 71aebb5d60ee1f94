"""What a cold start pays for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import ROOT

_HEAVY = ("boto3", "botocore.session", "tensorflow", "keras", "pydantic", "PIL", "sklearn", "requests")


@pytest.mark.parametrize("name", ["predict", "cascade", "models", "batch"])
def test_importing_a_handler_is_cheap(name: str, tmp_path: Path) -> None:
    """It imports nothing heavy, and reads no store: one that does not exist is not noticed."""
    code = f"""
import sys, runpy
runpy.run_path({str(ROOT / "functions" / name / "app.py")!r})
print([module for module in {_HEAVY!r} if module in sys.modules])
"""
    environment = {
        "PATH": os.environ["PATH"],
        "MODEL_STORE": "s3://no-such-bucket",
        "MODEL_STORE_ENDPOINT": "http://127.0.0.1:9",
        "AWS_REGION": "us-east-1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
