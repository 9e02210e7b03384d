"""From every case to the ones that run: kinds, pattern, tags, seeds."""

from __future__ import annotations

import difflib
import hashlib
from typing import TYPE_CHECKING, Final

from wfrun.errors import NothingSelected
from wfrun.runner.plan.planned import Plan, PlannedCase

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from wfrun.authoring.info import CaseInfo, Kind

__all__ = ["case_seed", "make_plan", "matches_pattern"]


DEFAULT_TIMEOUT_S: Final = 60.0
"""Of a case that says nothing of how long it may take: most that hang are found out soon."""


def make_plan(
    cases: Sequence[CaseInfo],
    *,
    kinds: Collection[Kind],
    pattern: str | None,
    tags: Collection[str],
    seed: int,
    timeout_s: float | None,
    measured_seed: int = 0,
    measure: bool = True,
) -> Plan:
    """Return the cases to run, in the order of their files.

    A case of several kinds is selected by any of them; it is measured when it is selected as performance or stress,
    which includes what its other kinds would have checked.

    Args:
        cases: What there is to choose from.
        kinds: The wanted kinds.
        pattern: Words that must stand in a case's path, titles or tags; see :func:`matches_pattern`.
        tags: A case must have all of them.
        seed: The session's seed.
        timeout_s: The limit of cases that declare none; ``None`` for their tier's, or 60 s where they name no tier.
        measured_seed: The same for measured cases, which must do the same work in sessions that are compared.
        measure: Whether performance and stress cases are measured; otherwise they are checked like the others.

    Raises:
        NothingSelected: No case fits; the message says what came closest.
    """
    wanted = [
        case
        for case in cases
        if not kinds_of(case).isdisjoint(kinds) and matches_pattern(case, pattern) and set(tags) <= set(case.tags)
    ]
    if not wanted:
        raise NothingSelected(_why_nothing(cases, kinds, pattern, tags))
    planned = tuple(_planned(case, set(kinds) if measure else set(), seed, measured_seed, timeout_s) for case in wanted)
    return Plan(planned, seed, len(cases))


def _planned(case: CaseInfo, kinds: set[Kind], seed: int, measured_seed: int, timeout_s: float | None) -> PlannedCase:
    measured = any(kind.measured for kind in kinds_of(case) & kinds)
    return PlannedCase(
        info=case,
        measured=measured,
        seed=case_seed(measured_seed if measured else seed, case.id),
        timeout_s=case.timeout_s or timeout_s or (case.tier.limit_s if case.tier_named else DEFAULT_TIMEOUT_S),
    )


def kinds_of(case: CaseInfo) -> set[Kind]:
    """Return the case's kinds as a set."""
    return set(case.kinds)


def matches_pattern(case: CaseInfo, pattern: str | None) -> bool:
    """Return whether ``pattern`` stands, as one phrase in any case of letters, in the id, a title or a tag.

    Underscores and runs of white space count as one space, so that ``load testing`` finds ``load_testing``.
    """
    if pattern is None:
        return True
    phrase = _plain(pattern)
    fields = (case.id, case.suite_title, case.title, f"{case.suite_title} · {case.title}", *case.tags)
    return any(phrase in _plain(field) for field in fields)


def case_seed(session_seed: int, case_id: str) -> int:
    """Return a 63-bit seed for one case: the same whatever else is selected."""
    digest = hashlib.sha256(f"{session_seed}/{case_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("_", " ").split())


def _why_nothing(cases: Sequence[CaseInfo], kinds: Collection[Kind], pattern: str | None, tags: Collection[str]) -> str:
    if not cases:
        return "there are no cases here; `wfrun init` writes a first suite"
    by_pattern = [case for case in cases if matches_pattern(case, pattern)]
    if pattern is not None and not by_pattern:
        titles = {_plain(title): title for case in cases for title in (case.title, case.suite_title)}
        close = difflib.get_close_matches(_plain(pattern), titles, n=3, cutoff=0.4)
        named = ", ".join(repr(titles[key]) for key in close)
        nearest = f"; the nearest title{'s are' if len(close) > 1 else ' is'} {named}" if close else ""
        return f"no case matches the pattern {pattern!r}{nearest}; `wfrun list` shows all {len(cases)}"
    by_tag = [case for case in by_pattern if set(tags) <= set(case.tags)]
    if not by_tag:
        known = sorted({tag for case in by_pattern for tag in case.tags})
        return f"no case has the tag{'s' * (len(tags) > 1)} {', '.join(tags)}; there are {', '.join(known) or 'none'}"
    others = sorted({str(kind) for case in by_tag for kind in case.kinds})
    return (
        f"{len(by_tag)} case{'s' * (len(by_tag) > 1)} would match, but of kind {', '.join(others)} "
        f"and not {', '.join(sorted(kinds))}; add --{' or --'.join(others)}"
    )
