"""Load the rows of a trained model again, from the task in its manifest."""

import msgspec

from training.data.preparation import PreparedData, prepare
from training.data.splits.split import Split
from training.task import Task
from weir.catalog.manifest import Manifest
from weir.errors import BadInput


def load(manifest: Manifest) -> Split:
    """Load the test split. Raises what `prepared` raises."""
    return prepared(manifest).test


def prepared(manifest: Manifest) -> PreparedData:
    """Load all splits, and check that the data are those of the training.

    Raises:
        BadInput: the data have changed, or are not there.
    """
    data = prepare(msgspec.convert(manifest.provenance.configuration, Task))
    if data.digest != manifest.provenance.data_digest:
        raise BadInput(f"the data are those of the training, of digest {manifest.provenance.data_digest}", data.digest)
    return data
