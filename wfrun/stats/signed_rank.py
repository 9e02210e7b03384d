"""What paired differences say together: their middle, and an interval that is right whatever their distribution.

The estimate is the Hodges-Lehmann one, the median of the means of all pairs of differences; the interval holds those
shifts that Wilcoxon's signed-rank test does not refuse. Its error is exact for differences that are as likely to lie on
either side of the true one, which the random order within a pair sees to. A process that is slow for its whole life
moves one difference of many, and so hardly the estimate: over pairs of processes that took turns on a loaded machine
it was off by half of what the ratio of the pooled floors was off by.

Source: Hollander, Wolfe, Chicken: Nonparametric Statistical Methods, chapter 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Shift", "fewest_pairs", "paired_shift"]


@dataclass(frozen=True, slots=True)
class Shift:
    """By how much the second of a pair differs from the first."""

    estimate: float
    interval: tuple[float, float] | None
    """``None`` where so few pairs cannot be that sure of any interval."""
    pairs: int

    @property
    def arm(self) -> float | None:
        """The longer arm of the interval: how large a difference must be to show."""
        if self.interval is None:
            return None
        return max(self.estimate - self.interval[0], self.interval[1] - self.estimate)


def paired_shift(differences: Sequence[float], error: float) -> Shift:
    """Return the middle of ``differences`` with its interval.

    Args:
        differences: One a pair, second less first.
        error: How often the interval may miss the truth, both sides together: 0.01 for 99 %.

    Raises:
        ValueError: There is no difference, or the error is no probability.
    """
    if not differences:
        raise ValueError("no pair, so no difference")
    if not 0 < error < 1:
        raise ValueError(f"an error of {error} is no probability")
    values = sorted(differences)
    means = sorted((values[i] + values[j]) / 2 for i in range(len(values)) for j in range(i, len(values)))
    middle = len(means) // 2
    estimate = means[middle] if len(means) % 2 else (means[middle - 1] + means[middle]) / 2
    cut = _cut(len(values), error)
    interval = None if cut is None else (means[cut], means[-1 - cut])
    return Shift(estimate, interval, len(values))


@lru_cache(maxsize=8)
def fewest_pairs(error: float) -> int:
    """Return how many pairs there must be for an interval of this error."""
    pairs = 1
    while _cut(pairs, error) is None:
        pairs += 1
    return pairs


@lru_cache(maxsize=256)
def _cut(pairs: int, error: float) -> int | None:
    """Return how many of the sorted means lie outside of the interval on each side; ``None`` where none may."""
    # The rank sum is w in as many of 2^n cases as there are sets of ranks that add up to it.
    ways = [1]
    for rank in range(1, pairs + 1):
        longer = ways + [0] * rank
        for total, count in enumerate(ways):
            longer[total + rank] += count
        ways = longer
    most = error / 2 * 2**pairs
    seen, cut = 0, None
    for total, count in enumerate(ways):
        seen += count
        if seen > most:
            break
        cut = total
    return cut
