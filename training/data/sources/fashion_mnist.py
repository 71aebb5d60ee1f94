"""Fashion-MNIST's 70,000 pictures of clothes, 28x28: Debian's package has them, else Keras downloads them."""

import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data.dataset import Dataset
from training.data.sources import downloads
from training.modalities.picture.reading import grey
from weir.errors import BadInput

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
"""where the package `dataset-fashion-mnist` installs them"""

LABELS = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

_MAGIC = {3: b"\0\0\x08\x03", 1: b"\0\0\x08\x01"}
"""IDX files of bytes, by their number of dimensions"""


def load(folder: Path = DEBIAN) -> Dataset:
    """Load them, with their own test set. Raises `BadInput` for damaged files, `Unavailable` for a failed download."""
    if not folder.is_dir():
        return downloads.load("fashion_mnist", LABELS)
    images = [_idx(folder / f"{part}-images-idx3-ubyte.gz", 3) for part in ("train", "t10k")]
    labels = [_idx(folder / f"{part}-labels-idx1-ubyte.gz", 1) for part in ("train", "t10k")]
    pictures = np.concatenate(images)
    return Dataset(pictures, np.concatenate(labels), LABELS, (grey(pictures),), len(images[0]))


def _idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Read an IDX file (http://yann.lecun.com/exdb/mnist): a magic number, sizes as big-endian int32, bytes."""
    try:
        content = gzip.decompress(path.read_bytes())
        sizes = np.frombuffer(content, ">i4", dimensions, offset=4)
        if content[:4] != _MAGIC[dimensions]:
            raise BadInput("an IDX file begins with its magic number", content[:4])
        return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(sizes.tolist())
    except (OSError, EOFError, ValueError) as exc:
        raise BadInput(f"{path} is a gzipped IDX file of {dimensions} dimensions", exc) from exc
