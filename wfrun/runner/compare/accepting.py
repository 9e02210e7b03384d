"""Changes for the worse that someone decided to live with: up to the value that was accepted, until it expires."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wfrun.runner.compare.verdicts import Verdict
from wfrun.units import format_value

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from wfrun.runner.compare.verdicts import MetricComparison
    from wfrun.runner.record.models import AcceptedChange

__all__ = ["accepted_shown", "with_accepted"]


def with_accepted(
    rows: Iterable[MetricComparison], accepted: Iterable[AcceptedChange], at: datetime, *, other_machine: bool = False
) -> tuple[MetricComparison, ...]:
    """Return the rows, with each regression that was accepted marked so.

    What became worse than the accepted value by the row's threshold, and what was accepted until before ``at``, fails
    as ever, and its warnings say why the acceptance does not help.

    Args:
        rows: What a comparison found.
        accepted: What was decided.
        at: When the rows were measured.
        other_machine: Whether they were measured on another machine than the accepted values, so that only how many
            times as much it was can be held against them.
    """
    # Of several decisions on one metric the last one holds.
    decided = {(change.case_id, change.metric): change for change in accepted}
    found = ((row, decided.get((row.case_id, row.metric))) for row in rows)
    return tuple(_marked(row, _moved(change, row) if other_machine else change, at) for row, change in found)


def accepted_shown(change: AcceptedChange) -> str:
    """Return who accepted the change, until when, and why."""
    until = f" until {change.expires:%Y-%m-%d}" if change.expires is not None else ""
    commit = f" at commit {change.commit[:10]}" if change.commit else ""
    return f"accepted{until} by {change.accepted_by}{commit}: {change.reason}"


def _moved(change: AcceptedChange | None, row: MetricComparison) -> AcceptedChange | None:
    """Return the change as it would be on the machine of ``row``."""
    if change is None or row.old is None or change.old == 0:
        return change
    return change.model_copy(update={"old": row.old, "new": row.old * change.new / change.old})


def _marked(row: MetricComparison, change: AcceptedChange | None, at: datetime) -> MetricComparison:
    if change is None or row.verdict is not Verdict.REGRESSED or row.new is None:
        return row
    if change.expires is not None and change.expires <= at:
        doubt = f"what was accepted expired on {change.expires:%Y-%m-%d}, so it counts again: {change.reason}"
    elif _beyond(row.new, change.new, row):
        worse = f"{format_value(change.new, row.unit)} was accepted, and it is {format_value(row.new, row.unit)} now"
        doubt = f"worse than what was accepted by more than the threshold: {worse}"
    else:
        return replace(row, accepted=accepted_shown(change))
    return replace(row, warnings=(*row.warnings, doubt))


def _beyond(new: float, accepted: float, row: MetricComparison) -> bool:
    """Return whether ``new`` is worse than the accepted value by more than the threshold of the row."""
    margin = abs(accepted) * row.threshold_percent / 100
    return new > accepted + margin if row.better == "lower" else new < accepted - margin
