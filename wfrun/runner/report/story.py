"""Everything a report is made of: what was looked for, planned, run, recorded and compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wfrun.runner.child.messages import Status

if TYPE_CHECKING:
    from wfrun.runner.compare.verdicts import Comparison
    from wfrun.runner.discover.discovery import Discovery
    from wfrun.runner.plan.planned import Plan, PlannedCase
    from wfrun.runner.record.session_record import SessionRecord
    from wfrun.runner.run.outcomes import RunResult

__all__ = ["SessionStory"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStory:
    """One session, told from its beginning to its end."""

    discovery: Discovery
    plan: Plan
    result: RunResult
    record: SessionRecord | None = None
    """Where the figures of measured cases come from, and what ``--json`` writes."""
    comparison: Comparison | None = None
    notes: tuple[str, ...] = ()
    """Sentences for the reader about the session itself: what was written where, what could not be kept."""

    @property
    def not_run(self) -> tuple[PlannedCase, ...]:
        """The planned cases that never ran to an end, because the session ended before their turn."""
        finished = {outcome.case.info.id for outcome in self.result.outcomes if outcome.status is not Status.NOT_RUN}
        return tuple(case for case in self.plan.cases if case.info.id not in finished)
