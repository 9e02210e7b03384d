"""What the verbs of ``wfrun baseline`` do; each returns the lines that tell of it."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wfrun.authoring.info import Kind
from wfrun.cli.choices import CommandLine, session_options
from wfrun.cli.dates import day_ahead, day_back
from wfrun.errors import BaselineError, UsageError
from wfrun.files import folder_locked
from wfrun.measure.source_state import git_setting
from wfrun.runner.compare.accepting import accepted_shown
from wfrun.runner.compare.deciding import Decision, changes_to_accept
from wfrun.runner.compare.offline import compare_files
from wfrun.runner.options import Selection
from wfrun.runner.plan.selecting import Choices
from wfrun.runner.planning import list_cases
from wfrun.runner.record.either import baseline_from, find_figures, session_from
from wfrun.runner.record.loading import BASELINE_FOLDER, load_baseline
from wfrun.runner.record.store import LAST_SESSION, resolve_baseline, write_baseline
from wfrun.runner.record.upkeep import merged, pruned, replaced, with_accepted_changes
from wfrun.runner.report.text import plural, shown_path
from wfrun.units import format_value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wfrun.runner.record.models import Baseline

__all__ = ["Acceptance", "Pruning", "accept", "merge", "prune", "replace"]

LAST_RECORD: Final = Path(".wfrun") / LAST_SESSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The words of ``wfrun baseline accept``."""

    case_id: str
    reason: str
    metrics: Sequence[str]
    expires: str | None
    record: str | None
    baseline: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """The words of ``wfrun baseline prune``."""

    baseline: str
    case_ids: Sequence[str]
    patterns: Sequence[str]
    older_than: str | None
    keep: int | None
    suites: Sequence[str]
    dry_run: bool


def accept(words: Acceptance) -> list[str]:
    """Write into a baseline that a change for the worse is agreed.

    Raises:
        UsageError: There is no such case or metric, it did not get worse, or the words are wrong.
        FileError: A file cannot be read or written.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    if not words.reason.strip():
        raise UsageError("--reason is empty; whoever meets the acceptance later wants to know why")
    expires = None if words.expires is None else day_ahead("--expires", words.expires, now)
    path = _only_baseline() if words.baseline is None else resolve_baseline(Path(words.baseline), Path.cwd())
    measured = find_figures(LAST_RECORD if words.record is None else Path(words.record), Path.cwd())
    if words.record is None and not measured.is_file():
        raise UsageError("there is no last session in this folder to accept from; name a record with --from")
    source = session_from(measured).source
    decision = Decision(
        reason=words.reason.strip(),
        by=_who(),
        at=now,
        expires=expires,
        commit="" if source is None or source.sha is None else source.sha,
    )
    comparison = compare_files(path, measured, {}, frozenset())
    changes = changes_to_accept(comparison, words.case_id, words.metrics, decision)
    units = {row.metric: row.unit for row in comparison.metrics if row.case_id == words.case_id}
    _rewrite(path, lambda baseline: with_accepted_changes(baseline, changes))
    lines = []
    for change in changes:
        new, old = (format_value(value, units[change.metric]) for value in (change.new, change.old))
        what = f"{change.metric} of {change.case_id} may be {new} instead of {old}"
        lines.append(f"{shown_path(path)}: {what}, {accepted_shown(change)}")
    return lines


def prune(words: Pruning) -> list[str]:
    """Drop cases and sessions from a baseline.

    Raises:
        UsageError: The words are wrong, or suites that could tell what is gone do not load.
        FileError: The file cannot be read or written.
        BaselineError: Nothing would be left.
    """
    path = resolve_baseline(Path(words.baseline), Path.cwd())
    before = load_baseline(path)
    now = datetime.now(UTC)
    dropped = _chosen(before, words) if words.case_ids or words.patterns else _gone(before, words.suites)
    older_than = None if words.older_than is None else day_back("--older-than", words.older_than, now)

    def change(baseline: Baseline) -> Baseline:
        left = pruned(baseline, dropped, keep_sessions=words.keep, older_than=older_than)
        holding = tuple(c for c in left.accepted if c.expires is None or c.expires > now)
        return left.model_copy(update={"accepted": holding})

    after = change(before) if words.dry_run else _rewrite(path, change)
    lines = [f"drops the case {case_id}" for case_id in sorted(set(before.cases()) - set(after.cases()))]
    kept = {session.created for session in after.sessions}
    lines += [f"drops the session of {s.created:%Y-%m-%d %H:%M}" for s in before.sessions if s.created not in kept]
    lines += [
        f"forgets what was accepted of {c.case_id}, {c.metric}: {c.reason}"
        for c in before.accepted
        if c not in after.accepted
    ]
    sizes = f"{plural(len(after.cases()), 'case')} in {plural(len(after.sessions), 'session')}"
    return [*lines, f"{shown_path(path)}: {sizes} left{_not_done(dry_run=words.dry_run)}"]


def merge(names: Sequence[str], output: str, *, dry_run: bool) -> list[str]:
    """Put the sessions of several baselines into one.

    Raises:
        UsageError: There is only one.
        FileError: A file cannot be read or written.
        BaselineError: They do not belong together.
    """
    paths = [resolve_baseline(Path(name), Path.cwd()) for name in names]
    if len(set(paths)) < 2:
        raise UsageError("one baseline alone cannot be merged; name at least two")
    both = merged([(path, load_baseline(path)) for path in paths])
    target = resolve_baseline(Path(output), Path.cwd())
    if not dry_run:
        with folder_locked(target.parent):
            write_baseline(both, target)
    sizes = f"{plural(len(both.cases()), 'case')} in {plural(len(both.sessions), 'session')}"
    return [f"{shown_path(target)}: {sizes}{_not_done(dry_run=dry_run)}"]


def replace(baseline: str, record: str, *, dry_run: bool) -> list[str]:
    """Make the session of a record the only one of a baseline.

    Raises:
        FileError: A file cannot be read or written.
        BaselineError: The session was interrupted, or a measured case failed.
        NothingSelected: It measured nothing.
    """
    path = resolve_baseline(Path(baseline), Path.cwd())
    before = load_baseline(path)
    source = find_figures(Path(record), Path.cwd())
    session = session_from(source)
    bad = [outcome.id for outcome in session.outcomes if outcome.measured and not outcome.status.good]
    if session.interrupted or bad:
        what = "the session was interrupted" if session.interrupted else f"{bad[0]} failed in it"
        raise BaselineError(f"{source} is not fit to be judged against: {what}; {path} stays as it was")
    after = replaced(baseline_from(source))
    if not dry_run:
        with folder_locked(path.parent):
            write_baseline(after, path)
    gone = sorted(set(before.cases()) - set(after.cases()))
    lines = [f"drops the case {case_id}, which {shown_path(source)} lacks" for case_id in gone]
    lines += [f"forgets what was accepted of {c.case_id}, {c.metric}: {c.reason}" for c in before.accepted]
    old, new = plural(len(before.sessions), "session"), plural(len(after.cases()), "case")
    return [*lines, f"{shown_path(path)}: {new} of {shown_path(source)} in place of {old}{_not_done(dry_run=dry_run)}"]


def _rewrite(path: Path, change: Callable[[Baseline], Baseline]) -> Baseline:
    # Another session may be adding to it at this moment.
    with folder_locked(path.parent):
        changed = change(load_baseline(path))
        write_baseline(changed, path)
    return changed


def _only_baseline() -> Path:
    there = sorted((Path.cwd() / BASELINE_FOLDER).glob("*.json"))
    if len(there) == 1:
        return there[0]
    what = f"there are {', '.join(path.stem for path in there)}" if there else f"there is none in ./{BASELINE_FOLDER}"
    raise UsageError(f"which baseline is to accept it? {what}; name it with --baseline")


def _who() -> str:
    name = git_setting(Path.cwd(), "user.name")
    if name:
        return name
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return os.environ.get("USER", "unknown")


def _chosen(baseline: Baseline, words: Pruning) -> set[str]:
    cases = baseline.cases()
    for case_id in words.case_ids:
        if case_id not in cases:
            raise UsageError(f"--case: {words.baseline} has no case {case_id!r}; wfrun baseline show lists them")
    if not words.patterns:
        return set(words.case_ids)
    wanted = Choices(Selection(patterns=tuple(words.patterns)))
    matching = {case_id for case_id, case in cases.items() if wanted.wants(case.as_case_info())}
    if not matching:
        raise UsageError(f"--pattern {' '.join(words.patterns)!r} matches no case of {words.baseline}")
    return {*words.case_ids, *matching}


def _gone(baseline: Baseline, suites: Sequence[str]) -> set[str]:
    options = session_options(CommandLine(paths=suites, kinds=frozenset(Kind)))
    discovery, _ = list_cases(options, explained=True)
    if discovery.failures:
        failed = ", ".join(shown_path(failure.file) for failure in discovery.failures)
        raise UsageError(f"which cases are gone is not known, as suites do not load: {failed}; name cases with --case")
    if discovery.shipped:
        raise UsageError("there is no ./suites here that tells which cases are gone; name a path with --suites")
    return set(baseline.cases()) - {case.id for case in discovery.cases}


def _not_done(*, dry_run: bool) -> str:
    return "; nothing was written (--dry-run)" if dry_run else ""
