"""What a row of nights says: when its level changed, by how much, and where the next night has to lie.

Theory of operation. Values are logarithms, so that differences are ratios. Every night is looked at as the last of a
window of 1, 2, 3, 5, 8 or 13 nights. The window's mean is held against the centre of up to 15 nights before it, in
units of how far nights lie apart (Qn over up to 40 nights, which outliers move little and which uses 82 % of what the
values say; the median absolute deviation uses 37 %, and then 15 nights are far too few for limits this far out).
Within a window the largest night counts at most two spreads more than the next one, so that one bad night among good
ones is no new level. Limits come from simulation and hold the rate of false alarms at about one in 30,000 nights,
whatever the number of nights known; where many rows are watched at once they are wider, for all of them together.

Where a limit is passed, the new level begins at the split that explains the nights best, and everything starts anew
from there: the same change is not told twice. What creeps is invisible to windows, so the level is also held against
an anchor that does not move: the first 15 nights, or those someone chose, plus the changes that were told since.
"""

from __future__ import annotations

import bisect
import math
import statistics
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "FEWEST_NIGHTS",
    "REFERENCE_NIGHTS",
    "Band",
    "Shift",
    "Watched",
    "limit_of",
    "night_figure",
    "qn_spread",
    "watch",
]

REFERENCE_NIGHTS: Final = 15
"""How many previous nights a night is held against, and how many make the anchor."""
FEWEST_NIGHTS: Final = 10
"""With fewer nights before it, nothing is said of a night."""

_SPREAD_NIGHTS: Final = 40
_FEWEST_ANEW: Final = 3
"""Nights at a new level before windows are held against it; how far nights lie apart is known from before."""
_FEWEST_CREEPING: Final = 5
_CREEP_LIMIT: Final = 4.0
_PULL_IN: Final = 2.5
_CAP: Final = 2.0

WINDOWS: Final = (1, 2, 3, 5, 8, 13)
LIMITS: Final[dict[int, tuple[float, ...]]] = {
    10: (15.1, 9.43, 11.4, 13.7, 14.3, 14.7),
    12: (11.2, 8.01, 9.28, 10.9, 11.9, 11.3),
    15: (9.41, 6.92, 7.63, 8.38, 9.08, 9.51),
    20: (6.97, 5.74, 6.26, 6.62, 6.72, 6.67),
    25: (6.38, 5.24, 5.68, 6.00, 6.10, 5.95),
    30: (6.10, 4.95, 5.38, 5.61, 5.70, 5.70),
    40: (5.59, 4.63, 4.98, 5.16, 5.24, 5.14),
}
"""By nights that the spread is known from: for each window, what chance passes 3 to 20 times in a million nights.

Made by tests/simulation/history_limits.py.
"""


@dataclass(frozen=True, slots=True)
class Shift:
    """A change of level, as differences of logarithms: positive for more."""

    kind: Literal["step", "creep"]
    found: int
    """The night, from 0, after which it was certain."""
    since: int
    """The first night at the new level; for what crept, the first night after the level it is held against."""
    old: float
    """The level before."""
    change: float


@dataclass(frozen=True, slots=True)
class Band:
    """Where the next night has to lie, or it is a change of level by itself."""

    low: float
    centre: float
    high: float
    spread: float
    """How far nights lie apart: the standard deviation, were they normally distributed."""
    nights: int
    """How many the centre is known from."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What a row of nights says."""

    shifts: tuple[Shift, ...]
    """In the order they were found."""
    band: Band | None
    """From the nights before the last one and at its level; ``None`` with too few."""
    level: float | None
    """Of the last 15 nights since the last change; ``None`` without any night."""
    anchor: float | None
    """The level that does not move; ``None`` without any night."""
    start: int
    """The first night of the level of now."""


def night_figure(sessions: Sequence[float]) -> float:
    """Return what several sessions come to: their mean, of three or more without the least and the greatest.

    One session that the machine disturbed then moves the night little. Of five normally distributed sessions it costs
    5 % of what their mean would say; with heavier tails it says more.

    Raises:
        ValueError: There are none.
    """
    if not sessions:
        raise ValueError("a night without sessions has no figure")
    return statistics.fmean(sorted(sessions)[1:-1] if len(sessions) > 2 else sessions)


def qn_spread(values: Sequence[float]) -> float:
    """Return how far ``values`` lie apart, as a standard deviation: Rousseeuw and Croux's Qn, for small samples too.

    Raises:
        ValueError: There are fewer than two.
    """
    import numpy as np  # noqa: PLC0415 - only what reads a history pays for numpy

    return _qn(np.asarray(values, dtype=float))


def watch(
    values: Sequence[float],
    *,
    least_spread: float,
    least_change: float,
    creep: float,
    anchors: Sequence[int] = (),
    among: int = 1,
) -> Watched:
    """Return what ``values``, one a night and oldest first, say.

    Args:
        values: Logarithms, or anything in which a difference means the same wherever it lies.
        least_spread: Nights are taken to lie at least so far apart, however few and alike they are.
        least_change: A smaller change of level is none.
        creep: How far the level may move away from the anchor in small steps.
        anchors: After how many nights the level then was accepted as the anchor.
        among: How many rows are watched at once: limits are so much wider that all of them together raise about as
            many false alarms as one would alone.
    """
    import numpy as np  # noqa: PLC0415 - only what reads a history pays for numpy

    settings = _Settings(least_spread, least_change, creep, among)
    watcher = _Watcher(np.asarray(values, dtype=float), settings)
    accepted = set(anchors)
    for night in range(len(values)):
        if night in accepted:
            watcher.accept(night)
        watcher.look(night)
    if len(values) in accepted:
        watcher.accept(len(values))
    return watcher.watched()


def limit_of(window: int, nights: int, among: int = 1) -> float:
    """Return what a window of so many nights must pass where the spread is known from ``nights``, at least 10.

    Args:
        window: One of ``WINDOWS``.
        nights: How many the spread is known from.
        among: How many rows of nights are watched at once.
    """
    # As far out as limits are, being passed ten times less often takes 17 % with 40 nights known, and 41 % with ten:
    # a power of the number, fitted to the limits of two rarities. For normal tails that is more than enough.
    wider: float = _rounded_up(among) ** (0.04 + 1.1 / max(nights, FEWEST_NIGHTS))
    return _limit_of_one(window, nights) * wider


def _rounded_up(among: int) -> int:
    """Return 1, 3, 10, 30, …: one row more must not change what was said of past nights."""
    power: int = 10 ** (len(str(among)) - 1)
    return next(step * power for step in (1, 3, 10) if step * power >= among)


def _limit_of_one(window: int, nights: int) -> float:
    known = sorted(LIMITS)
    column = WINDOWS.index(window)
    above = bisect.bisect_left(known, nights)
    if above == len(known):
        return LIMITS[known[-1]][column]
    if above == 0:
        return LIMITS[known[0]][column]
    fewer, more = known[above - 1], known[above]
    # What few nights cost falls off with their number, so it is drawn as a line over its inverse.
    part = (1 / nights - 1 / more) / (1 / fewer - 1 / more)
    return LIMITS[more][column] + part * (LIMITS[fewer][column] - LIMITS[more][column])


@dataclass(frozen=True, slots=True)
class _Settings:
    least_spread: float
    least_change: float
    creep: float
    among: int


class _Watcher:
    """Goes from night to night; what it knows of the past is where levels began and what was left over of them."""

    def __init__(self, values: NDArray[np.float64], settings: _Settings) -> None:
        self._values = values
        self._least_spread = settings.least_spread
        self._least_change = settings.least_change
        self._creep = settings.creep
        self._among = settings.among
        self._start = 0
        self._residuals: list[float] = []
        self._known: dict[int, tuple[float, float, int, int] | None] = {}
        self._shifts: list[Shift] = []
        self._anchor: float | None = None
        self._held_against: float | None = None
        self._anchored = 0

    def look(self, night: int) -> None:
        shift = self._step(night)
        if shift is not None:
            self._begin_anew(shift)
            return
        if self._anchor is None and night + 1 - self._start >= REFERENCE_NIGHTS:
            self._drop_anchor(night + 1)
        shift = self._crept(night)
        if shift is not None:
            self._shifts.append(shift)
            self._held_against = self._level(night + 1)
            self._anchored = night + 1

    def accept(self, nights: int) -> None:
        """Take the level after so many nights for the anchor."""
        self._anchor = self._held_against = self._level(nights)
        self._anchored = nights

    def watched(self) -> Watched:
        count = len(self._values)
        if not count:
            return Watched((), None, None, None, 0)
        level = self._level(count)
        anchor = self._level(count) if self._anchor is None else self._anchor
        return Watched(tuple(self._shifts), self._band(count - 1), level, anchor, self._start)

    def _step(self, night: int) -> Shift | None:
        found: tuple[float, int] | None = None
        for window in WINDOWS:
            begin = night - window + 1
            before = self._before(begin)
            if before is None:
                break
            centre, spread, nights, known = before
            limit = limit_of(window, known, self._among)
            scale = spread * math.sqrt(1 / window + 1 / nights)
            recent = self._values[begin : night + 1] - centre
            for sign in (1, -1):
                mean = _capped_mean(sign * recent, _CAP * spread)
                if mean >= limit * scale and mean >= self._least_change:
                    excess = mean / (limit * scale)
                    found = max(found or (0.0, sign), (excess, sign))
        return None if found is None else self._located(night, found[1])

    def _located(self, night: int, sign: int) -> Shift:
        """Say where the level changed: the split of the nights at this level that explains them best."""
        first = max(self._start, night - 2 * max(WINDOWS))
        best = (-math.inf, night, 0.0, 0.0)
        for begin in range(max(first + 1, self._start + _FEWEST_ANEW), night + 1):
            old, new = self._values[first:begin], self._values[begin : night + 1]
            level = float(self._values[max(first, begin - REFERENCE_NIGHTS) : begin].mean())
            explained = sign * float(new.mean() - old.mean()) / math.sqrt(1 / len(old) + 1 / len(new))
            best = max(best, (explained, begin, level, float(new.mean()) - level))
        return Shift("step", night, *best[1:])

    def _begin_anew(self, shift: Shift) -> None:
        if self._anchor is None:
            self._drop_anchor(shift.since)
        if self._held_against is not None:
            self._held_against += shift.change
        past = self._values[self._start : shift.since]
        self._residuals = [*self._residuals, *(past - past.mean())][-_SPREAD_NIGHTS:]
        self._start = shift.since
        self._known.clear()
        self._shifts.append(shift)

    def _drop_anchor(self, nights: int) -> None:
        first = self._values[self._start : min(nights, self._start + REFERENCE_NIGHTS)]
        self._anchor = self._held_against = _centre(first, self._spread(nights))
        self._anchored = nights

    def _crept(self, night: int) -> Shift | None:
        begin = max(self._start, self._anchored, night + 1 - REFERENCE_NIGHTS)
        nights = night + 1 - begin
        if self._held_against is None or nights < _FEWEST_CREEPING:
            return None
        if abs(float(self._values[begin : night + 1].mean()) - self._held_against) < self._creep / 2:
            return None  # far from it, so the spread need not be known
        spread = self._spread(night + 1)
        change = _centre(self._values[begin : night + 1], spread) - self._held_against
        sure = _CREEP_LIMIT * spread * math.sqrt(1 / nights + 1 / REFERENCE_NIGHTS)
        if abs(change) < max(self._creep, self._least_change, sure):
            return None
        return Shift("creep", night, self._anchored, self._held_against, change)

    def _before(self, begin: int) -> tuple[float, float, int, int] | None:
        """Return centre and spread before a night, and how many nights each is known from."""
        # The windows of one night and of the next begin at the same nights.
        if begin not in self._known:
            self._known[begin] = self._look_back(begin)
        return self._known[begin]

    def _look_back(self, begin: int) -> tuple[float, float, int, int] | None:
        nights = min(REFERENCE_NIGHTS, begin - self._start)
        known = min(_SPREAD_NIGHTS, len(self._residuals) + begin - self._start)
        if nights < _FEWEST_ANEW or known < FEWEST_NIGHTS:
            return None
        spread = self._spread(begin)
        return _centre(self._values[begin - nights : begin], spread), spread, nights, known

    def _spread(self, end: int) -> float:
        import numpy as np  # noqa: PLC0415 - only what reads a history pays for numpy

        here = self._values[max(self._start, end - _SPREAD_NIGHTS) : end]
        before = self._residuals[len(here) - _SPREAD_NIGHTS :] if len(here) < _SPREAD_NIGHTS else []
        values = np.concatenate([here - here.mean(), before]) if before and len(here) else here
        return max(_qn(values), self._least_spread) if len(values) > 1 else self._least_spread

    def _level(self, nights: int) -> float | None:
        here = self._values[max(self._start, nights - REFERENCE_NIGHTS) : nights]
        return _centre(here, self._spread(nights)) if len(here) else None

    def _band(self, night: int) -> Band | None:
        before = self._before(night)
        if before is None:
            return None
        centre, spread, nights, known = before
        arm = max(limit_of(1, known, self._among) * spread * math.sqrt(1 + 1 / nights), self._least_change)
        return Band(centre - arm, centre, centre + arm, spread, nights)


def _capped_mean(window: NDArray[np.float64], most_above: float) -> float:
    """Return the mean of a window in which the largest value counts at most so much more than the next."""
    if len(window) == 1:
        return float(window[0])
    values: list[float] = window.tolist()
    *_, second, largest = sorted(values)
    return (math.fsum(values) - largest + min(largest, second + most_above)) / len(window)


def _centre(values: NDArray[np.float64], spread: float) -> float:
    """Return the mean, with what lies far from the median pulled in."""
    import numpy as np  # noqa: PLC0415 - only what reads a history pays for numpy

    middle = float(np.median(values))
    return float(np.clip(values, middle - _PULL_IN * spread, middle + _PULL_IN * spread).mean())


_SMALL_QN: Final = (0.399, 0.994, 0.512, 0.844, 0.611, 0.857, 0.669, 0.872)
"""For 2 to 9 values: what Qn must be multiplied with so that it does not come out too large."""


@lru_cache(maxsize=2 * _SPREAD_NIGHTS)
def _pairs(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    import numpy as np  # noqa: PLC0415 - only what reads a history pays for numpy

    rows, columns = np.triu_indices(count, 1)
    return rows, columns


def _qn(values: NDArray[np.float64]) -> float:
    import numpy as np  # noqa: PLC0415 - only what reads a history pays for numpy

    count = len(values)
    if count < 2:
        raise ValueError("one value lies nowhere apart")
    half = count // 2 + 1
    rank = half * (half - 1) // 2 - 1
    rows, columns = _pairs(count)
    apart = np.abs(values[rows] - values[columns])
    factor = _SMALL_QN[count - 2] if count <= 9 else count / (count + (1.4 if count % 2 else 3.8))
    return 2.2219 * factor * float(np.partition(apart, rank)[rank])
