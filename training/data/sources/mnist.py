"""MNIST's 70,000 handwritten digits, 28x28, downloaded by Keras."""

from training.data.dataset import Dataset
from training.data.sources import downloads


def load() -> Dataset:
    """Load them, with their own test set. Raises `Unavailable`."""
    return downloads.load("mnist", tuple("0123456789"))
