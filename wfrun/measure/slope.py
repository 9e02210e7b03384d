"""How much memory each repetition leaves behind, from what was held after each of them."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Slope", "steady_slope"]

FEWEST: Final = 12
WINDOWS: Final = 4
STEADY: Final = 0.3
"""The least part of the mean growth that each step from window to window must have: lists grow in leaps."""


@dataclass(frozen=True, slots=True)
class Slope:
    """What each repetition adds."""

    bytes: float
    """The median over all pairs of repetitions of what lies between them, for each repetition."""
    low_bytes: float
    """What nine of ten pairs have at least."""
    high_bytes: float
    """What nine of ten pairs have at most."""
    steady: bool
    """Whether it grows all along, and not once."""


def steady_slope(held_bytes: Sequence[int]) -> Slope | None:
    """Return how memory goes on after the first quarter, while caches fill; ``None`` for fewer than 12 repetitions.

    Args:
        held_bytes: What was held after each repetition, in order, with garbage collected.
    """
    if len(held_bytes) < FEWEST:
        return None
    late = held_bytes[len(held_bytes) // 4 :]
    slopes = sorted((late[j] - late[i]) / (j - i) for i in range(len(late)) for j in range(i + 1, len(late)))
    tenth = len(slopes) // 10
    length = len(late) // WINDOWS
    least = [min(late[number * length : (number + 1) * length]) for number in range(WINDOWS)]
    mean = (least[-1] - least[0]) / (WINDOWS - 1)
    steps = [new - old for old, new in pairwise(least)]
    steady = mean > 0 and all(step >= STEADY * mean for step in steps)
    return Slope(statistics.median(slopes), slopes[tenth], slopes[-tenth - 1], steady)
