"""training.measuring.evaluation."""

import msgspec
import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, log_loss, precision_score, recall_score

from tests.serving import fetch, layered_manifest
from tests.training.thirds import MANIFESTS, pictures
from training.measuring.evaluation import measure, with_metrics
from training.measuring.report import encode
from training.measuring.results import Evaluation
from weir.catalog.levels import MeasuredMetrics
from weir.catalog.manifest import Manifest, decode
from weir.catalog.manifest import encode as encode_manifest
from weir.runtime.model import Model

TEST = pictures(60)


def _evaluation(manifest: Manifest) -> Evaluation:
    references = {digest: fetch(digest) for digest in manifest.artifacts}
    return measure(manifest, fetch, references, TEST, lambda _done, _calls: None).evaluation


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_an_evaluation_is_of_what_serving_answers(manifest: Manifest) -> None:
    """Accuracies, shares and regret are those of the model's answers to the rows of the test split."""
    evaluation, model = _evaluation(manifest), Model(manifest, fetch)
    cascade, end_to_end = model.cascade.answer(TEST.inputs)[0], model.end_to_end.answer(TEST.inputs)[0]
    correct, end_to_end_correct = cascade.label == TEST.labels, end_to_end.label == TEST.labels
    assert evaluation.rows == 60
    assert evaluation.cascade.accuracy == correct.mean()
    assert evaluation.end_to_end.accuracy == end_to_end_correct.mean()
    assert evaluation.cascade.regret == (end_to_end_correct & ~correct).mean()
    assert [level.name for level in evaluation.levels] == [level.name for level in manifest.levels]
    assert [level.share for level in evaluation.levels] == [cascade.share(n) for n in range(len(manifest.levels))]
    assert evaluation.levels[-1].accuracy == evaluation.levels[-1].float_accuracy == evaluation.end_to_end.accuracy


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_an_evaluation_has_the_recall_of_each_label(manifest: Manifest) -> None:
    """Each label counts the same in the balanced accuracy, as scikit-learn computes both, however rare it is."""
    evaluation, model = _evaluation(manifest), Model(manifest, fetch)
    for result, predictor in ((evaluation.cascade, model.cascade), (evaluation.end_to_end, model.end_to_end)):
        predicted = predictor.answer(TEST.inputs)[0].label
        assert list(result.recalls) == list(manifest.labels)
        np.testing.assert_allclose(list(result.recalls.values()), recall_score(TEST.labels, predicted, average=None))
        assert result.balanced_accuracy == pytest.approx(balanced_accuracy_score(TEST.labels, predicted))
    assert list(evaluation.label_rows.values()) == np.bincount(TEST.labels).tolist()
    for level in evaluation.levels:
        assert level.balanced_accuracy == pytest.approx(np.mean(list(level.recalls.values())))


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_an_evaluation_scores_the_probabilities_that_serving_gives(manifest: Manifest) -> None:
    """Precision and log loss are scikit-learn's of the model's answers; those of the cascade are its at the exit."""
    evaluation, model = _evaluation(manifest), Model(manifest, fetch)
    for result, predictor in ((evaluation.cascade, model.cascade), (evaluation.end_to_end, model.end_to_end)):
        predictions = predictor.answer(TEST.inputs)[0]
        precisions = precision_score(TEST.labels, predictions.label, average=None, zero_division=np.nan)
        defined = dict(zip(manifest.labels, precisions, strict=True))
        assert result.precisions == pytest.approx({name: one for name, one in defined.items() if not np.isnan(one)})
        assert result.log_loss == pytest.approx(log_loss(TEST.labels, predictions.probabilities), rel=1e-5)
        assert result.auc is None  # of three labels


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_an_evaluation_says_of_which_labels_rows_are_lost(manifest: Manifest) -> None:
    """Weighed by the rows of the labels, they add up to the regret."""
    evaluation = _evaluation(manifest)
    shares = [rows / evaluation.rows for rows in evaluation.label_rows.values()] if evaluation.rows else []
    assert evaluation.cascade.regret == pytest.approx(np.dot(shares, list(evaluation.cascade.regrets.values())))


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_metrics_in_a_manifest_say_on_how_many_rows_they_were_measured(manifest: Manifest) -> None:
    """So do the published document and the summary; a reader then knows how far to trust an accuracy."""
    evaluation = _evaluation(manifest)
    published = decode(encode_manifest(with_metrics(manifest, evaluation)))
    metrics = [published.end_to_end.metrics, *(level.metrics for level in published.levels)]
    assert [one.rows for one in metrics if one is not None] == [60] * (1 + len(manifest.levels))
    assert [one.accuracy for one in metrics if one is not None] == [
        evaluation.end_to_end.accuracy,
        *(level.accuracy for level in evaluation.levels),
    ]
    assert msgspec.json.decode(encode(evaluation))["rows"] == 60
    assert published.cascade_metrics == MeasuredMetrics(
        accuracy=evaluation.cascade.accuracy,
        balanced_accuracy=evaluation.cascade.balanced_accuracy,
        log_loss=evaluation.cascade.log_loss,
        latency_us=evaluation.cascade.latency_us,
        ece=evaluation.cascade.ece,
        rows=60,
    )


def test_metrics_change_nothing_else_in_a_manifest() -> None:
    """Without them the manifest is what it was before it was measured."""
    manifest = layered_manifest()
    measured = with_metrics(manifest, _evaluation(manifest))
    levels = tuple(msgspec.structs.replace(level, metrics=None) for level in measured.levels)
    end_to_end = msgspec.structs.replace(measured.end_to_end, metrics=None)
    plain = msgspec.structs.replace(measured, levels=levels, end_to_end=end_to_end, cascade_metrics=None)
    assert plain == manifest
