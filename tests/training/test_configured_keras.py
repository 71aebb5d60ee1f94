"""training.configured_keras, in processes of their own: Keras reads its settings once, when it is imported."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import hashlib
import numpy as np
from training.export.convert import convert
from training.modalities import modality_of
from training.modalities.picture.reading import grey
from training.task import NetworkSpec
rows = np.linspace(0, 255, 5 * 28 * 28, dtype=np.float32).reshape(5, 28, 28)
described = grey(rows)
spec = NetworkSpec(name="n", architecture="conv-small")
model = modality_of([described]).build(spec, 10, 1, None)
print(hashlib.sha256(convert(model, [described], "int8", rows)).hexdigest(), np.asarray(model(rows)).sum())
"""
"""builds and converts a network, and prints what came of it"""


def _run(home: Path, code: str = SCRIPT, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "KERAS_HOME": str(home), "PYTHONWARNINGS": "ignore", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What comes of a network where nobody has set anything."""
    return _run(tmp_path_factory.mktemp("keras")).stdout


@pytest.mark.parametrize(
    ("settings", "variables"),
    [
        ({}, {"KERAS_BACKEND": "jax"}),
        ({"backend": "torch"}, {}),
        ({"image_data_format": "channels_first", "epsilon": 0.5}, {"KERAS_BACKEND": "torch"}),
        ({"floatx": "float16"}, {"KERAS_MAX_EPOCHS": "many", "TF_USE_LEGACY_KERAS": "1"}),
    ],
)
def test_networks_are_the_same_whatever_keras_is_told(
    expected: str, tmp_path: Path, settings: dict[str, object], variables: dict[str, str]
) -> None:
    """Backend, order of the channels and floating-point type are Weir's own: the same bytes come out."""
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    done = _run(tmp_path, **variables)
    assert len(expected.split()) == 2
    assert done.stdout == expected, done.stderr[-1000:]


@pytest.mark.parametrize("content", ["[1]", '{"floatx": "bfloat16"}', '{"image_data_format": 3}', '{"epsilon": 1}'])
def test_a_keras_json_that_keras_refuses_is_bad_input(tmp_path: Path, content: str) -> None:
    """The command names the file and its fault in one line."""
    (tmp_path / "keras.json").write_text(content)
    done = _run(tmp_path, "from training.cli import main; main(['train', 'digits', '--out', '/nowhere/out'])")
    assert done.returncode == 2
    assert done.stderr.startswith("weir: Keras reads its keras.json, in ~/.keras or KERAS_HOME. Got: ")
    assert done.stderr.count("\n") == 1


def test_keras_on_another_backend_is_refused(tmp_path: Path) -> None:
    """A program that imported Keras first, with another backend, gets a rule and no wrong network."""
    code = (
        "import sys, types\n"
        "keras = types.ModuleType('keras'); keras.config = types.SimpleNamespace(backend=lambda: 'torch')\n"
        "sys.modules['keras'] = keras\n"
        "import training.configured_keras"
    )
    done = _run(tmp_path, code)
    assert "BadInput: Weir trains with Keras on TensorFlow: set KERAS_BACKEND=tensorflow. Got: torch" in done.stderr
