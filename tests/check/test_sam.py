"""The parts of AWS that one machine can check: validation, build, the built handlers, `sam local invoke`."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest

from local import template
from local.system import TEMPLATE
from tests.check.samcli import BUCKET, SAM, environment, overrides, sam
from tests.serving import ROOT, digits_manifest, store_version

pytestmark = [pytest.mark.check, pytest.mark.xdist_group("sam")]

FUNCTIONS = sorted(template.read(TEMPLATE).functions)
EVENTS = {
    "PredictFunction": "predict",
    "CascadeFunction": "cascade",
    "ModelsFunction": "models-metadata",
    "BatchFunction": "batch-csv",
}
NEWEST = {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 29), "CXXABI": (1, 3, 13)}
"""of Amazon Linux 2023 (glibc 2.34, GCC 11), on which Lambda's python3.12 runs"""

ALONE = """
import json, sys
sys.path[:] = [path for path in sys.path if "site-packages" not in path] + sys.argv[1:4]
import app, weir
assert app.__file__.startswith(sys.argv[1]), app.__file__
assert weir.__file__.startswith(sys.argv[3]), weir.__file__
class Context:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "x"
    def get_remaining_time_in_millis(self): return 1000
print(json.dumps(app.handler(json.load(open(sys.argv[4])), Context())))
"""


@pytest.mark.parametrize("arguments", [["validate"], ["validate", "--lint"]], ids=" ".join)
def test_the_template_is_valid(arguments: list[str]) -> None:
    """The template passes SAM's own rules and the linter that SAM brings."""
    done = sam(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linter_finds_nothing() -> None:
    """cfn-lint prints neither errors nor warnings."""
    done = subprocess.run(
        [SAM.with_name("cfn-lint"), TEMPLATE], env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_built_handler_runs_by_itself(built: Path, python312: str, function: str, tmp_path: Path) -> None:
    """A handler answers in an isolated Python 3.12 with its folder and the layers only, as on Lambda."""
    store_version(tmp_path, digits_manifest())
    for path, content in {"batches/in/mnist-sample/a folder/sample=1.csv": ",".join(["0"] * 784)}.items():
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(content)
    folders = [built / name for name in (function, "RuntimeLayer/python", "WeirLayer/python")]
    done = subprocess.run(
        [python312, "-I", "-S", "-c", ALONE, *folders, ROOT / f"events/{EVENTS[function]}.json"],
        env={
            "MODEL_STORE": tmp_path.as_uri(),
            "POWERTOOLS_SERVICE_NAME": "weir",
            "POWERTOOLS_METRICS_NAMESPACE": "Weir",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    _is_answered(function, json.loads(done.stdout.splitlines()[-1]))


def test_the_layers_need_no_newer_symbols_than_lambda_has(built: Path, objdump: str) -> None:
    """No library of a layer needs a newer symbol than Amazon Linux 2023 has."""
    libraries = list((built / "RuntimeLayer").rglob("*.so*"))
    assert len(libraries) > 10
    newest: dict[str, tuple[int, ...]] = dict.fromkeys(NEWEST, (0,))
    for library in libraries:
        symbols = subprocess.run([objdump, "-T", library], capture_output=True, text=True, check=True).stdout
        for name, version in re.findall(r"\b(GLIBC|GLIBCXX|CXXABI)_([\d.]+)", symbols):
            needed = tuple(map(int, version.split(".")))
            assert needed <= NEWEST[name], (library, name, version)
            newest[name] = max(newest[name], needed)
    print("newest symbols needed:", *(f"{name}_{'.'.join(map(str, needed))}" for name, needed in newest.items()))
    assert newest["GLIBC"] > (2,)


def test_the_layers_are_compiled_and_small_enough(built: Path) -> None:
    """Each module has bytecode that is valid whatever its date, and everything unpacks to under 250 MB."""
    for layer in ("RuntimeLayer", "WeirLayer"):
        for source in (built / layer).rglob("*.py"):
            compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-312.pyc"
            assert compiled.read_bytes()[4:8] == b"\x01\x00\x00\x00", source  # unchecked hash: PEP 552
    size_mb = sum(path.stat().st_size for path in built.rglob("*") if path.is_file()) / 1e6
    print(f"functions and layers unpacked: {size_mb:.0f} MB")
    assert size_mb < 250


@pytest.mark.parametrize("function", FUNCTIONS)
def test_sam_local_invoke(built: Path, image: str, store_endpoint: str, function: str) -> None:
    """Each function answers its sample event in a container with Lambda's runtime interface."""
    event = ROOT / f"events/{EVENTS[function]}.json"
    done = sam(
        *("local", "invoke", function, "-e", event, "--invoke-image", image, "--skip-pull-image"),
        *overrides(store_endpoint),
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    print(f"\nsam local invoke {function} -e events/{event.name}:\n{json.dumps(answer)}")
    _is_answered(function, answer)
    if function == "BatchFunction":
        _is_stored(store_endpoint)


def _is_answered(function: str, answer: dict[str, Any]) -> None:
    if function == "BatchFunction":
        assert answer == {"batchItemFailures": []}
    else:
        assert answer["statusCode"] == 200


def _is_stored(endpoint: str) -> None:
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    key = "batches/out/mnist-sample/a folder/sample=1.csv/summary.json"
    summary = json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    assert (summary["rows"], summary["answered"]) == (2, 2)
