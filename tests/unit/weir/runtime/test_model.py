"""weir.runtime.model."""

import itertools
import time
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.serving import NAMES, NETWORKS, artifact, fetch, layered_manifest, make_manifest
from tests.unit.weir.pairs import ROWS, pair_logits, pair_manifest
from weir.catalog.inputs import Tensor
from weir.catalog.levels import Expert, Experts
from weir.catalog.manifest import Artifact, Manifest
from weir.engine.arrays import Floats
from weir.engine.confidence import softmax
from weir.errors import ModelUnavailable
from weir.runtime.interpreter import Network
from weir.runtime.model import Model, Predictor

pytestmark = pytest.mark.usefixtures("runtime")


class Fetcher:
    """Serves the networks of the tests, and remembers which were fetched."""

    def __init__(self) -> None:
        """Begin with none."""
        self.fetched: list[str] = []

    def __call__(self, digest: str) -> bytes:
        """Return the bytes of the network with this digest."""
        self.fetched.append(NAMES[digest])
        return fetch(digest)


def _model(manifest: Manifest | None = None) -> tuple[Model, Fetcher]:
    fetcher = Fetcher()
    return Model(manifest or make_manifest(), fetcher), fetcher


def test_rows_exit_at_the_first_confident_level(pictures: Floats) -> None:
    """Clear rows exit early, faint ones escalate; each level reports the rows that it ran on."""
    model, _ = _model()
    predictions, uses = model.cascade.answer(pictures)
    assert predictions.exit_level.tolist() == [1, 2, 2, 1]
    assert predictions.label.tolist() == [0, 2, 0, 2]
    assert [use.rows for use in uses] == [4, 4, 2]
    assert all(use.time_us > 0 for use in uses)


def test_levels_are_timed_by_the_clock_that_is_given(pictures: Floats) -> None:
    """Each call of a network is timed, and nothing around it; without a clock it is wall time."""
    ticks = itertools.count()
    model, _ = _model()
    predictor = Predictor(model.cascade.definition, model.network, lambda: float(next(ticks)))
    for _ in range(2):
        _, uses = predictor.answer(pictures)
        assert [use.time_us for use in uses] == [1e6, 1e6, 1e6]
    assert next(ticks) == 2 * 2 * 3

    def slow(artifact: Artifact) -> Network:
        time.sleep(0.01)
        return model.network(artifact)

    _, uses = Predictor(model.cascade.definition, slow).answer(pictures)
    assert all(use.time_us > 9000 for use in uses)


def test_the_end_to_end_model_is_a_cascade_of_one(pictures: Floats) -> None:
    """The same engine answers, with one level, and fetches one network."""
    model, fetcher = _model()
    predictions, uses = model.end_to_end.answer(pictures)
    assert predictions.exit_level.tolist() == [0, 0, 0, 0]
    assert [use.rows for use in uses] == [4]
    assert fetcher.fetched == ["large"]


def test_a_level_that_no_row_needs_is_never_fetched(pictures: Floats) -> None:
    """With a first level that answers everything, only its network is loaded, and once."""
    model, fetcher = _model(make_manifest(thresholds=(0.0, 0.9)))
    model.cascade.answer(pictures)
    model.cascade.answer(pictures)
    assert fetcher.fetched == ["tiny"]


def test_preload_fetches_what_an_answer_could_need() -> None:
    """Afterwards nothing more is fetched; only the networks of the first levels may be preloaded."""
    model, fetcher = _model()
    model.cascade.preload(1)
    assert fetcher.fetched == ["tiny"]
    model.cascade.preload()
    assert fetcher.fetched == ["tiny", "small", "large"]
    model.end_to_end.preload()
    assert len(fetcher.fetched) == 3


def test_bytes_that_are_not_the_manifests_are_refused(pictures: Floats) -> None:
    """A damaged or swapped artifact is never run."""
    model = Model(make_manifest(), lambda _: b"swapped")
    with pytest.raises(ModelUnavailable, match="is damaged: its sha256 is"):
        model.end_to_end.answer(pictures)


def test_a_network_of_another_shape_than_promised_is_refused(pictures: Floats) -> None:
    """The manifest's labels and the network's outputs agree, or no row is answered."""
    manifest = msgspec.structs.replace(make_manifest(), labels=("a", "b"), prior=(0.5, 0.5))
    model, _ = _model(manifest)
    with pytest.raises(ModelUnavailable, match="not the network that the manifest promises"):
        model.end_to_end.answer(pictures)


@pytest.mark.parametrize("cascade", [False, True])
def test_a_model_of_several_inputs_answers(cascade: bool) -> None:
    """Rows have a field for each input; the end-to-end model and the cascade both read them."""
    model, _ = _model(pair_manifest())
    predictor = model.cascade if cascade else model.end_to_end
    predictor.preload()
    predictions, uses = predictor.answer(ROWS)
    np.testing.assert_allclose(predictions.probabilities, softmax(pair_logits()), rtol=1e-5)
    assert predictions.label.tolist() == pair_logits().argmax(axis=1).tolist()
    assert [use.rows for use in uses] == [3]


def test_rows_that_stay_keep_their_inputs_together() -> None:
    """A later level reads every field of the rows that are still open, and of no others."""
    manifest = pair_manifest()
    first = msgspec.structs.replace(manifest.levels[0], name="first", threshold=0.7, temperature=4.0)
    model, _ = _model(msgspec.structs.replace(manifest, levels=(first, *manifest.levels)))
    predictions, uses = model.cascade.answer(ROWS)
    doubtful = softmax(pair_logits(), 4.0).max(axis=1) < 0.7
    assert 0 < doubtful.sum() < 3
    assert predictions.exit_level.tolist() == doubtful.astype(int).tolist()
    assert [use.rows for use in uses] == [3, int(doubtful.sum())]
    expected = np.where(doubtful[:, None], softmax(pair_logits()), softmax(pair_logits(), 4.0))
    np.testing.assert_allclose(predictions.probabilities, expected, rtol=1e-4)


@pytest.mark.parametrize(
    "inputs",
    [
        [{"name": "a", "shape": (-1, 2)}],
        [{"name": "a", "shape": (-1, 2)}, {"name": "c", "shape": (-1, 3), "datatype": "INT32"}],
        [{"name": "a", "shape": (-1, 2)}, {"name": "b", "shape": (-1, 3)}],
        [{"name": "a", "shape": (-1, 3)}, {"name": "b", "shape": (-1, 3), "datatype": "INT32"}],
    ],
)
def test_a_network_of_other_inputs_than_promised_is_refused(inputs: list[dict[str, Any]]) -> None:
    """Names, sizes and datatypes are those of the manifest, or no row is answered."""
    specs = tuple(Tensor(**one) for one in inputs)
    model, _ = _model(msgspec.structs.replace(pair_manifest(), inputs=specs))
    with pytest.raises(ModelUnavailable, match=r"that the manifest promises|its inputs are"):
        model.end_to_end.preload()


def test_a_row_that_overflows_has_no_confidence() -> None:
    """Values so large that the network's numbers overflow give NaN, not a made-up answer, and no warning."""
    sharp = make_manifest()
    levels = tuple(msgspec.structs.replace(level, temperature=1e-3) for level in sharp.levels)
    end_to_end = msgspec.structs.replace(sharp.end_to_end, temperature=1e-3)
    model, _ = _model(msgspec.structs.replace(sharp, levels=levels, end_to_end=end_to_end))
    rows = np.full((1, 4, 4), np.finfo(np.float32).max)
    for predictor in (model.end_to_end, model.cascade):
        predictions, _ = predictor.answer(rows)
        assert np.isnan(predictions.confidence[0])


def test_levels_with_groups_answer_as_their_networks_do(pictures: Floats) -> None:
    """The expected posterior is fused by hand from the outputs of router, expert and end-to-end model."""
    model, fetcher = _model(layered_manifest())
    predictions, uses = model.cascade.answer(pictures, trace=True)

    def output(name: str) -> Floats:
        logits = Network((NETWORKS / f"{name}.tflite").read_bytes(), model.runtime).logits(pictures)
        return softmax(logits)

    groups, outer, large = output("router"), output("outer"), output("large")
    refined = np.stack([groups[:, 0] * outer[:, 0], groups[:, 1], groups[:, 0] * outer[:, 1]], axis=1)
    pooled = np.sqrt(refined) * large
    pooled /= pooled.sum(axis=1, keepdims=True)
    early = refined.max(axis=1) >= 0.8
    assert predictions.exit_level.tolist() == np.where(early, 1, 2).tolist()
    calibrated = np.sqrt(pooled) / np.sqrt(pooled).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(predictions.probabilities, np.where(early[:, None], refined, calibrated), atol=1e-5)
    assert predictions.label.tolist() == np.where(early, refined.argmax(axis=1), pooled.argmax(axis=1)).tolist()
    assert predictions.abstentions is not None
    assert predictions.abstentions.abstains.tolist() == (~early & (calibrated.max(axis=1) < 0.6)).tolist()
    assert fetcher.fetched == ["router", "outer", "large"]
    assert [use.rows for use in uses] == [4, 4, int((~early).sum())]


def test_an_expert_is_pooled_as_the_manifest_says(pictures: Floats) -> None:
    """It is with the level before, here the prior within the router's group; without a weight it decides alone."""
    plain = layered_manifest()
    experts = {"outer": Expert(network=artifact("outer"), before_weight=0.5)}
    levels = (plain.levels[0], msgspec.structs.replace(plain.levels[1], experts=experts))
    weighed, _ = _model(msgspec.structs.replace(plain, levels=levels, abstention=None))
    alone, _ = _model(msgspec.structs.replace(plain, levels=plain.levels[:2], abstention=None))
    levels_of_experts = [model.cascade.definition.levels[1] for model in (weighed, alone)]
    assert all(isinstance(level, Experts) for level in levels_of_experts)
    assert [level.experts["outer"].before_weight for level in levels_of_experts if isinstance(level, Experts)] == [
        0.5,
        0,
    ]
    of_weighed, of_alone = (model.cascade.answer(pictures)[0].probabilities[:, (0, 2)] for model in (weighed, alone))
    pooled = of_alone * np.sqrt([1 / 3, 2 / 3])
    pooled *= of_alone.sum(axis=1, keepdims=True) / pooled.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(of_weighed, pooled, atol=1e-6)


def test_a_group_that_cannot_win_needs_no_expert() -> None:
    """The expert of the outer labels does not run on a row that is certainly of the inner group."""
    manifest = layered_manifest()
    model, fetcher = _model(msgspec.structs.replace(manifest, levels=manifest.levels[:2], abstention=None))
    middle = np.zeros((1, 4, 4), np.float32)
    middle[:, :, 1:3] = 255
    for full, fetched in ((False, ["router"]), (True, ["router", "outer"])):
        predictions, _ = model.cascade.answer(middle, full=full)
        assert predictions.label.tolist() == [1]
        assert fetcher.fetched == fetched
