"""Make the promises of a ladder whose networks are settled."""

from collections.abc import Callable
from dataclasses import dataclass

from training.certifying import sanity as soundness
from training.certifying.promises import Promises, make
from training.data.preparation import PreparedData
from training.replay.recording import LevelTimes, Recording, record
from training.replay.timing import times
from training.task import Promise
from weir.catalog.manifest import Manifest
from weir.errors import BadInput
from weir.runtime.interpreter import RUNTIMES
from weir.runtime.model import Model


@dataclass(frozen=True)
class Promised:
    """Promises, and what they were made by."""

    promises: Promises
    times: LevelTimes
    validation: Recording
    warnings: tuple[str, ...]
    """what is odd about the ladder"""

    def on(self, draft: Manifest) -> Manifest:
        """Write the promises into a manifest."""
        return self.promises.on(draft)


def promised(draft: Manifest, fetch: Callable[[str], bytes], data: PreparedData, promise: Promise) -> Promised:
    """Let every level speak on validation and certification rows, as it will serve, and promise what they bear out.

    Args:
        draft: the levels; whatever it promises counts for nothing.
        fetch: digest -> bytes of an artifact.
        data: the rows.
        promise: what is asked for.

    Raises:
        BadInput: levels disagree on the order of the labels, or the promise is not one that this ladder can make.
        ModelUnavailable: an artifact is missing or damaged.
    """
    last = draft.levels[-1]
    ends_with_it = last.artifact == draft.end_to_end.artifact and last.fusion == "replace"
    if promise.against == "end-to-end" and not ends_with_it:
        rule = "a promise against the end-to-end model is one of levels that end with it; against labels any may be"
        raise BadInput(rule, f"the last level is {last.name}, fusion {last.fusion}")
    model = Model(draft, fetch, RUNTIMES[0])
    validation, certification = record(model, data.validation), record(model, data.certification)
    soundness.check(draft, validation)
    taken = times(model, data.validation.inputs)
    made = make(validation, certification, taken, promise, (data.digest, draft.provenance.seed))
    return Promised(made, taken, validation, tuple(soundness.warnings(draft, validation, taken)))
