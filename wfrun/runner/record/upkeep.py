"""What can be done to a baseline besides adding a session: accept, prune, merge, replace. Values in, values out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.errors import BaselineError
from wfrun.measure.environment import HARD_KEYS
from wfrun.runner.record.store import spread_between
from wfrun.version import __version__

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from wfrun.runner.record.baseline import AcceptedChange, Baseline, BaselineSession

__all__ = ["merged", "pruned", "replaced", "with_accepted_changes"]


def with_accepted_changes(baseline: Baseline, changes: Iterable[AcceptedChange]) -> Baseline:
    """Return the baseline with ``changes`` accepted; what was accepted of the same metrics before is forgotten."""
    new = list(changes)
    decided = {(change.case_id, change.metric) for change in new}
    kept = [change for change in baseline.accepted if (change.case_id, change.metric) not in decided]
    return baseline.model_copy(update={"accepted": (*kept, *new), "tool_version": __version__})


def pruned(
    baseline: Baseline, dropped_ids: Collection[str], *, keep_sessions: int | None, older_than: datetime | None
) -> Baseline:
    """Return the baseline without some cases and old sessions, and without what was accepted of those cases.

    Args:
        baseline: What is pruned.
        dropped_ids: The cases that go.
        keep_sessions: How many sessions stay, the newest; ``None`` for all.
        older_than: Sessions from before go; ``None`` for no such limit.

    Raises:
        BaselineError: Nothing would be left.
    """
    sessions = [s for s in baseline.sessions if older_than is None or s.created >= older_than]
    sessions = sessions[-keep_sessions:] if keep_sessions is not None else sessions
    if not sessions:
        raise BaselineError("every session is older than that, so nothing would be left; delete the file instead")
    left = tuple(found for session in sessions if (found := _without(session, dropped_ids)) is not None)
    if not left:
        raise BaselineError("no case would be left; delete the file instead")
    accepted = tuple(change for change in baseline.accepted if change.case_id not in dropped_ids)
    return _of(baseline, left, accepted)


def merged(baselines: Sequence[tuple[Path, Baseline]]) -> Baseline:
    """Return one baseline with the sessions of all, oldest first; one that is in two of them is taken once.

    Raises:
        BaselineError: They are of different kinds of machine, or of different commits.
    """
    (first_path, first), *others = baselines
    for path, other in others:
        for key in HARD_KEYS:
            here, there = first.fingerprint.get(key), other.fingerprint.get(key)
            if here != there:
                raise BaselineError(
                    f"{path} is not of the same kind of machine as {first_path}: {key.replace('_', ' ')} {there}, not "
                    f"{here}; keep a baseline for each"
                )
        if _commit(first) != _commit(other):
            raise BaselineError(
                f"{path} is of {_told(other)}, and {first_path} of {_told(first)}: a baseline is of one state of the "
                "source, or a change of the code would count as noise"
            )
    distinct = {session.model_dump_json(): session for _, baseline in baselines for session in baseline.sessions}
    sessions = tuple(sorted(distinct.values(), key=lambda session: session.created))
    accepted = {(c.case_id, c.metric): c for _, baseline in baselines for c in baseline.accepted}
    oldest = min((baseline for _, baseline in baselines), key=lambda baseline: baseline.created)
    return _of(oldest, sessions, tuple(accepted.values()))


def replaced(record: Baseline) -> Baseline:
    """Return the baseline that takes another's place: its sessions are all there is, and nothing of it is accepted.

    What was accepted before was accepted against figures that are gone.
    """
    return record.model_copy(update={"accepted": (), "tool_version": __version__})


def _of(baseline: Baseline, sessions: tuple[BaselineSession, ...], accepted: tuple[AcceptedChange, ...]) -> Baseline:
    return baseline.model_copy(
        update={
            "created": sessions[0].created,
            "tool_version": __version__,
            "sessions": sessions,
            "spread_between_sessions_percent": spread_between(sessions),
            "accepted": accepted,
        }
    )


def _without(session: BaselineSession, dropped_ids: Collection[str]) -> BaselineSession | None:
    cases = tuple(case for case in session.cases if case.id not in dropped_ids)
    return session.model_copy(update={"cases": cases}) if cases else None


def _commit(baseline: Baseline) -> tuple[str | None, str | None]:
    return ("", None) if baseline.source is None else (baseline.source.sha, baseline.source.diff_hash)


def _told(baseline: Baseline) -> str:
    if baseline.source is None:
        return "no commit that is known"
    return f"commit {(baseline.source.sha or 'none')[:10]}{' with changes' if baseline.source.dirty else ''}"
