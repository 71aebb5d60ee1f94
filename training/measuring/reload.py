"""The rows of a trained model, its test split above all, made again from its task."""

import msgspec

from training.data.preparation import PreparedData, prepare
from training.data.split import Split
from training.task import Task
from weir.catalog.manifest import Manifest
from weir.errors import BadInput


def load(manifest: Manifest) -> Split:
    """Make the test split again. Raises what `prepared` raises."""
    return prepared(manifest).test


def prepared(manifest: Manifest) -> PreparedData:
    """Make all splits again, and check that the data are those of the training.

    Raises:
        BadInput: the data have changed, or are not there.
    """
    found = prepare(msgspec.convert(manifest.provenance.configuration, Task))
    if found.digest != manifest.provenance.data_digest:
        raise BadInput(f"the data are those of the training, of digest {manifest.provenance.data_digest}", found.digest)
    return found
