"""A network of the user's own: an architecture `package.module:function`, for every kind of input.

It is called as `function(input_shape, outputs)`, with the shape of one row, and returns a Keras model from raw rows
`(n, *input_shape)` to logits `(n, outputs)`. Whether its last layer is linear, without a softmax, is the user's word.
"""

import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from training.configured_keras import keras
from weir.catalog.inputs import Input
from weir.errors import BadInput

FORM = "package.module:function"

_PATH = re.compile(r"([^\W\d]\w*(?:\.[^\W\d]\w*)*):([^\W\d]\w*)")
_ROWS = 2
"""that a network is tried on"""
_OUTPUTS = 2
"""of a network that is checked before the labels are known"""


def is_own(architecture: str) -> bool:
    """Tell whether an architecture names a function."""
    return _PATH.fullmatch(architecture) is not None


def check(architecture: str, described: Input) -> None:
    """Build a network and try it. Raises `BadInput`."""
    build(architecture, described, _OUTPUTS, 0)


def build(architecture: str, described: Input, outputs: int, seed: int) -> keras.Model:
    """Build a network from raw rows to logits `(n, outputs)`, with seeded weights.

    Raises:
        BadInput: the function can't be imported or called, or returns no such network.
    """
    function = _imported(architecture)
    keras.utils.set_random_seed(seed)
    try:
        model = function(described.row_shape, outputs)
    except Exception as exc:  # the function is the user's, and raises whatever it met
        raise BadInput(f"{architecture} can be called with {described.row_shape}, {outputs}", _shown(exc)) from exc
    if not isinstance(model, keras.Model):
        raise BadInput(f"{architecture} returns a keras.Model", type(model).__name__)
    _try(model, architecture, described, outputs)
    return model


def _imported(architecture: str) -> Callable[[tuple[int, ...], int], object]:
    """Import a function; its module may lie in the folder that the command is run in."""
    module, name = architecture.split(":")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    importlib.invalidate_caches()
    try:
        function = getattr(importlib.import_module(module), name, None)
    except Exception as exc:  # a module may raise whatever it met
        raise BadInput(f"the module of {architecture} can be imported", _shown(exc)) from exc
    if not callable(function):
        raise BadInput(f"{module} has a function {name}", "nothing" if function is None else type(function).__name__)
    return function  # type: ignore[no-any-return]


def _try(model: keras.Model, architecture: str, described: Input, outputs: int) -> None:
    """Refuse a network that does not give finite logits for rows of zeros."""
    rows = np.zeros((_ROWS, *described.row_shape), described.dtype)
    try:
        logits = np.asarray(model(rows, training=False))
    except Exception as exc:  # layers raise whatever they met
        raise BadInput(f"{architecture} reads rows of shape {described.row_shape}", _shown(exc)) from exc
    if logits.shape != (_ROWS, outputs):
        got = f"{logits.shape} from {_ROWS} rows"
        raise BadInput(f"{architecture} returns logits of shape (rows, {outputs})", got)
    if not np.isfinite(logits).all():
        raise BadInput(f"the logits of {architecture} are finite", logits)


def _shown(exc: Exception) -> str:
    return f"{type(exc).__name__}: {exc}"
