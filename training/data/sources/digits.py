"""scikit-learn's 1,797 handwritten digits, 8x8, values 0 to 16."""

from sklearn.datasets import load_digits

from training.data.dataset import Dataset
from training.modalities.picture.reading import grey


def load() -> Dataset:
    """Load them; no test set of their own."""
    digits = load_digits()
    return Dataset(digits.images, digits.target, tuple("0123456789"), (grey(digits.images, white=16.0),))
