"""What all networks of a table begin with: raw values in, standardised numbers and their encoding out.

The statistics are weights that are not trained, so that they are saved and converted with the network.
"""

from typing import Any

from training.configured_keras import keras
from training.modalities.table.statistics import Statistics

ops = keras.ops

_FARTHEST = 100.0
"""in units of the scale; without a limit, an infinite value would become NaN"""
_BEND = 3.0
"""distance from the median, in units of the scale, from which numbers are compressed"""


@keras.saving.register_keras_serializable("weir")
class TableFront(keras.Layer):  # type: ignore[misc] # keras has no types
    """Turns rows `(n, values)` into one or two tensors: numbers, and what has values from 0 to 1, if there is any.

    Numbers `z = r / sqrt(1 + (r / 3)^2)` of `r = (number - median) / scale` lie within -3 and 3. The others are the
    piecewise-linear encoding `clip((number - low) / width, 0, 1)`, the masks of missing numbers, and the one-hots.
    """

    def __init__(
        self,
        *,
        numbers: list[int],
        masked: list[int],
        bins: list[int],
        codes: list[int],
        optional: bool = True,
        **of_layers: Any,  # noqa: ANN401 (whatever Keras gives its layers)
    ) -> None:
        """Take the places of a `Statistics`."""
        super().__init__(**of_layers)
        self.numbers, self.masked, self.bins, self.codes = numbers, masked, bins, codes
        self.optional = optional

    @classmethod
    def of(cls, statistics: Statistics) -> "TableFront":
        """Make the layer of fitted statistics."""
        front = cls(
            numbers=list(statistics.numbers),
            masked=list(statistics.masked),
            bins=list(statistics.bins),
            codes=list(statistics.codes),
            optional=statistics.optional,
        )
        front.build((None, 1))
        values = (statistics.median, statistics.inverse_scale, statistics.low, statistics.width, statistics.code)
        front.set_weights(list(values))
        return front

    def build(self, input_shape: object = None) -> None:  # noqa: ARG002 (as Keras calls it)
        """Make room for the statistics."""
        sizes = {"median": self.numbers, "inverse_scale": self.numbers, "low": self.bins, "width": self.bins}
        for name, places in {**sizes, "code": self.codes}.items():
            setattr(self, name, self.add_weight((len(places),), "ones", name=name, trainable=False))

    def call(self, rows: keras.KerasTensor) -> list[keras.KerasTensor]:
        """Encode rows `(n, values)`; a kind of which the table has none is left out."""
        encoded, between = [], []
        if self.numbers:
            numbers = self._taken(rows)
            missing = ops.not_equal(numbers, numbers)
            if self.optional:
                numbers = ops.where(missing, self.median, numbers)  # first: minimum and maximum keep NaN
            scaled = ops.clip((numbers - self.median) * self.inverse_scale, -_FARTHEST, _FARTHEST)
            encoded.append(scaled * ops.rsqrt(1 + ops.square(scaled / _BEND)))
            if self.bins:
                between.append(ops.clip((ops.take(numbers, self.bins, axis=1) - self.low) / self.width, 0.0, 1.0))
            if self.masked:
                between.append(ops.cast(ops.take(missing, self.masked, axis=1), "float32"))
        if self.codes:
            between.append(ops.cast(ops.equal(ops.take(rows, self.codes, axis=1), self.code), "float32"))
        joined = [ops.concatenate(between, axis=1)] if len(between) > 1 else between
        return [*encoded, *joined]

    def _taken(self, rows: keras.KerasTensor) -> keras.KerasTensor:
        """Take the numbers; where they are all there is, without an operation that would copy them one by one."""
        return rows if self.numbers == list(range(rows.shape[-1])) else ops.take(rows, self.numbers, axis=1)

    def get_config(self) -> dict[str, Any]:
        """Return the places; Keras saves the statistics as weights."""
        places = {"numbers": self.numbers, "masked": self.masked, "bins": self.bins, "codes": self.codes}
        return {**super().get_config(), **places, "optional": self.optional}
