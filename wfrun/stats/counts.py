"""Two sets of exact counts: the same work gives the same number, so what differs has changed.

A few counts differ a little from one pass to the next all the same, as where waiting is cut short by the clock. What
lies between the passes of one side is not exact about it; what lies beyond the ranges of both sides has changed. Each
range is made as long again at each end, because two passes show too little of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.stats.percentiles import pooled_floor
from wfrun.stats.resampling import FloorsCompared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wfrun.stats.percentiles import Better

__all__ = ["compare_counts"]


def compare_counts(old: Sequence[Sequence[float]], new: Sequence[Sequence[float]], better: Better) -> FloorsCompared:
    """Return the two counts, their ratio and difference, and the intervals that the passes of each side allow.

    Where all passes of a side agree, the intervals are points; one process a side is enough.

    Raises:
        ValueError: A side has no sample.
    """
    then, now = pooled_floor(old, better), pooled_floor(new, better)
    (old_low, old_high), (new_low, new_high) = _range(old), _range(new)
    difference = (new_low - old_high, new_high - old_low)
    if then <= 0 or now <= 0 or old_low <= 0 or new_low <= 0:
        return FloorsCompared(then, now, None, None, difference)
    return FloorsCompared(then, now, now / then, (new_low / old_high, new_high / old_low), difference)


def _range(processes: Sequence[Sequence[float]]) -> tuple[float, float]:
    values = [value for process in processes for value in process]
    least, greatest = min(values), max(values)
    return least - (greatest - least), greatest + (greatest - least)
