"""Whether two records may be compared at all, and how fast the machine was each time."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wfrun.measure.environment import HARD_KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Comparability", "comparability", "slowdown", "speed_ns"]

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


def speed_ns(calibration_ns: Sequence[Sequence[float]]) -> float | None:
    """Return how long the fixed loop took: the median over processes of each one's least; ``None`` where none took it.

    Of the estimators tried this one moves least between sessions: a rare fast process misleads a pooled floor.
    """
    least = [min(process) for process in calibration_ns if process]
    return statistics.median(least) if least else None


def slowdown(then: Sequence[Sequence[float]], now: Sequence[Sequence[float]]) -> float | None:
    """Return how much longer the loop took than then, 1.1 for 10 %; ``None`` where a side did not time it."""
    before, after = speed_ns(then), speed_ns(now)
    return after / before if before and after else None


def _shown(value: object) -> str:
    if isinstance(value, list):
        return " ".join(str(part) for part in value) or "none"
    return "unknown" if value is None else str(value)
