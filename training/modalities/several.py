"""Rows of several inputs: structured arrays `(n,)` with a field for each input; networks read some of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.modalities.modality import LabelledRows, Masks, Modality, Record
from training.modalities.recipe import Recipe, combined
from training.modalities.table import samples as table_samples
from training.task import NetworkSpec
from weir.catalog.inputs import Input, Table
from weir.engine.arrays import Labels
from weir.errors import BadInput

if TYPE_CHECKING:
    from training.configured_keras import keras

Rows = NDArray[Any]

_OF_THE_WHOLE_ROW = ("constant_row", "empty")
"""reasons that count only where they apply to every input of a row"""


@dataclass(frozen=True)
class _Labelled:
    """One input of labelled rows."""

    inputs: Rows
    labels: Labels


@dataclass(frozen=True)
class SeveralModality:
    """The modality of each input, by the name of its field; the inputs of a network are branches whose logits add."""

    each: tuple[tuple[Input, Modality], ...]

    @cached_property
    def _modalities(self) -> Mapping[str, Modality]:
        return {one.name: modality for one, modality in self.each}

    def as_rows(self, inputs: Rows) -> Rows:
        """Check every input, and return rows with the same fields. Raises `BadInput`."""
        names = tuple(self._modalities)
        if inputs.dtype.names != names:
            raise BadInput(f"rows have the fields {', '.join(names)}", inputs.dtype)
        return self._changed(inputs, lambda name, rows: self._modalities[name].as_rows(rows))

    def unusable(self, rows: Rows) -> Masks:
        """Mark rows that any input can't use, and those that are empty in every input."""
        found = [modality.unusable(rows[name]) for name, modality in self._modalities.items()]
        masks: Masks = {}
        for reason in {reason for one in found for reason in one}:
            given = [one.get(reason, np.zeros(len(rows), bool)) for one in found]
            if reason not in _OF_THE_WHOLE_ROW:
                masks[reason] = np.any(given, axis=0)
        blank = [np.any([one[name] for name in _OF_THE_WHOLE_ROW if name in one], axis=0) for one in found]
        return {**masks, "empty": np.all(blank, axis=0)}

    def constant_inputs(self, rows: Rows) -> int:
        """Count the values of all inputs that are the same in all rows."""
        return sum(modality.constant_inputs(rows[name]) for name, modality in self._modalities.items())

    def scale_warning(self, rows: Rows) -> str:
        """Join what is odd in the scale of each input."""
        found = (modality.scale_warning(rows[name]) for name, modality in self._modalities.items())
        return "; ".join(filter(None, found))

    def augments(self, spec: NetworkSpec) -> bool:
        """Tell whether the rows of any input change in training."""
        return any(modality.augments(spec) for modality in self._modalities.values())

    def augmented(self, rows: Rows, spec: NetworkSpec, random: np.random.Generator) -> Rows:
        """Change each input at random, as a network's description requests."""
        return self._changed(rows, lambda name, part: self._modalities[name].augmented(part, spec, random))

    def mixed(self, rows: Rows, random: np.random.Generator) -> Rows:
        """Mix each input of each row with the same input of the row before."""
        return self._changed(rows, lambda name, part: self._modalities[name].mixed(part, random))

    def check(self, spec: NetworkSpec) -> None:
        """Check the branches of a network, before anything is trained. Raises `BadInput`."""
        for name, branch in self._branches(spec).items():
            self._modalities[name].check(branch)

    def recipe(self, spec: NetworkSpec) -> Recipe:
        """Combine the recipes of the branches. Raises `BadInput`."""
        return combined([self._modalities[name].recipe(branch) for name, branch in self._branches(spec).items()])

    def build(self, spec: NetworkSpec, outputs: int, seed: int, train: LabelledRows) -> "keras.Model":
        """Build a network from the inputs that it reads, by name, to the sum of the logits of its branches."""
        from training.modalities import branches  # noqa: PLC0415 (TensorFlow takes five seconds)

        networks = {
            name: self._modalities[name].build(branch, outputs, seed, _Labelled(train.inputs[name], train.labels))
            for name, branch in self._branches(spec).items()
        }
        return branches.added(networks)

    def other_model(self) -> None:
        """Return none: what the model of one input says does not suit all."""

    def record(self, row: Rows) -> Record:
        """Write the values of all inputs by name."""
        return {name: value for one, modality in self.each for name, value in modality.record(row[one.name]).items()}

    def example(self, row: Rows) -> tuple[str, bytes]:
        """Write one row as JSON."""
        return ".json", table_samples.written(self.record(row))

    def _branches(self, spec: NetworkSpec) -> dict[str, NetworkSpec]:
        """Return the description of each branch of a network, by the name of its input, in the order of the inputs."""
        known = list(self._modalities)
        parts = spec.architecture
        if isinstance(parts, str):
            rule = (
                f"a network of several inputs has an architecture for each that it reads, of {', '.join(known)}: "
                "architecture = {" + f'{known[0]} = "…"' + "}"
            )
            raise BadInput(rule, f"{spec.name}: {parts}")
        if unknown := sorted(set(parts) - set(known)):
            raise BadInput(f"the inputs of a network are some of {', '.join(known)}", f"{spec.name}: {unknown[0]}")
        if not parts:
            raise BadInput(f"a network reads at least one input of {', '.join(known)}", f"{spec.name}: none")
        return {
            one.name: msgspec.structs.replace(
                spec, architecture=parts[one.name], columns=spec.columns if isinstance(one, Table) else ()
            )
            for one, _ in self.each
            if one.name in parts
        }

    def _changed(self, rows: Rows, change: Callable[[str, Rows], Rows]) -> Rows:
        """Change each field of rows."""
        changed = np.empty(len(rows), [(one.name, one.dtype, one.row_shape) for one, _ in self.each])
        for name in self._modalities:
            changed[name] = change(name, rows[name])
        return changed


def several(each: Sequence[tuple[Input, Modality]]) -> Modality:
    """Make the modality of one input, or of several."""
    return each[0][1] if len(each) == 1 else SeveralModality(tuple(each))
