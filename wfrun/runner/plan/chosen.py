"""Cases named one by one: by their ids, or because they failed when they last ran."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING

from wfrun.errors import NothingSelected
from wfrun.runner.options import DEFAULT_KINDS
from wfrun.runner.plan.planned import Deselected

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wfrun.authoring.info import CaseInfo
    from wfrun.runner.options import Selection
    from wfrun.runner.plan.planned import Plan

__all__ = ["failed_cases_first", "named_cases", "only_failed"]


def named_cases(
    cases: Sequence[CaseInfo], selection: Selection, *, refuse: bool = True
) -> tuple[Sequence[CaseInfo], Selection]:
    """Return the cases that ``selection`` names by their ids, in that order, and what is left to choose among them.

    Without ids, everything as it is. A case that is named is taken whatever its kind, unless kinds are named too: one
    that can be checked is checked, one that can only be measured is measured.

    Raises:
        NothingSelected: An id is nobody's, and ``refuse`` is set. That is so also when others are there: what was to
            run before a case must not be left out in silence.
    """
    if not selection.case_ids:
        return cases, selection
    by_id = {case.id: case for case in cases}
    missing = [case_id for case_id in selection.case_ids if case_id not in by_id]
    if missing and refuse:
        near = difflib.get_close_matches(missing[0], by_id, n=3)
        meant = f"; did you mean {' or '.join(near)}?" if near else f"; `wfrun list` shows all {len(cases)}"
        more = f", nor {len(missing) - 1} more that were named" if len(missing) > 1 else ""
        raise NothingSelected(f"no case here has the id {missing[0]}{more}{meant}")
    named = [by_id[case_id] for case_id in selection.case_ids if case_id in by_id]
    only_measured = [kind for case in named if not DEFAULT_KINDS & set(case.kinds) for kind in case.kinds]
    kinds = selection.kinds or DEFAULT_KINDS | frozenset(only_measured)
    return named, replace(selection, kinds=kinds, order="file")


def only_failed(plan: Plan, failed: Callable[[CaseInfo], bool]) -> Plan:
    """Return ``plan`` with the cases alone that failed when they last ran."""
    others = tuple(Deselected(case.info, "passed when it last ran") for case in plan.cases if not failed(case.info))
    kept = tuple(case for case in plan.cases if failed(case.info))
    return replace(plan, cases=kept, deselected=(*plan.deselected, *others))


def failed_cases_first(plan: Plan, failed: Callable[[CaseInfo], bool]) -> Plan:
    """Return ``plan`` with the suite files first that have a failed case, and in each file the failed cases first."""
    files = {case.info.file for case in plan.cases if failed(case.info)}
    ordered = sorted(plan.cases, key=lambda case: (case.info.file not in files, not failed(case.info)))
    return replace(plan, cases=tuple(ordered))
