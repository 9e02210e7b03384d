"""A metric's verdict from pairs: pure, and exclusive by construction.

A change for the worse is positive, whichever direction is the good one. Regressed needs the whole interval beyond zero
*and* an estimate that reaches the threshold; improved is its mirror; same needs the whole interval within the
threshold; what is none of these is inconclusive, and says how small a change it could have shown.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wfrun.runner.compare.verdicts import Verdict
from wfrun.stats.signed_rank import paired_shift

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wfrun.measure.metrics import Metric
    from wfrun.stats.signed_rank import Shift

__all__ = ["Decision", "decide"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the pairs so far say about one metric."""

    metric: Metric
    base: float
    """Median over the processes of the base, in the metric's unit."""
    changed: float
    ratio: float | None
    """The estimate of changed by base; ``None`` where a number is zero or less, as differences are judged then."""
    interval: tuple[float, float] | None
    """Of the ratio; ``None`` where there is none, or too few pairs for one."""
    threshold_percent: float
    verdict: Verdict
    could_have_seen_percent: float | None
    """The smallest change that so many pairs so far apart would have shown; ``None`` where it is not known."""
    pairs: int
    doubts: tuple[str, ...] = ()

    @property
    def hopeful(self) -> bool:
        """Whether more pairs may yet turn it into a red one: undecided, and half of the threshold is reached."""
        if self.verdict is not Verdict.INCONCLUSIVE or self.ratio is None or not self.metric.gates:
            return False
        worse = self.ratio - 1 if self.metric.better == "lower" else 1 / self.ratio - 1
        return worse >= self.threshold_percent / 200


def decide(
    metric: Metric, base: Sequence[float], changed: Sequence[float], *, threshold_percent: float, error: float
) -> Decision:
    """Return the verdict over pairs of processes.

    Args:
        metric: What is judged.
        base: One number for each pair's process of the base, in the metric's unit.
        changed: The same for the changed tree, in the same order.
        threshold_percent: The smallest change that counts.
        error: How often the interval may miss the truth.

    Raises:
        ValueError: There is no pair, or the sides differ in length.
    """
    pairs = list(zip(base, changed, strict=True))
    old, new = statistics.median(base), statistics.median(changed)
    ratio: float | None
    interval: tuple[float, float] | None
    seen: float | None
    positive = min(old, new) > 0 and all(min(pair) > 0 for pair in pairs)
    if positive:
        shift = paired_shift([math.log(after / before) for before, after in pairs], error)
        # A thousandfold is as good as any larger change, and its exponential is a number.
        ratio = math.exp(max(-7.0, min(7.0, shift.estimate)))
        interval = _exponential(shift, ratio)
        verdict = _verdict(_worse(shift, metric), math.log1p(threshold_percent / 100))
        seen = None if shift.arm is None else max(threshold_percent, 100 * math.expm1(min(7.0, shift.arm)))
        doubts: tuple[str, ...] = ()
    else:
        shift = paired_shift([after - before for before, after in pairs], error)
        ratio, interval, seen = None, None, None
        verdict = _verdict(_worse(shift, metric), max(metric.slack, threshold_percent / 100 * abs(old)))
        doubts = ("a number is zero or less, so the difference was judged",) if any(map(any, pairs)) else ()
    if abs(new - old) < metric.slack and verdict in {Verdict.REGRESSED, Verdict.IMPROVED, Verdict.INCONCLUSIVE}:
        verdict = Verdict.SAME
    if verdict is Verdict.INCONCLUSIVE:
        doubts = (*doubts, _told(seen, shift.pairs))
    return Decision(metric, old, new, ratio, interval, threshold_percent, verdict, seen, shift.pairs, doubts)


def _worse(shift: Shift, metric: Metric) -> Shift:
    """Return the shift with the worse direction as the positive one."""
    if metric.better == "lower" or shift.interval is None:
        return shift if metric.better == "lower" else type(shift)(-shift.estimate, None, shift.pairs)
    low, high = shift.interval
    return type(shift)(-shift.estimate, (-high, -low), shift.pairs)


def _verdict(worse: Shift, threshold: float) -> Verdict:
    if worse.interval is None:
        return Verdict.INCONCLUSIVE
    low, high = worse.interval
    if low > 0 and worse.estimate >= threshold:
        return Verdict.REGRESSED
    if high < 0 and -worse.estimate >= threshold:
        return Verdict.IMPROVED
    if (low == high == 0) or (-threshold < low and high < threshold):
        return Verdict.SAME
    return Verdict.INCONCLUSIVE


def _exponential(shift: Shift, ratio: float) -> tuple[float, float] | None:
    if shift.interval is None:
        return None
    low, high = (math.exp(max(-7.0, min(7.0, end))) for end in shift.interval)
    # Rounding must not put the estimate outside of its interval.
    return min(low, ratio), max(high, ratio)


def _told(seen: float | None, pairs: int) -> str:
    if seen is None:
        return f"{pairs} pair{'s' * (pairs != 1)} of processes are too few for a verdict"
    return f"only a change of {seen:.1f} % or more could have been shown; a longer --budget shows less"
