"""weir.catalog.levels: one shape for a level, whatever stands for its network."""

import msgspec
import pytest

from weir.catalog.levels import Classifier, Expert, Experts, Level, MeasuredMetrics, Router

METRICS = MeasuredMetrics(accuracy=0.9, latency_us=3.5, ece=0.02, share=0.4, rows=500)
CLASSIFIER = Classifier(
    name="tiny", network="a", temperature=1.5, fusion="pool", weights=(0.3, 0.8), threshold=0.7, metrics=METRICS
)
ROUTER = Router(
    name="router", network="a", temperature=0.5, fusion="pool", weights=(0.4, 0.9), threshold=None, metrics=METRICS
)
EXPERTS = Experts(
    name="experts",
    experts={
        "outer": Expert(network="a", temperature=1.2, before_weight=0.4),
        "inner": Expert(network="b", temperature=0.9, before_weight=0.1),
    },
    threshold=0.6,
    metrics=METRICS,
)
EVERY_KIND = pytest.mark.parametrize("level", [CLASSIFIER, ROUTER, EXPERTS], ids=["classifier", "router", "experts"])


@EVERY_KIND
def test_map_keeps_everything_but_the_network(level: Level[str]) -> None:
    """A level over other networks has the same name, kind, temperatures, fusion, weights, threshold and metrics."""
    mapped = level.map(lambda network: f"{network}!")
    assert mapped.networks == tuple(f"{network}!" for network in level.networks)
    assert mapped.map(lambda network: network.removesuffix("!")) == level
    assert type(mapped) is type(level)


@EVERY_KIND
def test_every_field_of_a_level_differs_from_its_default(level: Level[str]) -> None:
    """So a field that `map` forgets makes the test before this one fail, a field that is added too."""
    structs: list[msgspec.Struct] = [level, *(level.experts.values() if isinstance(level, Experts) else ())]
    for struct in structs:
        for field in msgspec.structs.fields(struct):
            constant = isinstance(level, Experts) and field.name == "fusion"
            assert constant or getattr(struct, field.name) != field.default, field.name


@EVERY_KIND
def test_the_kind_of_a_level_is_in_its_json(level: Level[str]) -> None:
    """A document names the kind and the artifact, and is read as the same level."""
    document = msgspec.json.encode(level)
    assert msgspec.json.decode(document)["kind"] == level.kind
    assert msgspec.json.decode(document, type=Classifier[str] | Router[str] | Experts[str]) == level


def test_kinds_have_the_names_that_manifests_had_before() -> None:
    """Documents of schema 1.x name them so, and call a network its artifact."""
    levels = (CLASSIFIER, ROUTER, EXPERTS)
    assert [level.kind for level in levels] == ["cascade", "router", "experts"]
    document = msgspec.to_builtins(CLASSIFIER)
    assert (document["artifact"], "network" in document) == ("a", False)
    assert msgspec.to_builtins(EXPERTS)["experts"]["outer"]["artifact"] == "a"
