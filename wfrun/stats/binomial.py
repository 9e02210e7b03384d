"""How rare a failure may still be, after so many tries."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["CONFIDENCE", "failure_rate_bound"]

CONFIDENCE: Final = 0.95
HALVINGS: Final = 60


def failure_rate_bound(failures: int, tries: int, confidence: float = CONFIDENCE) -> float:
    """Return the highest failure rate that ``failures`` of ``tries`` leave believable: Clopper and Pearson's bound.

    The one-sided exact bound: were the rate higher, so few failures would be seen with a probability below
    ``1 - confidence``. Without a failure it is ``1 - (1 - confidence) ** (1 / tries)``. Tries count as independent.

    Raises:
        ValueError: There were no tries, or more failures than tries.
    """
    if not 0 <= failures <= tries or tries < 1:
        raise ValueError(f"{failures} failures of {tries} tries")
    doubt = 1 - confidence
    if failures == tries:
        return 1.0
    if failures == 0:
        return float(1 - doubt ** (1 / tries))
    low, high = failures / tries, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _at_most(failures, tries, middle) > doubt:
            low = middle
        else:
            high = middle
    return high


def _at_most(failures: int, tries: int, rate: float) -> float:
    """Return the probability of at most ``failures`` in ``tries``, summed in logarithms so that nothing overflows."""
    if rate >= 1.0:
        return 0.0
    return math.fsum(
        math.exp(
            math.lgamma(tries + 1)
            - math.lgamma(count + 1)
            - math.lgamma(tries - count + 1)
            + count * math.log(rate)
            + (tries - count) * math.log1p(-rate)
        )
        for count in range(failures + 1)
    )
