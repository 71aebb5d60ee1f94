"""Say why a network is the end-to-end model, and another one is not."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from training.levels.network import TrainableNetwork
from training.replay.paired import compare

When = Literal["after training", "after optimisation"]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The end-to-end model beside another network, on validation rows."""

    when: When
    end_to_end: str
    """name of the end-to-end model"""
    other: str
    """name of the network that it is compared with"""
    rows: int
    end_to_end_correct: int
    """rows on which the end-to-end model is correct"""
    other_correct: int
    p_value: float
    """that the one with more correct rows is the more accurate one: McNemar's exact test, one-sided"""
    too_few_rows: bool
    """whether chance may explain the difference"""
    left_out: tuple[str, ...]
    """levels that would have come after the end-to-end model"""
    why: str
    """all of this in a sentence"""


def comparison(
    when: When,
    result: str,
    end_to_end: TrainableNetwork,
    other: TrainableNetwork,
    left_out: Sequence[str] = (),
) -> Comparison:
    """Compare the end-to-end model with another network.

    Args:
        when: at which step.
        result: what became of it, in a few words.
        end_to_end: the end-to-end model.
        other: the other network, which knows all labels too.
        left_out: names of the levels that would have come after the end-to-end model.
    """
    counts = int(end_to_end.correct.sum()), int(other.correct.sum())
    first, second = (end_to_end, other) if counts[0] >= counts[1] else (other, end_to_end)
    paired = compare(first.correct, second.correct)
    verdict = (
        f" (McNemar's exact test, one-sided, p = {paired.p_value:.2g})"
        if paired.beyond_chance
        else f"; too few rows to tell them apart (p = {paired.p_value:.2g})"
    )
    names = end_to_end.spec.name, other.spec.name
    without = f"; left out, because rows end at {names[0]}: {', '.join(left_out)}" if left_out else ""
    return Comparison(
        when=when,
        end_to_end=names[0],
        other=names[1],
        rows=paired.rows,
        end_to_end_correct=counts[0],
        other_correct=counts[1],
        p_value=paired.p_value,
        too_few_rows=not paired.beyond_chance,
        left_out=tuple(left_out),
        why=f"end-to-end: {result}: on {paired.rows} validation rows {names[0]} is correct on {counts[0]}, {names[1]} "
        f"on {counts[1]}{verdict}{without}",
    )
