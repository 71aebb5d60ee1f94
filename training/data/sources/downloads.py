"""Data sets that Keras downloads once, into its own cache."""

import numpy as np

from training.data.dataset import Dataset
from training.modalities.picture.reading import grey
from weir.errors import Unavailable


def load(keras_name: str, label_names: tuple[str, ...]) -> Dataset:
    """Load a data set of `keras.datasets`: 28x28 pictures, with a test set of their own.

    Raises:
        Unavailable: it is not in the cache, and the download failed.
    """
    from training.configured_keras import keras  # noqa: PLC0415 (five seconds, and only this needs it)

    try:
        (images, labels), (test_images, test_labels) = getattr(keras.datasets, keras_name).load_data()
    except Exception as exc:  # Keras raises Exception itself for a download that failed
        raise Unavailable(f"Keras did not download {keras_name}, which is not in ~/.keras/datasets", exc) from exc
    pictures = np.concatenate([images, test_images])
    return Dataset(pictures, np.concatenate([labels, test_labels]), label_names, (grey(pictures),), len(images))
