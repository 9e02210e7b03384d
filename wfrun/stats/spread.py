"""How far apart processes, or sessions, lie: the noise that a threshold has to stand above."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["relative_sd", "robust_relative_sd"]

_MAD_TO_SD: Final = 1.4826
"""Of normally distributed values, the median absolute deviation times this is the standard deviation."""


def relative_sd(floors: Sequence[float]) -> float | None:
    """Return the standard deviation of ``floors`` as a part of their mean: 0.02 is 2 %.

    ``None`` for fewer than two, or where the mean is not above zero, so that a part of it means nothing.
    """
    if len(floors) < 2:
        return None
    mean = statistics.fmean(floors)
    return statistics.stdev(floors) / mean if mean > 0 and math.isfinite(mean) else None


def robust_relative_sd(floors: Sequence[float]) -> float | None:
    """Return what :func:`relative_sd` would without its outliers: one process may be slow for its whole life.

    From the median distance to the median; ``None`` as there.
    """
    if len(floors) < 2:
        return None
    middle = statistics.median(floors)
    if middle <= 0 or not math.isfinite(middle):
        return None
    return _MAD_TO_SD * statistics.median(abs(floor - middle) for floor in floors) / middle
