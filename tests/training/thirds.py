"""Models of the tiny networks of tests/networks, and pictures for them."""

from pathlib import Path

import msgspec
import numpy as np

from tests.serving import LABELS, artifact, fetch, layered_manifest, make_manifest
from training import folder
from training.data.preparation import PreparedData, prepare
from training.data.splits.split import Split
from training.replay.recording import LevelTimes
from training.task import Data, NetworkSpec, Promise, Sizes, Task
from weir.catalog.levels import Experts
from weir.catalog.manifest import Manifest, encode
from weir.engine.arrays import Floats, Labels
from weir.engine.confidence import softmax
from weir.runtime.interpreter import DEPLOYED, Network
from weir.runtime.model import Model

MANIFESTS = (make_manifest(thresholds=(0.4, 0.6)), layered_manifest())
"""a cascade of classifiers, and one with groups that may abstain; `pictures` exit at more than one level of each"""


def pictures(rows: int = 200, seed: int = 2) -> Split:
    """Draw noise that is brighter on the left, in the middle or on the right."""
    random = np.random.default_rng(seed)
    labels: Labels = random.integers(0, 3, rows)
    images = random.uniform(0, 120, (rows, 4, 4)).astype(np.float32)
    for row, label in enumerate(labels):
        images[row, :, (0, 1, 3)[label]] += 60
    return Split(images, labels)


def steady_times(model: Model, _inputs: Floats) -> LevelTimes:
    """Stand in for measured times, so that the order of threshold vectors is the same in every run."""
    return [
        dict.fromkeys(level.experts, 10.0) if isinstance(level, Experts) else 10.0**number
        for number, level in enumerate(model.manifest.levels)
    ]


def probabilities(name: str, rows: Floats, temperature: float = 1.0) -> Floats:
    """Run a network alone on rows `(n, 4, 4)`, and return its probabilities `(n, outputs)`."""
    return softmax(Network(fetch(artifact(name).digest), DEPLOYED).logits(rows), temperature)


def split_in_four(folder: Path, promise: Promise | None = None) -> tuple[Task, PreparedData]:
    """Write pictures of thirds to a file, and divide them as a training does."""
    rows = pictures(800, 5)
    np.savez(folder / "thirds.npz", x=rows.inputs, y=rows.labels, label_names=np.array(LABELS))
    task = Task(
        name="thirds",
        data=Data(source="npz", path=str(folder / "thirds.npz")),
        sizes=Sizes(validation=200, certification=300, test=60),
        end_to_end=NetworkSpec(name="large", architecture="mlp", epochs=1),
        levels=tuple(NetworkSpec(name=name, architecture="mlp", epochs=1) for name in ("tiny", "small")),
        promise=promise or Promise(),
    )
    return task, prepare(task)


def write_training(out: Path, promise: Promise | None = None) -> Manifest:
    """Write the folder of a complete training of the tiny networks, which promises nothing yet."""
    out.mkdir()
    task, data = split_in_four(out.parent, promise)
    plain = make_manifest(thresholds=(None, None))
    provenance = msgspec.structs.replace(
        plain.provenance, data_digest=data.digest, configuration=msgspec.to_builtins(task)
    )
    manifest = msgspec.structs.replace(plain, inputs=(data.input,), prior=data.prior, provenance=provenance)
    contents = {digest: fetch(digest) for digest in manifest.artifacts}
    files = folder.files(contents, contents, summary=b"{}", report=b"{}", reliability=b"")
    folder.renew(out, files, encode(manifest))
    return manifest
