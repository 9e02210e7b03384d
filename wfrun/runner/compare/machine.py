"""Whether two records may be compared at all, and how fast the machine was each time."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wfrun.measure.environment import HARD_KEYS
from wfrun.stats.percentiles import pooled_floor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Comparability", "busier", "comparability", "slowdown"]

_PYTHON_KEY: Final = "python_minor"

_WORTH_A_WORD: Final = ("python", "implementation", "build", "kernel", "os", "dependencies_hash", "virtualised")
"""Parts of a fingerprint that may explain a change without forbidding the comparison."""


@dataclass(frozen=True, slots=True)
class Comparability:
    """What may not be compared, and why; empty texts where nothing stands against it."""

    nothing: str = ""
    """Why no metric may be compared."""
    no_times: str = ""
    """Why times may not be compared, while memory and counts may."""
    notes: tuple[str, ...] = ()
    """What else is different."""


def comparability(then: Mapping[str, object], now: Mapping[str, object]) -> Comparability:
    """Return what the two fingerprints allow."""
    if then.get(_PYTHON_KEY) != now.get(_PYTHON_KEY):
        reason = f"Python {then.get(_PYTHON_KEY)} then, {now.get(_PYTHON_KEY)} now: record a baseline with this one"
        return Comparability(nothing=reason)
    differing = [key for key in HARD_KEYS if then.get(key) != now.get(key)]
    notes = tuple(
        f"{key.replace('_', ' ')} differs from the baseline's: {_shown(then.get(key))} then, {_shown(now.get(key))} now"
        for key in _WORTH_A_WORD
        if then.get(key) != now.get(key)
    )
    if not differing:
        return Comparability(notes=notes)
    facts = ", ".join(
        f"{key.replace('_', ' ')} {_shown(then.get(key))} then, {_shown(now.get(key))} now" for key in differing
    )
    return Comparability(no_times=f"another machine ({facts}): record a baseline on this one", notes=notes)


def slowdown(then: Sequence[Sequence[float]], now: Sequence[Sequence[float]]) -> float | None:
    """Return how much longer the fixed loop took than then, 1.1 for 10 %; ``None`` where a side did not time it.

    Two estimators are asked and believed only as far as they agree, because each has a way of its own to go wrong: the
    pooled floor follows one process that happened to be fast, the median of the processes' least times follows a bad
    stretch that slowed most of them and that the metrics' own floors saw through.
    """
    before, after = [process for process in then if process], [process for process in now if process]
    if not before or not after:
        return None
    by_floor = pooled_floor(after, "lower") / pooled_floor(before, "lower")
    by_median = _median_of_least(after) / _median_of_least(before)
    if (by_floor > 1) != (by_median > 1):
        return 1.0
    return min(by_floor, by_median) if by_floor > 1 else max(by_floor, by_median)


def busier(then: Sequence[float | None], now: Sequence[float | None]) -> float | None:
    """Return how much more of all processors' time others took than then; ``None`` where a side does not know.

    The median over the processes: a bad stretch that touched few of them is what rounds and floors are for.
    """
    before, after = [share for share in then if share is not None], [share for share in now if share is not None]
    return statistics.median(after) - statistics.median(before) if before and after else None


def _median_of_least(processes: Sequence[Sequence[float]]) -> float:
    return statistics.median(min(process) for process in processes)


def _shown(value: object) -> str:
    if isinstance(value, list):
        return " ".join(str(part) for part in value) or "none"
    return "unknown" if value is None else str(value)
