"""What the description of a network may say for a model of one input."""

from training.task import NetworkSpec
from weir.errors import BadInput


def architecture(spec: NetworkSpec) -> str:
    """Return the only architecture of a network. Raises `BadInput` for several, which are for several inputs."""
    if not isinstance(spec.architecture, str):
        raise BadInput("a network of a model with one input has one architecture", f"{spec.name}: {spec.architecture}")
    return spec.architecture


def check_columns(spec: NetworkSpec) -> None:
    """Refuse columns for an input that has none. Raises `BadInput`."""
    if spec.columns:
        raise BadInput("only networks of a table read some of its columns", ", ".join(spec.columns))
