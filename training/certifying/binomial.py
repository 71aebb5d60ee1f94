"""The exact binomial test behind every promise on error rates."""

import math

from scipy.stats import binom


def p_value(losses: int, rows: int, max_loss: float) -> float:
    """Return `P(Bin(rows, max_loss) <= losses)`: the chance of so few losses if the true loss were `max_loss`."""
    return float(binom.cdf(losses, rows, max_loss))


def max_losses(rows: int, max_loss: float, delta: float) -> int:
    """Return the most losses whose p-value is at most delta; -1 when even none are too many."""
    guess = int(binom.ppf(delta, rows, max_loss))
    return next((k for k in range(guess + 1, -1, -1) if p_value(k, rows, max_loss) <= delta), -1)


def rows_needed(max_loss: float, delta: float) -> int:
    """Return the rows that a promise takes when none of them is lost: `ln(delta) / ln(1 - max_loss)`, rounded up.

    At most 2^53, which is more than anyone has: delta may be halved to 0, and a limit may be as small.
    """
    rows = math.log(delta) / math.log1p(-max_loss) if delta else math.inf
    return math.ceil(min(rows, 2**53))
