"""The layers that Keras does not have, of networks of every kind: it reads their files with these."""

from typing import Any

from training.modalities.text.layers import Bias, Hashed, WeightedSum

LAYERS: dict[str, Any] = {layer.__name__: layer for layer in (Bias, Hashed, WeightedSum)}
"""name in files -> class"""
