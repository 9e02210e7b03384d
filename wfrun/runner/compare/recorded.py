"""A comparison made into what the session's record keeps of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.runner.record.comparison_record import ComparedMetric, ComparisonRecord

if TYPE_CHECKING:
    from wfrun.runner.compare.verdicts import Comparison

__all__ = ["record_of"]

_KEPT = tuple(ComparedMetric.model_fields)


def record_of(comparison: Comparison | None) -> ComparisonRecord | None:
    """Return ``comparison``, where there was one, as it is kept; the new side's samples are with its outcomes."""
    if comparison is None:
        return None
    return ComparisonRecord(
        baseline=str(comparison.baseline_path),
        old_name=comparison.old_name,
        new_name=comparison.new_name,
        metrics=tuple(
            ComparedMetric(**{name: getattr(metric, name) for name in _KEPT}) for metric in comparison.metrics
        ),
        warnings=comparison.warnings,
    )
