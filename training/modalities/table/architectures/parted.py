"""Layers of several parts of one vector, of which each part has values of its own range.

A quantized product has one range for all of its inputs. With a product for each part, numbers far from the median do
not coarsen the encoding beside them.
"""

from collections.abc import Sequence
from typing import Any

from training.configured_keras import keras

ops = keras.ops

_FASTER = 6.0
"""times the learning rate of the other weights: Adam's step is as large whatever the gradient's scale"""


@keras.saving.register_keras_serializable("weir")
class PartedDense(keras.Layer):  # type: ignore[misc] # keras has no types
    """A dense layer `(n, units)` of the concatenation of its inputs, each `(n, values)` and first scaled by value.

    The learned scale of a value starts at 1, and is learned faster (RealMLP: Holzmüller et al. 2024, arXiv 2407.04491).
    A layer that is the whole network has no such scales: with them it was less accurate, and much less so with dynamic
    quantization. It starts at zero.
    """

    def __init__(
        self,
        units: int,
        *,
        linear: bool = False,
        **of_layers: Any,  # noqa: ANN401 (whatever Keras gives its layers)
    ) -> None:
        """Describe the layer; `linear`: it is the whole network."""
        super().__init__(**of_layers)
        self.units, self.linear = units, linear

    def build(self, shapes: Sequence[tuple[int | None, int]]) -> None:
        """Make the weights: the kernels are parts of one."""
        sizes = [shape[-1] for shape in shapes]
        whole = keras.initializers.Zeros() if self.linear else keras.initializers.GlorotUniform()
        rows = whole((sum(sizes), self.units))
        self.scales, self.kernels, start = [], [], 0
        for number, size in enumerate(sizes):
            if not self.linear:
                self.scales.append(self.add_weight((size,), "zeros", name=f"scale_{number}"))
            self.kernels.append(self.add_weight((size, self.units), "zeros", name=f"kernel_{number}"))
            self.kernels[-1].assign(rows[start : start + size])
            start += size
        self.bias = self.add_weight((self.units,), "zeros", name="bias")

    def call(self, parts: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
        """Scale the parts, multiply each with its kernel, and add."""
        scaled = parts
        if not self.linear:
            scaled = [part * (1 + _FASTER * scale) for part, scale in zip(parts, self.scales, strict=True)]
        products = [ops.matmul(part, kernel) for part, kernel in zip(scaled, self.kernels, strict=True)]
        return sum(products[1:], products[0]) + self.bias

    def compute_output_shape(self, shapes: Sequence[tuple[int | None, int]]) -> tuple[int | None, int]:
        """Return `(n, units)`."""
        return shapes[0][0], self.units

    def get_config(self) -> dict[str, Any]:
        """Return the description."""
        return {**super().get_config(), "units": self.units, "linear": self.linear}
