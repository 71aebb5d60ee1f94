"""Data sets by name, one file each."""

from collections.abc import Callable

from training.data.dataset import Dataset
from training.data.sources import digits, fashion_mnist, mnist, mnist_sample, npz
from training.task import Data
from weir.errors import BadInput

SOURCES: dict[str, Callable[[Data], Dataset]] = {
    "mnist-sample": lambda _: mnist_sample.load(),
    "digits": lambda _: digits.load(),
    "fashion-mnist": lambda _: fashion_mnist.load(),
    "mnist": lambda _: mnist.load(),
    "npz": lambda data: npz.load(data.path, data.memory_mb << 20),
}


def load(data: Data) -> Dataset:
    """Load a task's data.

    Raises:
        BadInput: no such source, or its file breaks a rule.
        Unavailable: it must be downloaded, and that failed.
    """
    if data.source not in SOURCES:
        raise BadInput(f"data.source is one of {', '.join(SOURCES)}", data.source)
    return SOURCES[data.source](data)
