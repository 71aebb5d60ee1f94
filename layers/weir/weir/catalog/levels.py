"""One level of a cascade: a classifier, a router or experts.

The same three shapes describe a level wherever there is one; what changes is what stands for its network: an artifact
in a manifest, a loaded network in a function, recorded logits in certification, a Keras network in training.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Generic, Literal, TypeVar

import msgspec

N = TypeVar("N")
M = TypeVar("M")


class MeasuredMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured on the test split, on one thread of the training machine."""

    accuracy: float
    balanced_accuracy: float | None = None
    """mean recall of the labels"""
    log_loss: float | None = None
    """mean of -ln of the probability of the correct label, in nats"""
    auc: float | None = None
    """area under the ROC curve, of two labels"""
    latency_us: float
    """microseconds per row"""
    ece: float | None = None
    share: float | None = None
    """share of rows that this level answered"""
    rows: int | None = None
    """test rows that all this was measured on"""


class _OneNetwork(msgspec.Struct, Generic[N], frozen=True, kw_only=True, tag_field="kind"):
    """A level with one network."""

    name: str
    network: N = msgspec.field(name="artifact")
    temperature: float = 1.0
    """calibrates the network's probabilities"""
    fusion: Literal["replace", "pool"] = "replace"
    weights: tuple[float, float] = (1.0, 1.0)
    """of `pool`: of the levels before, of this one"""
    threshold: float | None
    """rows whose confidence is at least this exit here; None: no row does. The last level answers all the same."""
    metrics: MeasuredMetrics | None = None

    @property
    def networks(self) -> tuple[N, ...]:
        """Return the network."""
        return (self.network,)


class Classifier(_OneNetwork[N], Generic[N], frozen=True, kw_only=True, tag="cascade"):
    """A level whose network knows all labels. Its kind in a manifest is `cascade`, as in the first schemas."""

    kind: ClassVar[str] = "cascade"

    def map(self, change: Callable[[N], M]) -> "Classifier[M]":
        """Apply a function to the network."""
        return Classifier(**_changed(self, network=change(self.network)))


class Router(_OneNetwork[N], Generic[N], frozen=True, kw_only=True, tag="router"):
    """A level whose network knows groups; a group's probability is spread over its labels by the prior."""

    kind: ClassVar[str] = "router"

    def map(self, change: Callable[[N], M]) -> "Router[M]":
        """Apply a function to the network."""
        return Router(**_changed(self, network=change(self.network)))


class Expert(msgspec.Struct, Generic[N], frozen=True, kw_only=True):
    """The network that knows one group's labels, in the order of the model's labels."""

    network: N = msgspec.field(name="artifact")
    temperature: float = 1.0
    before_weight: float = 0.0
    """weight of the level before on the group's labels, pooled with the expert's own; 0: the expert alone"""

    def map(self, change: Callable[[N], M]) -> "Expert[M]":
        """Apply a function to the network."""
        return Expert(**_changed(self, network=change(self.network)))


class Experts(msgspec.Struct, Generic[N], frozen=True, kw_only=True, tag="experts", tag_field="kind"):
    """A level that chooses labels within groups; a group without an expert keeps the posterior of the level before."""

    kind: ClassVar[str] = "experts"

    name: str
    experts: dict[str, Expert[N]]
    """group -> its expert"""
    fusion: Literal["refine"] = "refine"
    threshold: float | None
    metrics: MeasuredMetrics | None = None

    @property
    def networks(self) -> tuple[N, ...]:
        """Return the network of every expert."""
        return tuple(expert.network for expert in self.experts.values())

    def map(self, change: Callable[[N], M]) -> "Experts[M]":
        """Apply a function to the network of every expert."""
        return Experts(**_changed(self, experts={group: expert.map(change) for group, expert in self.experts.items()}))


Level = Classifier[N] | Router[N] | Experts[N]


def _changed(struct: msgspec.Struct, **changes: object) -> dict[str, Any]:
    """Return the fields of a struct with some of them changed, where `structs.replace` would keep its type."""
    return {**msgspec.structs.asdict(struct), **changes}
