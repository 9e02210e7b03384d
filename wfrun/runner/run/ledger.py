"""The planned ids, kept apart from the channels: a runner must not trust what it tests."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wfrun.runner.plan.planned import Plan
    from wfrun.runner.run.outcomes import Outcome

__all__ = ["audit"]

MOST_NAMED = 5


def audit(plan: Plan, outcomes: Iterable[Outcome]) -> tuple[str, ...]:
    """Return every contradiction between what was planned and what came back; none means each id has one outcome."""
    planned = {case.info.id for case in plan.cases}
    counted = Counter(outcome.case.info.id for outcome in outcomes)
    return (
        *_name("lost: no outcome for", [case_id for case_id in planned if not counted[case_id]]),
        *_name("several outcomes for", [case_id for case_id, count in counted.items() if count > 1]),
        *_name("an outcome for what was never planned:", [case_id for case_id in counted if case_id not in planned]),
    )


def _name(what: str, case_ids: list[str]) -> tuple[str, ...]:
    if not case_ids:
        return ()
    ordered = sorted(case_ids)
    more = f" and {len(ordered) - MOST_NAMED} more" if len(ordered) > MOST_NAMED else ""
    return (f"{what} {', '.join(ordered[:MOST_NAMED])}{more}",)
