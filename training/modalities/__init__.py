"""The kinds of input that training knows; each has a package, such as `picture`, and in it a `Modality`.

The rooms `data`, `learning`, `levels` and `client` call `modality_of(input)`, and know nothing of pixels themselves.
A further kind needs a variant of `weir.catalog.inputs.Input`, a package here with a class that implements
`modality.Modality`, a case below, and a data source in `training.data.sources` that describes its rows with that input.
"""

from training.modalities.modality import Modality
from training.modalities.picture.modality import PictureModality
from weir.catalog.inputs import Input, Picture
from weir.errors import BadInput


def modality_of(described: Input) -> Modality:
    """Choose the modality of an input. Raises `BadInput` for a kind that training does not know."""
    match described:
        case Picture():
            return PictureModality(described)
        case _:
            raise BadInput("networks are trained on inputs of the kind picture", f"{described.name}")
