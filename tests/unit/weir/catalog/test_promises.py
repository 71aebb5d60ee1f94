"""weir.catalog.promises."""

import msgspec
import pytest

from weir.catalog.promises import Abstention, Against, Certificate, PredictionSets, Quantile

FIRST = Certificate(
    against="end-to-end",
    max_loss=0.01,
    delta=0.05,
    rows=750,
    losses=1,
    max_losses=2,
    p_value=0.02,
    tried=40,
    division={"thresholds": 750},
    data_digest="0" * 64,
    certified_at="2026-01-01T00:00:00+00:00",
)


@pytest.mark.parametrize(
    ("against", "claim"),
    [
        ("end-to-end", "the cascade is wrong where the end-to-end model is right on at most 1 % of rows"),
        ("labels", "at most 1 % of the cascade's answers are wrong"),
        ("agreement", "the cascade's label is another than the last level's on at most 1 % of rows"),
    ],
)
def test_a_promise_is_told_in_one_line(against: Against, claim: str) -> None:
    """It has the confidence, what is promised, and the counts behind it."""
    certificate = msgspec.structs.replace(FIRST, against=against)
    assert certificate.summary == f"with 95 % confidence, {claim} (1 of 750 certification rows, 2 allowed)"


def test_a_later_attempt_tells_what_all_have_spent() -> None:
    """Whoever reads it can tell the best of several attempts from the only one."""
    third = msgspec.structs.replace(FIRST, attempt=3, delta=0.0125, delta_spent=0.0875)
    counts = (
        "1 of 750 certification rows, 2 allowed; attempt 3 on these rows: the deltas of all attempts add up to 8.75 %"
    )
    assert third.summary.startswith("with 98.75 % confidence, ")
    assert third.summary.endswith(f"({counts})")


def test_a_certificate_from_before_attempts_were_counted_is_the_first() -> None:
    """It lacks both fields, and is read and told as it was."""
    document = msgspec.to_builtins(FIRST)
    del document["attempt"], document["delta_spent"]
    read = msgspec.convert(document, Certificate)
    assert (read.attempt, read.delta_spent) == (1, None)
    assert read.summary == FIRST.summary


def test_abstention_is_told_in_one_line() -> None:
    """Also that no row abstained, so that nobody waits for one."""
    promised = Abstention(max_error=0.03, delta=0.05, threshold=0.6, rows=174, answered=170, wrong=1, p_value=0.03)
    claim = "with 95 % confidence, at most 3 % of the labels given are wrong"
    assert promised.summary == f"{claim} (1 of 170 on 174 certification rows)"
    every = msgspec.structs.replace(promised, answered=174)
    assert every.summary == f"{claim} (1 of 174 on 174 certification rows, none of which abstained)"


def test_sets_are_told_in_one_line() -> None:
    """Also that some labels have too few rows for sets of their own."""
    quantiles = (Quantile(alpha=0.05, least=0.2, least_per_label=(0.1, 0.0)), Quantile(alpha=0.1, least=0.3))
    told = "prediction sets contain the true label of 95 % and 90 % of rows (100 certification rows"
    loose = "; per label, too few rows of some: their sets have every label at alpha 0.05"
    assert PredictionSets(rows=100, quantiles=quantiles).summary == f"{told}{loose})"
    assert PredictionSets(rows=100, quantiles=quantiles[1:]).summary == (
        "prediction sets contain the true label of 90 % of rows (100 certification rows)"
    )
