"""One metric's verdict, from its floors then and now: pure decisions, exclusive by construction.

A change for the worse is positive here, whichever direction is the good one. Regressed needs the whole interval beyond
zero *and* an estimate that reaches the threshold; same needs the whole interval within the threshold. As the interval
contains the estimate, no two of them can hold at once; what is neither is inconclusive.

Times also depend on how fast the machine was. Dividing every time by the duration of a fixed loop sounds right and is
not: between 84 sessions on a shared machine the floors of a queue benchmark lay 0.7 % apart (rms over all pairs), and
2 to 3 % once divided, because the loop scatters more than the floors do. The loop therefore only objects: where it
says that the machine changed, a verdict must hold with its correction and without.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wfrun.runner.compare.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wfrun.stats.percentiles import Better
    from wfrun.stats.resampling import FloorsCompared

__all__ = [
    "CALIBRATION_TOLERANCE",
    "OTHERS_TOLERANCE",
    "Judgement",
    "Limits",
    "judge",
    "unless_disturbed",
    "unless_inexact",
]

COUNT_TOLERANCE: Final = 0.005
"""Passes of one process that differ by more do not do the same work twice: waiting, threads and chance are in it."""

CALIBRATION_TOLERANCE: Final = 0.02
"""Between sessions on one machine the fixed loop lies 2.5 % apart (rms).

Less than that is its own scatter; more may be the machine. At twice as much, unchanged code was called 6 % slower on a
host that had slowed down by about as much. An objection only makes a verdict inconclusive, so it may come early.
"""

OTHERS_TOLERANCE: Final = 0.1
"""On a quiet machine the share that others take stays below half of this; one busy program on two cores takes 0.5."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a change must reach to count."""

    threshold: float
    """As a part of the old value: 0.05 is 5 %."""
    slack: float = 0.0
    """An absolute difference below this, in the metric's unit, is never a change."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and the doubts that belong to it."""

    verdict: Verdict
    warnings: tuple[str, ...] = ()
    could_have_seen_percent: float | None = None
    """The smallest change that could have been shown, where none was."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A change as a part of the old value, positive for the worse."""

    estimate: float
    low: float
    high: float


def judge(compared: FloorsCompared, better: Better, limits: Limits, slowdown: float | None = None) -> Judgement:
    """Return the verdict over two floors.

    Args:
        compared: The floors and their intervals.
        better: Which direction is the good one.
        limits: What a change must reach.
        slowdown: How much longer the fixed loop took than then, 1.1 for 10 %; ``None`` where that says nothing about
            this metric, or is not known.
    """
    if compared.difference_interval is None:
        return Judgement(Verdict.INCONCLUSIVE, ("a side has one process, which says nothing about others",))
    if limits.slack > 0 and abs(compared.new - compared.old) < limits.slack:
        return Judgement(Verdict.SAME)
    if compared.ratio is None or compared.interval is None:
        return _judge_difference(compared, better, limits)
    plain = _change(compared.ratio, compared.interval, better)
    verdict = _verdict(plain, limits.threshold)
    if slowdown is not None and abs(math.log(slowdown)) > math.log1p(CALIBRATION_TOLERANCE):
        factor = 1 / slowdown if better == "lower" else slowdown
        low, high = compared.interval
        corrected = _verdict(_change(compared.ratio * factor, (low * factor, high * factor), better), limits.threshold)
        if _contradicts(verdict, corrected):
            return Judgement(Verdict.INCONCLUSIVE, (_machine_changed(slowdown, corrected),))
    if verdict is Verdict.INCONCLUSIVE:
        percent = _could_have_seen_percent(plain, limits.threshold)
        doubt = f"only a change of {percent:.1f} % or more could have been shown; more processes show less"
        return Judgement(verdict, (doubt,), percent)
    return Judgement(verdict)


def unless_disturbed(judgement: Judgement, ratio: float | None, better: Better, busier: float | None) -> Judgement:
    """Return ``judgement``, or that nothing can be said, where other programs explain a change as well as the code.

    A neighbour on another core took 8 to 9 % off cases that move much memory, in every process, and when measured again
    too; the fixed loop kept its speed. A change beyond what sharing all processors evenly would cost, which is twice
    the time where others took half, is not explained.

    Args:
        judgement: Over a time.
        ratio: New by old, where there is one.
        better: Which direction is the good one.
        busier: How much more of the machine others took than then, as a part of all processors' time; ``None`` where
            that is not known.
    """
    if busier is None or abs(busier) <= OTHERS_TOLERANCE:
        return judgement
    suspected = Verdict.REGRESSED if busier > 0 else Verdict.IMPROVED
    if judgement.verdict is not suspected:
        return judgement
    slower = ratio if better == "lower" or not ratio else 1 / ratio
    explained = 1 / (1 - min(abs(busier), 0.99))
    if slower and not 1 / explained <= slower <= explained:
        return judgement
    doubt = (
        f"{suspected.value}, but other programs took {abs(busier) * 100:.0f} % of the machine "
        f"{'more' if busier > 0 else 'less'} than at the baseline: measure again while it is quiet"
    )
    return Judgement(Verdict.INCONCLUSIVE, (*judgement.warnings, doubt))


def unless_inexact(judgement: Judgement, sides: Sequence[Sequence[Sequence[float]]]) -> Judgement:
    """Return ``judgement`` over a count, or that nothing can be said, where a side's own passes differ.

    Args:
        judgement: Over a count.
        sides: Of each side, the passes of its processes.
    """
    if judgement.verdict not in {Verdict.REGRESSED, Verdict.IMPROVED}:
        return judgement
    ranges = [(min(process), max(process)) for side in sides for process in side if process]
    apart = max((1 - least / greatest for least, greatest in ranges if greatest > 0), default=0.0)
    if apart <= COUNT_TOLERANCE:
        return judgement
    doubt = f"{judgement.verdict.value}, but passes of one process already differ by {apart * 100:.1f} %"
    return Judgement(Verdict.INCONCLUSIVE, (*judgement.warnings, doubt))


def _verdict(change: _Change, threshold: float) -> Verdict:
    if change.low == change.high == 0:
        return Verdict.SAME
    if change.low > 0 and change.estimate >= threshold:
        return Verdict.REGRESSED
    if change.high < 0 and -change.estimate >= threshold:
        return Verdict.IMPROVED
    if -threshold < change.low and change.high < threshold:
        return Verdict.SAME
    return Verdict.INCONCLUSIVE


def _change(ratio: float, interval: tuple[float, float], better: Better) -> _Change:
    low, high = interval
    return _Change(ratio - 1, low - 1, high - 1) if better == "lower" else _Change(1 - ratio, 1 - high, 1 - low)


def _judge_difference(compared: FloorsCompared, better: Better, limits: Limits) -> Judgement:
    """Judge where a ratio means nothing because a side is, or may be, zero: by the difference itself."""
    if compared.difference_interval is None:
        raise ValueError("no interval, so nothing to judge by")
    sign = 1 if better == "lower" else -1
    ends = sorted(sign * end for end in compared.difference_interval)
    difference = _Change(sign * (compared.new - compared.old), ends[0], ends[1])
    threshold = max(limits.slack, limits.threshold * max(compared.old, 0.0))
    verdict = _verdict(difference, threshold)
    doubts = ("a side is zero or may be, so only the difference was judged",) if verdict is not Verdict.SAME else ()
    return Judgement(verdict, doubts)


def _contradicts(plain: Verdict, corrected: Verdict) -> bool:
    if plain in (Verdict.REGRESSED, Verdict.IMPROVED):
        return corrected is not plain
    # A faster machine may hide a regression; that a slower one hides an improvement harms nobody.
    return plain is Verdict.SAME and corrected is Verdict.REGRESSED


def _machine_changed(slowdown: float, corrected: Verdict) -> str:
    direction = "slower" if slowdown > 1 else "faster"
    return (
        f"the machine was {abs(slowdown - 1) * 100:.0f} % {direction} than at the baseline (by a fixed loop); "
        f"corrected for that the verdict would be {corrected.value}: measure both on the machine as it is now"
    )


def _could_have_seen_percent(change: _Change, threshold: float) -> float:
    return max(change.estimate - change.low, change.high - change.estimate, threshold) * 100
