"""What is to be accepted of a comparison: the changes for the worse of one case that somebody decided to live with."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from wfrun.errors import UsageError
from wfrun.runner.compare.verdicts import Verdict
from wfrun.runner.record.models import AcceptedChange

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from wfrun.runner.compare.verdicts import Comparison, MetricComparison

__all__ = ["Decision", "changes_to_accept"]


@dataclass(frozen=True, slots=True)
class Decision:
    """Who accepts, why, and until when."""

    reason: str
    by: str
    at: datetime
    expires: datetime | None
    """``None`` for never."""
    commit: str
    """What was measured; empty where that is not known."""


def changes_to_accept(
    comparison: Comparison, case_id: str, metrics: Sequence[str], decision: Decision
) -> tuple[AcceptedChange, ...]:
    """Return what is accepted: the named metrics, or else every gating one that regressed.

    Raises:
        UsageError: There is no such case or metric, or it did not get worse.
    """
    rows = {row.metric: row for row in comparison.metrics if row.case_id == case_id}
    if not rows:
        ids = list(dict.fromkeys(row.case_id for row in comparison.metrics))
        near = get_close_matches(case_id, ids, n=3) or [each for each in ids if case_id in each][:3]
        raise UsageError(f"no case has the id {case_id!r}; {_meant(near or ids[:5])}")
    for metric in metrics:
        if metric not in rows:
            near = [name for name in rows if metric in name] or get_close_matches(metric, rows, n=3) or list(rows)
            raise UsageError(f"{case_id} has no metric {metric!r}; {_meant(near)}")
    chosen = [rows[metric] for metric in dict.fromkeys(metrics)] or [
        row for row in rows.values() if row.gates and row.verdict is Verdict.REGRESSED
    ]
    if not chosen:
        verdicts = ", ".join(f"{row.metric} {row.verdict.value}" for row in rows.values() if row.gates)
        raise UsageError(f"{case_id} has no regression to accept ({verdicts}); --metric names what you mean")
    return tuple(_accepted(row, decision) for row in chosen)


def _accepted(row: MetricComparison, decision: Decision) -> AcceptedChange:
    if row.old is None or row.new is None or not _worse(row.old, row.new, row.better):
        raise UsageError(
            f"{row.metric} of {row.case_id} did not get worse ({row.verdict.value}), so there is nothing to accept"
        )
    return AcceptedChange(
        case_id=row.case_id,
        metric=row.metric,
        commit=decision.commit,
        reason=decision.reason,
        accepted_by=decision.by,
        accepted_at=decision.at,
        old=row.old,
        new=row.new,
        expires=decision.expires,
    )


def _worse(old: float, new: float, better: str) -> bool:
    return new > old if better == "lower" else new < old


def _meant(names: Sequence[str]) -> str:
    return f"there {'is' if len(names) == 1 else 'are'} {', '.join(names) or 'none'}"
