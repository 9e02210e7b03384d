"""The story of a session from its record, to be reported again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.authoring.info import CaseInfo
from wfrun.runner.child.messages import FixtureFailure, LoadFailure
from wfrun.runner.discover.discovery import Discovery
from wfrun.runner.plan.planned import Plan, PlannedCase
from wfrun.runner.report.commands import Hint
from wfrun.runner.report.story import SessionStory
from wfrun.runner.run.outcomes import Attempt, CapturedOutput, Outcome, Outcomes, RunResult

if TYPE_CHECKING:
    from wfrun.runner.record.session_record import OutcomeRecord, SessionRecord

__all__ = ["story_of"]


def story_of(record: SessionRecord) -> SessionStory:
    """Return the story that ``record`` tells: all of it but what a comparison said."""
    outcomes = Outcomes(map(_outcome, record.outcomes))
    failures = tuple(LoadFailure(f.file, f.message, f.traceback) for f in record.load_failures)
    plan = Plan(
        cases=tuple(outcomes.cases()),
        seed=record.seed,
        discovered=record.discovered,
        order=record.order,
        selected=record.selected,
        in_shard=record.in_shard,
        selection_digest=record.selection,
    )
    fixture_failures = tuple(FixtureFailure(**failure.model_dump()) for failure in record.fixture_failures)
    return SessionStory(
        discovery=Discovery((), tuple(case.info for case in plan.cases), failures),
        plan=plan,
        result=RunResult(
            outcomes, record.interrupted, record.faults, record.duration_s, fixture_failures=fixture_failures
        ),
        record=record,
        known_hints={
            (outcome.id, outcome.turn): [Hint(each.about, each.command) for each in outcome.reproduce]
            for outcome in record.outcomes
        },
    )


def _outcome(record: OutcomeRecord) -> Outcome:
    info = CaseInfo(
        id=record.id,
        title=record.title,
        suite_title=record.suite,
        kinds=record.kinds,
        tags=record.tags,
        file=record.file,
        line=record.line,
        parameters=record.parameters,
        timeout_s=None,
        own_process=False,
        virtual_time=False,
        pinned=True,
        source_hash=record.source_hash,
        tier=record.tier,
    )
    return Outcome(
        case=PlannedCase(info, measured=record.measured, seed=record.seed, timeout_s=0.0, turn=record.turn),
        status=record.status,
        duration_s=record.duration_s,
        message=record.message,
        details=record.details,
        output=CapturedOutput(record.output, record.output_dropped_bytes),
        items=record.items,
        notes=dict(record.notes),
        unfinished_teardowns=record.unfinished_teardowns,
        findings=record.findings,
        attempts=tuple(
            Attempt(each.status, each.duration_s, each.message, each.details, CapturedOutput(each.output))
            for each in record.attempts
        ),
    )
