"""The test split that a trained model was measured on, made again from its task."""

import msgspec

from training.data.preparation import prepare
from training.data.split import Split
from training.task import Task
from weir.errors import BadInput
from weir.manifest import Manifest


def load(manifest: Manifest) -> Split:
    """Make the test split again, and check that the data are those of the training.

    Raises:
        BadInput: the data have changed, or are not there.
    """
    prepared = prepare(msgspec.convert(manifest.provenance.configuration, Task))
    if prepared.digest != manifest.provenance.data_digest:
        raise BadInput(
            f"the data are those of the training, of digest {manifest.provenance.data_digest}", prepared.digest
        )
    return prepared.test
