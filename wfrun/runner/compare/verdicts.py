"""What a comparison says, metric by metric."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Comparison", "MetricComparison", "Verdict"]


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


@dataclass(frozen=True, slots=True)
class Comparison:
    """A session's record held against a baseline."""

    baseline_path: Path
    metrics: tuple[MetricComparison, ...]
    warnings: tuple[str, ...] = ()
    """What concerns the whole comparison: another machine, another commit's dirty tree, cases gone."""

    @property
    def regressed(self) -> tuple[MetricComparison, ...]:
        """The gating metrics that got worse: not empty means exit 3."""
        return tuple(m for m in self.metrics if m.gates and m.verdict is Verdict.REGRESSED)
