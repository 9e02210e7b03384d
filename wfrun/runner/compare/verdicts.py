"""What a comparison says, metric by metric."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from wfrun.runner.options import FailOn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wfrun.runner.compare.why import FunctionChange

__all__ = ["Comparison", "LatencyCompared", "MetricComparison", "Verdict"]


class Verdict(StrEnum):
    """Exactly one holds for each metric of each case."""

    REGRESSED = "regressed"
    IMPROVED = "improved"
    SAME = "same"
    INCONCLUSIVE = "inconclusive"
    NOT_COMPARABLE = "not comparable"
    MISSING = "missing"
    """In the baseline and selected by this session's options, but no longer measured: gone or renamed."""
    NEW = "new"
    """Measured now, not in the baseline."""


VERDICTS: Final = {
    FailOn.REGRESSED: Verdict.REGRESSED,
    FailOn.INCONCLUSIVE: Verdict.INCONCLUSIVE,
    FailOn.NOT_COMPARABLE: Verdict.NOT_COMPARABLE,
    FailOn.MISSING: Verdict.MISSING,
    FailOn.NEW: Verdict.NEW,
}
"""The verdicts that a user may want to fail for."""


@dataclass(frozen=True, slots=True)
class MetricComparison:
    """One metric of one case, then and now."""

    case_id: str
    title: str
    metric: str
    unit: str
    better: str
    """``lower`` or ``higher``."""
    old: float | None
    """The baseline's pooled floor, in ``unit``."""
    new: float | None
    ratio: float | None
    """``new / old`` of the floors; ``None`` where either is missing or zero."""
    interval: tuple[float, float] | None
    """Of the ratio, over processes."""
    threshold_percent: float
    """What the change must reach to count: the user's, or the metric's own widened by the noise seen."""
    gates: bool
    """Whether a regression here fails the session; others are shown as advice."""
    verdict: Verdict
    warnings: tuple[str, ...] = ()
    old_samples: tuple[tuple[float, ...], ...] = ()
    """One tuple a process, in ``unit``, for those who draw them; empty where there are none."""
    new_samples: tuple[tuple[float, ...], ...] = ()
    could_have_seen_percent: float | None = None
    """The smallest change that these samples could have shown, where they showed none; ``None`` if unknown."""
    accepted: str = ""
    """Who lives with this change for the worse, until when and why; it then fails nothing. Empty for nobody."""
    why: tuple[FunctionChange, ...] = ()
    """Of a metric that regressed, the functions that are likely to be the reason, the dearest first."""
    source_changed: bool = False
    """Whether the text of the case is another than then, so that it may measure something else."""


@dataclass(frozen=True, slots=True)
class LatencyCompared:
    """The latencies of a case's single operations, then and now: histograms as ``Histogram.to_pairs`` gives them."""

    old: tuple[tuple[int, int], ...] = ()
    new: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """A session's record held against a baseline."""

    baseline_path: Path
    metrics: tuple[MetricComparison, ...]
    warnings: tuple[str, ...] = ()
    """What concerns the whole comparison: another machine, another commit's dirty tree, cases gone."""
    latencies: Mapping[str, LatencyCompared] = field(default_factory=dict)
    """By case id, for the cases that record latencies."""
    old_name: str = "baseline"
    """What readers call the old side, in a word or two."""
    new_name: str = "now"
    fail_on: frozenset[FailOn] = frozenset({FailOn.REGRESSED})
    """What the user wants to fail for."""
    machine_noise: str = ""
    """What this machine was found to call different where nothing is; empty where nobody has measured that."""

    @property
    def regressed(self) -> tuple[MetricComparison, ...]:
        """The gating metrics that got worse, those left out that were accepted."""
        return tuple(m for m in self.metrics if m.gates and m.verdict is Verdict.REGRESSED and not m.accepted)

    @property
    def failing(self) -> tuple[MetricComparison, ...]:
        """The gating metrics for which the session is to fail: not empty means exit 3."""
        return tuple(m for m in self.metrics if m.gates and self._fails(m))

    def _fails(self, metric: MetricComparison) -> bool:
        if metric.source_changed and FailOn.CHANGED in self.fail_on:
            return True
        return any(metric.verdict is VERDICTS[reason] for reason in self.fail_on if reason in VERDICTS) and not (
            metric.verdict is Verdict.REGRESSED and metric.accepted
        )
