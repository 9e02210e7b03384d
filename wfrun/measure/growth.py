"""Whether memory grows with every repetition of some work, and not only while caches and pools fill up."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final

from wfrun.measure.memory import rss_bytes, settled_rss_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["GrowthWatch", "steady_growth"]

FEWEST: Final = 12
"""Repetitions before anything is said."""
LEAST_BYTES: Final = 2**20
"""Growth over the repetitions looked at that is told from the noise of reading."""
WINDOWS: Final = 4
STEADY: Final = 0.5
"""The least part of the mean growth that each step from window to window must have."""
CONFIRMING: Final = 5
"""Repetitions with settled memory before a suspicion becomes a finding."""


def steady_growth(kept_bytes: Sequence[float]) -> float | None:
    """Return the bytes that each repetition adds, or ``None`` where the memory does not grow steadily.

    The first quarter is taken for warming up. The rest is cut into four windows, and the least memory held in each must
    be more than in the one before, by at least half of what it grows on average.

    Args:
        kept_bytes: For each repetition, in order, the memory held after it less that before it.
    """
    totals = list(accumulate(kept_bytes))
    length = (len(totals) - len(totals) // 4) // WINDOWS
    if len(totals) < FEWEST or length < 1:
        return None
    late = totals[-WINDOWS * length :]
    least = [min(late[start : start + length]) for start in range(0, len(late), length)]
    growth = least[-1] - least[0]
    mean = growth / (WINDOWS - 1)
    if growth < LEAST_BYTES or any(new - old < STEADY * mean for old, new in pairwise(least)):
        return None
    return mean / length


class GrowthWatch:
    """Judges the repetitions of one piece of work in this process as they come.

    Reading costs 2 µs at each end. Only when that shows growth are garbage collected and free memory returned around
    the next repetitions, which takes some 10 ms each, to see whether it is still there.
    """

    def __init__(self) -> None:
        self._kept: list[int] = []
        self._settled: list[int] | None = None
        self._expected = 0.0
        self._before = 0

    @property
    def repetitions(self) -> int:
        """How many there have been."""
        return len(self._kept)

    def begin(self) -> None:
        """Read what is held as a repetition begins."""
        self._before = self._read()

    def end(self) -> float | None:
        """Read again at its end; return the bytes that each repetition adds, once that is certain."""
        kept = self._read() - self._before
        self._kept.append(kept)
        if self._settled is None:
            growth = steady_growth(self._kept)
            if growth is not None:
                self._settled, self._expected = [], growth
            return None
        self._settled.append(kept)
        if len(self._settled) < CONFIRMING:
            return None
        mean = sum(self._settled) / CONFIRMING
        grew = sum(each > 0 for each in self._settled) >= CONFIRMING - 1 and mean >= STEADY * self._expected
        # What was found to be no growth has to show itself anew from what comes now.
        self._kept, self._settled = self._kept if grew else [], None
        return mean if grew else None

    def _read(self) -> int:
        return rss_bytes() if self._settled is None else settled_rss_bytes().value or 0
