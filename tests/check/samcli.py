"""The SAM CLI, as these tests run it."""

import os
import subprocess
from pathlib import Path

from tests.serving import ROOT

SAM = ROOT / ".venv-sam/bin/sam"
PYTHON = SAM.with_name("python3.12")
BUCKET = "weir-store"
BUILD = ROOT / ".aws-sam/build"

_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": "us-east-1"}


def environment() -> dict[str, str]:
    """The person's own, with a python3.12 that runs, credentials that are none, and no look-ups of an account."""
    path = f"{PYTHON.resolve().parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **_CREDENTIALS, "PATH": path, "AWS_MAX_ATTEMPTS": "1", "SAM_CLI_TELEMETRY": "0"}


def sam(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the SAM CLI in the repository."""
    return subprocess.run(
        [SAM, *map(str, arguments)], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )
