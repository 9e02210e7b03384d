"""When the pairs taken so far are looked at, and how sure each look must be.

Looking again and again until something shows finds something in the end. So the looks share one error: however often
they look, they are wrong together no oftener than one that looks once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from wfrun.stats.signed_rank import fewest_pairs

__all__ = ["ERROR", "FIRST", "Look", "looks", "most_pairs"]

ERROR: Final = 0.01
"""How often all intervals of a metric may miss the truth, however many looks there are."""
FIRST: Final = 9
"""Pairs before the first look: with fewer no interval is as sure as a look must be."""
_FIRST_ERROR: Final = 0.004
_LAST_ERROR: Final = 0.004
_GROWTH: Final = 1.4
"""From one look to the next there are at least so many times as many pairs: a few more seldom change a verdict."""
_MOST_STEPS: Final = 5


@dataclass(frozen=True, slots=True)
class Look:
    """After so many pairs, with this error."""

    pairs: int
    error: float


def most_pairs(budget_s: float, share_s: float, error: float = ERROR) -> int:
    """Return how many pairs of so many seconds a case is given: as its budget allows, and enough for one sure look."""
    return max(FIRST, fewest_pairs(error * _LAST_ERROR / ERROR), round(budget_s / share_s))


def looks(most_pairs: int, error: float = ERROR) -> tuple[Look, ...]:
    """Return the looks of a case that is given at most so many pairs, each with its part of the error.

    The first and the last get most of it: the first because so few pairs are never surer, the last because it is the
    one that a hard case comes to.

    Args:
        most_pairs: The last look comes after so many.
        error: Of all looks together.
    """
    if most_pairs <= FIRST:
        return (Look(max(1, most_pairs), error),)
    steps = max(1, min(_MOST_STEPS, int(math.log(most_pairs / FIRST) / math.log(_GROWTH))))
    numbers = [round(FIRST * (most_pairs / FIRST) ** (step / steps)) for step in range(steps + 1)]
    between = numbers[1:-1]
    # Without looks between, their part is the last one's.
    rest = ERROR - _FIRST_ERROR - _LAST_ERROR
    last = _LAST_ERROR if between else _LAST_ERROR + rest
    errors = [_FIRST_ERROR, *(rest / len(between) for _ in between), last]
    return tuple(Look(number, part * error / ERROR) for number, part in zip(numbers, errors, strict=True))
