"""How sure a pooled floor is, and a ratio of two, found by drawing whole processes again.

Theory of operation. Samples within a process share its memory layout, its hash seed and its core, so they are not
independent evidence; processes are. A replicate therefore draws as many processes as there were, with replacement, and
takes the pooled floor of their samples. Five processes can be drawn in only 126 different ways, so each different draw
is computed once and counted as often as it came.

A replicate's floor is an order statistic of the multiset "each process's samples, as often as it was drawn". All draws
search for theirs at once, by bisection over the pooled sorted values: of each value it is known how many samples of
each process lie at or below it, and the weighted sum of those is its rank in the draw.

Few processes make the bootstrap too sure of itself: over six, its 99 % interval misses the truth in 7 to 11 of 100
comparisons. The interval is therefore stretched around the estimate by what Student's t and the lost degree of freedom
ask for at that number of processes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from wfrun.stats.percentiles import floor_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from wfrun.stats.percentiles import Better

    Floats: TypeAlias = NDArray[np.float64]
    Counts: TypeAlias = NDArray[np.int64]

__all__ = ["FEWEST_PROCESSES", "FloorEstimate", "FloorsCompared", "compare_floors", "estimate_floor"]

FEWEST_PROCESSES: Final = 5
"""With fewer, an interval is so wide that only large changes show; one process has none at all."""

_CONFIDENCE_PERCENT: Final = (0.5, 99.5)
_DRAWS: Final = 2000
_NORMAL_995: Final = 2.5758
# An interval beyond a thousandfold says nothing more, and stretched further its exponential would overflow.
_WIDEST: Final = math.log(1000.0)
# Student's t at 99.5 % for 1, 2, … degrees of freedom; beyond the table the error of the expansion is below 0.1 %.
_STUDENT_995: Final = (63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250, 3.169, 3.106, 3.055)


@dataclass(frozen=True, slots=True)
class FloorEstimate:
    """A pooled floor and how sure it is."""

    floor: float
    interval: tuple[float, float] | None
    """99 %, over processes; ``None`` with one process, which says nothing of others."""

    @property
    def half_width(self) -> float | None:
        """The longer arm of the interval."""
        if self.interval is None:
            return None
        return max(self.interval[1] - self.floor, self.floor - self.interval[0])


@dataclass(frozen=True, slots=True)
class FloorsCompared:
    """Two pooled floors, then and now. The intervals always contain their estimates."""

    old: float
    new: float
    ratio: float | None
    """``new / old``; ``None`` where either is zero or less, or may be for all that is known."""
    interval: tuple[float, float] | None
    """99 % interval of the ratio, over processes; ``None`` where there is no ratio, or a side has one process."""
    difference_interval: tuple[float, float] | None
    """99 % interval of ``new - old``; ``None`` where a side has one process."""


def estimate_floor(processes: Sequence[Sequence[float]], better: Better, *, seed: int = 0) -> FloorEstimate:
    """Return the pooled floor of ``processes`` with its 99 % interval. The same input and seed give the same answer.

    Raises:
        ValueError: No process has a sample.
    """
    side = _Side.of(processes, better, seed)
    if side.processes < 2:
        return FloorEstimate(side.floor, None)
    stretch = _stretch([(float(side.replicates.var()), side.processes)])
    return FloorEstimate(side.floor, _interval(side.replicates, side.floor, stretch))


def compare_floors(
    old: Sequence[Sequence[float]], new: Sequence[Sequence[float]], better: Better, *, seed: int = 0
) -> FloorsCompared:
    """Return the two pooled floors, their ratio and difference, and 99 % intervals of both.

    Each side is drawn again on its own, because processes of separate sessions do not come in pairs.

    Raises:
        ValueError: A side has no sample.
    """
    import numpy as np  # noqa: PLC0415 - only a measuring session pays for numpy

    then, now = _Side.of(old, better, 2 * seed), _Side.of(new, better, 2 * seed + 1)
    positive = min(then.floor, now.floor, float(then.replicates.min()), float(now.replicates.min())) > 0
    ratio = now.floor / then.floor if positive else None
    if min(then.processes, now.processes) < 2:
        return FloorsCompared(then.floor, now.floor, ratio, None, None)
    sizes = (then.processes, now.processes)
    stretch = _stretch([(float(s.replicates.var()), s.processes) for s in (then, now)])
    difference = _interval(now.replicates - then.replicates, now.floor - then.floor, stretch)
    if ratio is None:
        return FloorsCompared(then.floor, now.floor, None, None, difference)
    logs = np.log(then.replicates), np.log(now.replicates)
    stretch = _stretch([(float(side.var()), size) for side, size in zip(logs, sizes, strict=True)])
    low, high = _interval(logs[1] - logs[0], math.log(ratio), stretch)
    # The exponential may round past the estimate that the interval must contain.
    bounds = (min(math.exp(max(low, -_WIDEST)), ratio), max(math.exp(min(high, _WIDEST)), ratio))
    return FloorsCompared(then.floor, now.floor, ratio, bounds, difference)


@dataclass(frozen=True, slots=True)
class _Side:
    """One session's floor and its replicates."""

    floor: float
    replicates: Floats
    processes: int

    @classmethod
    def of(cls, processes: Sequence[Sequence[float]], better: Better, seed: int) -> _Side:
        import numpy as np  # noqa: PLC0415 - only a measuring session pays for numpy

        filled = [np.asarray(process, dtype=float) for process in processes if len(process)]
        if not filled:
            raise ValueError("no process has a sample, so there is no floor")
        draws, which = _draws(len(filled), seed)
        everything = np.ones((1, len(filled)), dtype=np.int64)
        floors = _floors(filled, np.concatenate([everything, draws]), floor_quantile(better))
        return cls(float(floors[0]), floors[1:][which], len(filled))


@lru_cache(maxsize=64)
def _draws(processes: int, seed: int) -> tuple[Counts, Counts]:
    """Return the different draws (how often each process came) and, for each of the draws made, which one it was."""
    import numpy as np  # noqa: PLC0415 - only a measuring session pays for numpy

    generator = np.random.default_rng((seed, processes))
    counts = generator.multinomial(processes, np.full(processes, 1.0 / processes), size=_DRAWS)
    different, which = np.unique(counts, axis=0, return_inverse=True)
    return different.astype(np.int64), which.reshape(-1).astype(np.int64)


def _floors(processes: Sequence[Floats], draws: Counts, quantile: float) -> Floats:
    """Return, for each draw, the quantile of its samples, interpolated as ``percentiles`` does."""
    import numpy as np  # noqa: PLC0415 - only a measuring session pays for numpy

    sizes = np.array([len(process) for process in processes], dtype=np.int64)
    values = np.sort(np.concatenate(processes))
    # at_or_below[k, p]: how many samples of process p are no greater than the k-th pooled value.
    at_or_below = np.stack([np.searchsorted(np.sort(process), values, side="right") for process in processes], axis=1)
    rank = quantile * (draws @ sizes - 1)
    lower_rank = np.floor(rank).astype(np.int64)
    upper_rank = np.minimum(lower_rank + 1, draws @ sizes - 1)
    lower = values[_first_beyond(at_or_below, draws, lower_rank)]
    upper = values[_first_beyond(at_or_below, draws, upper_rank)]
    found: Floats = lower + (upper - lower) * (rank - lower_rank)
    return found


def _first_beyond(at_or_below: Counts, draws: Counts, rank: Counts) -> Counts:
    """Return, for each draw, the first pooled index with more than ``rank`` drawn samples at or below it."""
    import numpy as np  # noqa: PLC0415 - only a measuring session pays for numpy

    low = np.zeros(len(draws), dtype=np.int64)
    high = np.full(len(draws), len(at_or_below) - 1, dtype=np.int64)
    for _ in range(len(at_or_below).bit_length()):
        middle = (low + high) // 2
        beyond = (at_or_below[middle] * draws).sum(axis=1) > rank
        high = np.where(beyond, middle, high)
        low = np.where(beyond, low, np.minimum(middle + 1, high))
    return high


def _stretch(sides: Sequence[tuple[float, int]]) -> float:
    """Return by how much an interval over few processes must be longer; ``sides`` are (variance, processes).

    The degrees of freedom are Welch's, so that a steady side with many processes does not pay for the other.
    """
    total = sum(variance for variance, _ in sides)
    if total <= 0.0:
        return 1.0
    unbiased = sum(variance * n / (n - 1) for variance, n in sides)
    freedom = total**2 / sum(variance**2 / (n - 1) for variance, n in sides)
    return _student(freedom) / _NORMAL_995 * math.sqrt(unbiased / total)


def _student(freedom: float) -> float:
    whole = max(1, math.floor(freedom))
    if whole <= len(_STUDENT_995):
        return _STUDENT_995[whole - 1]
    z = _NORMAL_995
    return z + (z**3 + z) / (4 * whole) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * whole**2)


def _interval(replicates: Floats, estimate: float, stretch: float) -> tuple[float, float]:
    import numpy as np  # noqa: PLC0415 - only a measuring session pays for numpy

    low, high = (float(bound) for bound in np.percentile(replicates, _CONFIDENCE_PERCENT))
    return (
        min(estimate, estimate + (low - estimate) * stretch),
        max(estimate, estimate + (high - estimate) * stretch),
    )
