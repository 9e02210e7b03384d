"""From the records of a night's sessions to its line in a history."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import orjson

from wfrun.errors import NothingSelected, UsageError
from wfrun.measure.environment import HARD_KEYS
from wfrun.measure.metrics import METRICS
from wfrun.runner.record.history import HistoryCase, HistoryMetric, HistoryNight, HistorySession
from wfrun.stats.nights import night_figure
from wfrun.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pydantic import JsonValue

    from wfrun.runner.record.measurements import MetricRecord
    from wfrun.runner.record.session_record import OutcomeRecord, SessionRecord

__all__ = ["machine_of", "night_of"]

_DIGITS: Final = 6


def machine_of(fingerprint: Mapping[str, JsonValue]) -> str:
    """Return what tells machines apart between which nothing is compared: 12 hexadecimal digits."""
    hard = [fingerprint.get(key) for key in HARD_KEYS]
    return hashlib.sha256(orjson.dumps(hard)).hexdigest()[:12]


def night_of(records: Mapping[Path, SessionRecord]) -> HistoryNight:
    """Return the night that ``records`` are the sessions of, each figure made of the sessions' floors.

    Only cases that passed in every session are kept, and of those only the metrics that every session has.

    Args:
        records: By the file each was read from, for the messages; at least one.

    Raises:
        UsageError: A session was interrupted or contradicted itself, or two are not of one commit and one machine.
        NothingSelected: No case was measured and passed in all of them.
    """
    ordered = sorted(records.items(), key=lambda item: item[1].created)
    for path, record in ordered:
        _refuse_unfit(path, record)
    (first_path, first), *others = ordered
    for path, record in others:
        if reason := _difference(first, record):
            raise UsageError(f"{path} is no part of the same night as {first_path}: {reason}; add it by itself")
    sessions = [record for _, record in ordered]
    cases = _cases(sessions)
    if not cases:
        raise NothingSelected(
            f"{' and '.join(str(path) for path in records)}: no case was measured and passed, "
            "so there is nothing to add; select performance or stress cases, with --performance or --stress"
        )
    return HistoryNight(
        created=sessions[-1].created,
        tool_version=__version__,
        source=first.source,
        machine=machine_of(first.fingerprint),
        fingerprint={key: first.fingerprint.get(key) for key in HARD_KEYS},
        sessions=tuple(
            HistorySession(created=each.created, seed=each.seed, duration_s=each.duration_s) for each in sessions
        ),
        cases=cases,
    )


def _refuse_unfit(path: Path, record: SessionRecord) -> None:
    if record.interrupted:
        raise UsageError(f"{path}: the session was interrupted, so its figures are not whole; run it to its end")
    if record.faults:
        raise UsageError(f"{path}: wfrun contradicted itself ({record.faults[0]}), so the history stays as it was")


def _difference(one: SessionRecord, other: SessionRecord) -> str:
    if machine_of(one.fingerprint) != machine_of(other.fingerprint):
        return "it is of another machine"
    here, there = one.source, other.source
    if (here and (here.sha, here.diff_hash)) != (there and (there.sha, there.diff_hash)):
        return "it is of another commit, or of other uncommitted changes"
    if (one.created, one.seed) == (other.created, other.seed):
        return "it is the same session"
    return ""


def _cases(sessions: Sequence[SessionRecord]) -> dict[str, HistoryCase]:
    found = [{outcome.id: outcome for outcome in session.measured_green} for session in sessions]
    shared = [case_id for case_id in found[-1] if all(case_id in session for session in found)]
    made = {case_id: _case([session[case_id] for session in found]) for case_id in shared}
    return {case_id: case for case_id, case in made.items() if case.metrics}


def _case(outcomes: Sequence[OutcomeRecord]) -> HistoryCase:
    newest = outcomes[-1]
    metrics = [outcome.measurements.metrics if outcome.measurements else {} for outcome in outcomes]
    return HistoryCase(
        title=newest.title,
        suite=newest.suite,
        kinds=newest.kinds,
        tier=newest.tier,
        tags=newest.tags,
        source_hash=newest.source_hash,
        metrics={
            name: _metric(name, [session[name] for session in metrics])
            for name in metrics[-1]
            if all(name in session for session in metrics)
        },
    )


def _metric(name: str, sessions: Sequence[MetricRecord]) -> HistoryMetric:
    newest, known = sessions[-1], METRICS.get(name)
    intervals = [session.interval for session in sessions if session.interval is not None]
    threshold = known.threshold_percent if known is not None else newest.threshold_percent or 0.0
    return HistoryMetric(
        unit=newest.unit,
        better=newest.better,
        kind=newest.kind,
        gates=known.gates if known is not None else newest.threshold_percent is not None,
        threshold_percent=threshold,
        slack=known.slack if known is not None else 0.0,
        floor=_figure([session.floor for session in sessions]),
        interval=(_figure([low for low, _ in intervals]), _figure([high for _, high in intervals]))
        if len(intervals) == len(sessions)
        else None,
        floors=tuple(session.floor for session in sessions),
    )


def _figure(values: Sequence[float]) -> float:
    return float(f"{night_figure(values):.{_DIGITS}g}")
