"""The planned ids, kept apart from the channels: a runner must not trust what it tests."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wfrun.runner.plan.planned import Plan, PlannedCase

__all__ = ["audit"]

MOST_NAMED = 5


def audit(plan: Plan, finished: Iterable[PlannedCase]) -> tuple[str, ...]:
    """Return every contradiction between what was planned and what came back: ``finished``, a case for each outcome.

    None means that each id has one outcome, or one for each of its turns.
    """
    # Not by their property: there may be very many.
    planned = {(case.info.id, case.turn) for case in plan.cases}
    counted = Counter([(case.info.id, case.turn) for case in finished])
    return (
        *_name("lost: no outcome for", [key for key in planned if not counted[key]]),
        *_name("several outcomes for", [key for key, count in counted.items() if count > 1]),
        *_name("an outcome for what was never planned:", [key for key in counted if key not in planned]),
    )


def _name(what: str, keys: list[tuple[str, int]]) -> tuple[str, ...]:
    if not keys:
        return ()
    ordered = [f"{case_id} #{turn}" if turn else case_id for case_id, turn in sorted(keys)]
    more = f" and {len(ordered) - MOST_NAMED} more" if len(ordered) > MOST_NAMED else ""
    return (f"{what} {', '.join(ordered[:MOST_NAMED])}{more}",)
