"""Everything a report is made of: what was looked for, planned, run, recorded and compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wfrun.runner.child.messages import Status
from wfrun.runner.report.commands import Commands, Hint
from wfrun.runner.run.reproduce import Proof, Reproduction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wfrun.runner.compare.verdicts import Comparison
    from wfrun.runner.discover.discovery import Discovery
    from wfrun.runner.plan.planned import Plan, PlannedCase
    from wfrun.runner.record.record import Recording
    from wfrun.runner.record.session_record import SessionRecord
    from wfrun.runner.run.outcomes import Outcome, RunResult

__all__ = ["SessionStory"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStory:
    """One session, told from its beginning to its end."""

    discovery: Discovery
    plan: Plan
    result: RunResult
    record: SessionRecord | None = None
    """Where the figures of measured cases come from; it need not have the others."""
    recording: Recording | None = None
    """What ``--json`` writes; ``None`` where that is the record."""
    comparison: Comparison | None = None
    table: str = ""
    """What a tool found over all cases, such as the coverage; empty for nothing."""
    notes: tuple[str, ...] = ()
    """Sentences for the reader about the session itself: what was written where, what could not be kept."""
    known_hints: Mapping[tuple[str, int], Sequence[Hint]] = field(default_factory=dict)
    """The commands that are known to make failures come back, by the keys of their cases."""

    def hints(self, outcome: Outcome) -> list[Hint]:
        """Return the commands that bring this failure back; none for what did not fail."""
        if not (outcome.status.bad or outcome.flaky):
            return []
        known = self.known_hints.get(outcome.case.key)
        if known is None:
            proof = Proof.UNTRIED if outcome.before else Proof.RAN_SO
            known = Commands().hints(Reproduction(outcome.case, proof, outcome.before))
        return list(known)

    stages_s: Mapping[str, float] = field(default_factory=dict)
    """How long each stage took, in seconds; empty where nobody asked."""

    @property
    def not_run(self) -> tuple[PlannedCase, ...]:
        """The planned cases that never ran to an end, because the session ended before their turn."""
        outcomes = self.result.outcomes
        if len(outcomes) == len(self.plan.cases) and not outcomes.counts()[Status.NOT_RUN]:
            return ()
        finished = {outcome.case.key for outcome in outcomes if outcome.status is not Status.NOT_RUN}
        return tuple(case for case in self.plan.cases if case.key not in finished)
