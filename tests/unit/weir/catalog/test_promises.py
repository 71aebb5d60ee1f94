"""weir.catalog.promises."""

import msgspec
import pytest

from weir.catalog.promises import Against, Certificate

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
    counts = "1 of 750 certification rows, 2 allowed; attempt 3 on these rows, 8.75 % of delta spent in all"
    assert third.summary.startswith("with 98.75 % confidence, ")
    assert third.summary.endswith(f"({counts})")


def test_a_certificate_from_before_attempts_were_counted_is_the_first() -> None:
    """It lacks both fields, and is read and told as it was."""
    document = msgspec.to_builtins(FIRST)
    del document["attempt"], document["delta_spent"]
    read = msgspec.convert(document, Certificate)
    assert (read.attempt, read.delta_spent) == (1, None)
    assert read.summary == FIRST.summary
