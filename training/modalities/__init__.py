"""The kinds of input that training knows; each has a package, such as `picture`, and in it a `Modality`.

The rooms `data`, `learning`, `levels` and `client` call `modality_of(input)`, and know nothing of pixels themselves.
A further kind needs a variant of `weir.catalog.inputs.Input`, a package here with a class that implements
`modality.Modality`, a case below, and a data source in `training.data.sources` that describes its rows with that input.
"""

from collections.abc import Sequence

from training.modalities.modality import Modality
from training.modalities.picture.modality import PictureModality
from training.modalities.table.modality import TableModality
from training.modalities.text.modality import TextModality
from weir.catalog.inputs import Input, Picture, Table, Tensor, Text
from weir.errors import BadInput


def modality_of(described: Input, columns: Sequence[str] = ()) -> Modality:
    """Choose the modality of an input, for networks that read some columns of it; none: all of it.

    Raises:
        BadInput: training does not know this kind, or networks name columns that the input does not have.
    """
    if columns and not isinstance(described, Table):
        raise BadInput("only networks of a table read some of its columns", ", ".join(columns))
    match described:
        case Picture():
            return PictureModality(described)
        case Table():
            return TableModality(described, tuple(columns))
        case Text():
            return TextModality(described)
        case Tensor():
            raise BadInput("networks are trained on pictures, tables and texts", f"the tensor {described.name}")
