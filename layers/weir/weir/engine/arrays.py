"""The arrays that decisions work on."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

LEAST_PROBABILITY = 1e-30
"""stands for a probability of zero where its logarithm is needed"""
