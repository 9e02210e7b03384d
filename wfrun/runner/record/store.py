"""Where records are kept: baselines beside the source, the last session in ``.wfrun``, and wherever ``--json`` says."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wfrun.errors import BaselineError, FileError, NothingSelected
from wfrun.files import folder_locked, write_atomically
from wfrun.measure.environment import HARD_KEYS
from wfrun.runner.child.messages import Status
from wfrun.runner.record.baseline import Baseline, BaselineCase, BaselineSession
from wfrun.runner.record.json_text import json_bytes
from wfrun.runner.record.loading import BASELINE_FOLDER, load_baseline
from wfrun.stats.spread import relative_sd
from wfrun.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import JsonValue

    from wfrun.runner.record.session_record import SessionRecord, SourceRecord
    from wfrun.runner.record.surroundings import Surroundings

__all__ = [
    "SavedBaseline",
    "baseline_session",
    "hide_folder",
    "load_baseline",
    "refuse_early",
    "resolve_baseline",
    "save_baseline",
    "save_last_session",
    "spread_between",
    "write_baseline",
]

LAST_SESSION: Final = "last-session.json"


@dataclass(frozen=True, slots=True)
class SavedBaseline:
    """What was written."""

    path: Path
    sessions: int
    """How many the file has now."""
    cases: int
    """How many this session added."""
    warnings: tuple[str, ...] = ()


def resolve_baseline(name: Path, cwd: Path) -> Path:
    """Return where the baseline called ``name`` is.

    A bare name lies in ``baselines`` under ``cwd``; anything with a folder part is a path from ``cwd``. ``.json`` is
    added where there is no suffix.
    """
    # A version such as 1.2 in a name is no suffix: only letters make one.
    named = name if name.suffix[1:].isalpha() else name.with_name(f"{name.name}.json")
    bare = len(named.parts) == 1
    return cwd / BASELINE_FOLDER / named if bare else cwd / named


def save_baseline(record: SessionRecord, path: Path, *, replace: bool) -> SavedBaseline:
    """Add the session to the baseline at ``path``, or make one of it alone.

    A baseline that exists gains the session only where both come from one commit, with the same difference to it, on
    the same kind of machine; with ``replace`` it is overwritten whatever it holds. The file is written atomically: on
    any error the old one is whole.

    Raises:
        NothingSelected: No case was measured.
        BaselineError: The session is not fit to be judged against, or does not belong to the baseline that exists;
            nothing was written.
        FileError: It cannot be written.
    """
    _refuse_unfit(record, path)
    session = baseline_session(record)
    # Another session may be adding to it at this moment.
    with folder_locked(path.parent):
        existing = load_baseline(path) if not replace and _is_there(path) else None
        if existing is not None:
            _refuse_stranger(record.fingerprint, record.source, existing, path)
        sessions = (session,) if existing is None else (*existing.sessions, session)
        baseline = Baseline(
            created=session.created if existing is None else existing.created,
            tool_version=__version__,
            source=record.source,
            fingerprint=record.fingerprint if existing is None else existing.fingerprint,
            sessions=sessions,
            spread_between_sessions_percent=spread_between(sessions),
            accepted=() if existing is None else existing.accepted,
        )
        write_baseline(baseline, path)
    return SavedBaseline(path, len(sessions), len(session.cases), tuple(_doubts(record)))


def refuse_early(path: Path, surroundings: Surroundings, *, replace: bool) -> None:
    """Raise what :func:`save_baseline` would for a session in these surroundings, before minutes are spent on it.

    Raises:
        BaselineError: The baseline at ``path`` cannot be read, or would not gain the session.
    """
    if not replace and _is_there(path):
        _refuse_stranger(surroundings.fingerprint, surroundings.source, load_baseline(path), path)


def save_last_session(parts: Iterable[bytes], folder: Path = Path(".wfrun")) -> str:
    """Keep a record, given as JSON, as the last session, beside a ``.gitignore`` that hides the folder.

    Returns:
        An empty text, or why it could not be kept. That never fails a session: nobody asked for this file.
    """
    try:
        hide_folder(folder)
        write_atomically(folder / LAST_SESSION, parts)
    except (FileError, OSError) as error:
        return f"the last session is not kept: {error}"
    return ""


def hide_folder(folder: Path) -> None:
    """Make ``folder`` if it is missing, with a ``.gitignore`` in it that hides it.

    Raises:
        FileError: It cannot be made.
    """
    ignore = folder / ".gitignore"
    if not ignore.exists():
        write_atomically(ignore, b"# Made by wfrun: what is here comes and goes.\n*\n")


def write_baseline(baseline: Baseline, path: Path) -> None:
    """Write ``baseline`` to ``path``, atomically.

    Raises:
        FileError: It cannot be written; a file that was there is whole.
    """
    write_atomically(path, json_bytes(baseline))


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a folder on the way may not be entered: then writing says so
        return False


def _refuse_unfit(record: SessionRecord, path: Path) -> None:
    """Only whole, green sessions are worth being judged against."""
    if record.interrupted:
        raise BaselineError(f"the session was interrupted, so {path} stays as it was; run it to its end")
    if record.faults:
        raise BaselineError(f"wfrun contradicted itself ({record.faults[0]}), so {path} stays as it was; report it")
    failed = [outcome for outcome in record.outcomes if outcome.measured and not outcome.status.good]
    if failed:
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        raise BaselineError(
            f"{failed[0].title!r}{more} {_was(failed[0].status)}, so {path} stays as it was: "
            "a baseline holds green sessions only; fix or deselect it and run again"
        )
    if not record.measured_green:
        raise NothingSelected(
            f"nothing was measured, so {path} stays as it was; "
            "select performance or stress cases, with --performance or --stress"
        )


def _was(status: Status) -> str:
    return status.value if status in (Status.FAILED, Status.TIMED_OUT, Status.CRASHED) else f"ended with {status.value}"


def _refuse_stranger(
    fingerprint: Mapping[str, JsonValue], source: SourceRecord | None, existing: Baseline, path: Path
) -> None:
    other = _machine_difference(fingerprint, existing) or _source_difference(source, existing.source)
    if other:
        raise BaselineError(f"{path} is unchanged: {other}; --replace overwrites it, another name keeps both")


def _machine_difference(fingerprint: Mapping[str, JsonValue], existing: Baseline) -> str:
    for key in HARD_KEYS:
        here, there = fingerprint.get(key), existing.fingerprint.get(key)
        if here != there:
            return f"it was taken on another machine ({key} {there!r} there, {here!r} here)"
    return ""


def _source_difference(here: SourceRecord | None, there: SourceRecord | None) -> str:
    if here is None or there is None:
        return "outside a git repository nothing shows that the source is still the same"
    if here.sha != there.sha:
        return f"it was taken at commit {_short(there.sha)}, and this is {_short(here.sha)}"
    if here.diff_hash != there.diff_hash:
        return f"the working tree differs from commit {_short(here.sha)} in another way than it did then"
    return ""


def _short(sha: str | None) -> str:
    return "none" if sha is None else sha[:10]


def baseline_session(record: SessionRecord) -> BaselineSession:
    """Return what a baseline keeps of a session: the cases that were measured and passed."""
    return BaselineSession(
        created=record.created,
        tool_version=record.tool_version,
        seed=record.seed,
        conditions=record.conditions,
        protocol=record.protocol,
        cases=tuple(
            BaselineCase(
                id=outcome.id,
                title=outcome.title,
                suite=outcome.suite,
                kinds=outcome.kinds,
                tier=outcome.tier,
                tags=outcome.tags,
                parameters=outcome.parameters,
                source_hash=outcome.source_hash,
                items=outcome.items,
                measurements=outcome.measurements,
            )
            for outcome in record.measured_green
            if outcome.measurements is not None
        ),
    )


def spread_between(sessions: tuple[BaselineSession, ...]) -> dict[str, dict[str, float]]:
    """Return how far the sessions' floors lie apart, by case and metric; only where there are two or more."""
    floors: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for session in sessions:
        for case in session.cases:
            for name, metric in case.measurements.metrics.items():
                floors[case.id][name].append(metric.floor)
    spreads = {
        case_id: {
            name: round(spread * 100, 3)
            for name, values in metrics.items()
            if (spread := relative_sd(values)) is not None
        }
        for case_id, metrics in floors.items()
    }
    return {case_id: metrics for case_id, metrics in spreads.items() if metrics}


def _doubts(record: SessionRecord) -> list[str]:
    doubts = []
    if record.source is None:
        doubts.append(f"the baseline names no commit ({record.source_doubt or 'no git repository'})")
    elif record.source.dirty:
        doubts.append(f"the baseline was taken with uncommitted changes on top of {_short(record.source.sha)}")
    if record.load_failures:
        doubts.append(f"{len(record.load_failures)} suite files could not be loaded, so the baseline lacks their cases")
    return doubts
