"""Cases that are gone through several times: each turn is planned, and accounted for, by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wfrun.runner.plan.plan import case_seed

if TYPE_CHECKING:
    from wfrun.runner.plan.planned import Plan

__all__ = ["measured_part", "turn_of"]


def turn_of(plan: Plan, turn: int) -> Plan:
    """Return the checked cases of ``plan`` in their turn number ``turn``, from 1.

    Where the plan has new seeds each turn has its own, so that chance is tried too: the session's for the first, which
    is what a session without repetition runs, and one more for each after it.
    """
    cases = []
    for case in plan.cases:
        if not case.measured:
            in_turn = case._replace(turn=turn)
            if plan.new_seeds and turn > 1:
                session_seed = plan.seed + turn - 1
                seed = case_seed(session_seed, case.info.id)
                in_turn = in_turn._replace(seed=seed, session_seed=session_seed)
            cases.append(in_turn)
    return replace(plan, cases=tuple(cases))


def measured_part(plan: Plan) -> Plan:
    """Return the measured cases of ``plan``, which repeat themselves already and have no turns."""
    return replace(plan, cases=tuple(case for case in plan.cases if case.measured))
