"""What a reader of a comparison must know beside the figures: doubts about a whole session, or a whole case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wfrun.stats.resampling import FEWEST_PROCESSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wfrun.runner.compare.machine import Comparability
    from wfrun.runner.record.models import (
        Baseline,
        BaselineCase,
        CaseMeasurements,
        OutcomeRecord,
        Protocol,
        SessionRecord,
    )

__all__ = ["SESSIONS_WANTED", "case_notes", "renames", "session_notes"]

SESSIONS_WANTED: Final = 3
"""With fewer, the scatter between sessions, which the thresholds stand on, is hardly known."""


def session_notes(record: SessionRecord, baseline: Baseline, allowed: Comparability) -> Iterable[str]:
    """Yield what concerns the comparison as a whole."""
    if allowed.nothing:
        yield f"nothing is comparable: {allowed.nothing}"
    elif allowed.no_times:
        yield f"times are not comparable, memory and counts are: {allowed.no_times}"
    yield from allowed.notes
    if baseline.source is None:
        yield "the baseline names no commit, so what changed since then is unknown"
    elif baseline.source.dirty:
        yield f"the baseline was taken with uncommitted changes on top of {(baseline.source.sha or 'no commit')[:10]}"
    if not allowed.nothing and len(baseline.sessions) < SESSIONS_WANTED:
        yield _few_sessions(baseline)
    then = baseline.sessions[-1].protocol
    if then != record.protocol:
        yield f"the baseline was sampled otherwise: {_shown(then)} then, {_shown(record.protocol)} now"
    if record.interrupted:
        yield "the session was interrupted: only the cases that finished are compared"
    if record.load_failures:
        yield f"{len(record.load_failures)} suite files could not be loaded: their cases are among the missing"


def case_notes(case: BaselineCase, outcome: OutcomeRecord) -> Iterable[str]:
    """Yield what concerns one case that was measured then and now."""
    if case.source_hash != outcome.source_hash:
        yield f"{case.title}: the text of the case has changed since the baseline, so it may measure something else"
    if case.items != outcome.items:
        yield f"{case.title}: a repetition worked on {case.items} items then and on {outcome.items} now"
    for when, measurements in (("then", case.measurements), ("now", outcome.measurements)):
        if measurements is not None:
            yield from _process_notes(case.title, when, measurements)


def renames(missing: Sequence[BaselineCase], new: Sequence[OutcomeRecord]) -> Iterable[str]:
    """Yield, for each case that is gone, which new one it may be called now: the same text, or the same title."""
    for case in missing:
        same_text = (o for o in new if (o.source_hash, o.parameters) == (case.source_hash, case.parameters))
        same_title = (o for o in new if (o.title, o.parameters) == (case.title, case.parameters))
        found = next(same_text, None) or next(same_title, None)
        if found is not None:
            yield f"{case.id} is gone; renamed to {found.id}? then record the baseline again"


def _process_notes(title: str, when: str, measurements: CaseMeasurements) -> Iterable[str]:
    used = len(measurements.cores)
    if measurements.void:
        reasons = "; ".join(dict.fromkeys(measurements.void))
        left_out = len(measurements.void)
        yield f"{title}: {left_out} of {used + left_out} processes {when} were left out: {reasons}"
    if used < FEWEST_PROCESSES:
        yield f"{title}: {used} processes {when}; with fewer than {FEWEST_PROCESSES} only large changes show"


def _few_sessions(baseline: Baseline) -> str:
    count = len(baseline.sessions)
    commit = "" if baseline.source is None or baseline.source.sha is None else f" at commit {baseline.source.sha[:10]}"
    return (
        f"the baseline has {count} session{'s' * (count != 1)}; {SESSIONS_WANTED}, from different days, tell how far "
        f"sessions lie apart: add one with --baseline and its name{commit}, on this machine"
    )


def _shown(protocol: Protocol) -> str:
    return f"{protocol.generations} processes of {protocol.sampling_s:g} s"
