"""The kinds of input that training knows; each has a package, such as `picture`, and in it a `Modality`.

The rooms `data`, `learning`, `levels` and `client` call `modality_of(inputs)`, and know nothing of pixels themselves.
A further kind needs a variant of `weir.catalog.inputs.Input`, a package here with a class that implements
`modality.Modality`, a case below, and a data source that describes its rows with that input.
"""

from collections.abc import Sequence

from training.modalities.modality import Modality
from training.modalities.picture.modality import PictureModality
from training.modalities.several import several
from training.modalities.table.modality import TableModality
from training.modalities.text.modality import TextModality
from weir.catalog.inputs import Input, Picture, Table, Tensor, Text
from weir.errors import BadInput


def modality_of(inputs: Sequence[Input]) -> Modality:
    """Choose the modality of the inputs of a row. Raises `BadInput` for a kind that training does not know."""
    return several([(one, _modality(one)) for one in inputs])


def _modality(one: Input) -> Modality:
    match one:
        case Picture():
            return PictureModality(one)
        case Table():
            return TableModality(one)
        case Text():
            return TextModality(one)
        case Tensor():
            raise BadInput("networks are trained on pictures, tables and texts", f"the tensor {one.name}")
