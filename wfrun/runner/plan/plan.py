"""From every case to the ones that run: choices, shard, order, seeds."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from wfrun.errors import NothingSelected
from wfrun.runner.options import DEFAULT_KINDS
from wfrun.runner.plan.order import shuffled
from wfrun.runner.plan.planned import Deselected, Plan, PlannedCase
from wfrun.runner.plan.selecting import Choices
from wfrun.runner.plan.shards import shard_of, split_suites

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wfrun.authoring.info import CaseInfo, Kind
    from wfrun.runner.options import Selection, Shard

__all__ = ["case_seed", "choose", "make_plan"]


DEFAULT_TIMEOUT_S: Final = 60.0
"""Of a case that says nothing of how long it may take: most that hang are found out soon."""


def make_plan(
    cases: Sequence[CaseInfo], selection: Selection, *, timeout_s: float | None, measure: bool = True
) -> Plan:
    """Return the cases to run, in the order they start.

    A case of several kinds is selected by any of them; it is measured when it is selected as performance or stress,
    which includes what its other kinds would have checked.

    Args:
        cases: What there is to choose from.
        selection: What is wanted, in which order, and from which seed.
        timeout_s: The limit of cases that declare none; ``None`` for their tier's, or 60 s where they name no tier.
        measure: Whether performance and stress cases are measured; otherwise they are checked like the others.

    Raises:
        PatternError: A pattern cannot be read.
        NothingSelected: No case fits; the message says what came closest.
    """
    plan = choose(cases, selection, timeout_s=timeout_s, measure=measure)
    if not plan.cases:
        raise NothingSelected(_why_nothing(cases, selection))
    return plan


def choose(cases: Sequence[CaseInfo], selection: Selection, *, timeout_s: float | None, measure: bool = True) -> Plan:
    """Return the same as :func:`make_plan`, which may be no case at all.

    Raises:
        PatternError: A pattern cannot be read.
    """
    choices = Choices(selection)
    reasons = {case.id: reason for case in cases if (reason := choices.why_not(case))}
    wanted = [case for case in cases if case.id not in reasons] if reasons else list(cases)
    selected = len(wanted)
    digest = hashlib.sha256("\n".join(sorted(case.id for case in wanted)).encode("utf-8", "replace")).hexdigest()[:16]
    if selection.shard is not None:
        split = split_suites(wanted, selection.shard.of)
        reasons |= {case.id: reason for case in wanted if (reason := _other_shard(case, selection.shard, split))}
        wanted = [case for case in wanted if case.id not in reasons]
    if selection.order == "random":
        wanted = shuffled(wanted, case_seed(selection.seed, "order"))
    measured_kinds = frozenset(kind for kind in selection.kinds or DEFAULT_KINDS if measure and kind.measured)
    return Plan(
        cases=tuple([_planned(case, selection, timeout_s, measured_kinds) for case in wanted]),
        seed=selection.seed,
        discovered=len(cases),
        deselected=tuple([Deselected(case, reasons[case.id]) for case in cases if case.id in reasons]),
        order=selection.order,
        shard=selection.shard,
        selected=selected,
        in_shard=len(wanted),
        selection_digest=digest,
    )


def case_seed(session_seed: int, case_id: str) -> int:
    """Return a 63-bit seed for one case: the same whatever else is selected."""
    digest = hashlib.sha256(f"{session_seed}/{case_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _planned(
    case: CaseInfo, selection: Selection, timeout_s: float | None, measured_kinds: frozenset[Kind]
) -> PlannedCase:
    measured = not measured_kinds.isdisjoint(case.kinds)
    session_seed = selection.measured_seed if measured else selection.seed
    return PlannedCase(
        info=case,
        measured=measured,
        seed=case_seed(session_seed, case.id),
        session_seed=session_seed,
        timeout_s=case.timeout_s or timeout_s or (case.tier.limit_s if case.tier_named else DEFAULT_TIMEOUT_S),
    )


def _other_shard(case: CaseInfo, shard: Shard, split: dict[str, int]) -> str:
    of_case = shard_of(case.id, split)
    return "" if of_case == shard.number else f"other shard {of_case}/{shard.of}"


def _why_nothing(cases: Sequence[CaseInfo], selection: Selection) -> str:
    choices = Choices(selection)
    wanted = [case for case in cases if choices.wants(case)]
    if not wanted or selection.shard is None:
        return choices.why_nothing(cases)
    files = len(split_suites(wanted, selection.shard.of))
    return (
        f"shard {selection.shard} is empty: the {len(wanted)} chosen case{'s' * (len(wanted) > 1)} are in {files} "
        f"suite file{'s' * (files > 1)}, and a file is never split; use at most --shard {files}/{files}"
    )
