"""One record of several: those of the shards of one selection, as if one machine had run them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wfrun.errors import ExitCode, UsageError
from wfrun.measure.environment import HARD_KEYS
from wfrun.runner.record.session_record import SessionRecord

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic import JsonValue

__all__ = ["merge_records", "merged_exit_code"]

PRECEDENCE: Final = (
    ExitCode.INTERRUPTED,
    ExitCode.INTERNAL,
    ExitCode.CASE_FAILED,
    ExitCode.USAGE,
    ExitCode.REGRESSION,
)
"""Where several exit codes apply, the first counts."""


def merge_records(records: Mapping[Path, SessionRecord]) -> SessionRecord:
    """Return the record of the session that all of ``records`` are parts of.

    Its outcomes are in the order given, its duration is the longest, its end the last. What differs between the
    machines is left out of the fingerprint and said; the conditions are kept by shard.

    Args:
        records: By the file each was read from, for the messages.

    Raises:
        UsageError: They are not parts of one session: another commit, selection, protocol or version, a case in two of
            them, or a shard that is missing.
    """
    if not records:
        raise UsageError("there is nothing to merge; name the records that --json wrote")
    (first_path, first), *others = records.items()
    for path, record in others:
        if reason := _difference(first, record):
            raise UsageError(f"{path} is no part of the same session as {first_path}: {reason}")
    _refuse_duplicates(records)
    _refuse_gaps(records)
    all_records = list(records.values())
    outcomes = tuple(outcome for record in all_records for outcome in record.outcomes)
    fingerprint, unlike = _common(all_records)
    if set(unlike) & set(HARD_KEYS) and any(outcome.measurements is not None for outcome in outcomes):
        raise UsageError(
            f"the records have figures from machines that cannot be compared ({', '.join(sorted(unlike))} differ); "
            "measure on one kind of machine, or without shards"
        )
    return SessionRecord(
        created=max(record.created for record in all_records),
        tool_version=first.tool_version,
        seed=first.seed,
        fingerprint=fingerprint,
        conditions={record.shard or str(path): record.conditions for path, record in records.items()},
        source=first.source,
        source_doubt=first.source_doubt,
        protocol=first.protocol,
        duration_s=max(record.duration_s for record in all_records),
        interrupted=any(record.interrupted for record in all_records),
        faults=tuple(dict.fromkeys(fault for record in all_records for fault in record.faults)),
        discovered=first.discovered,
        planned=sum(record.planned for record in all_records),
        selected=first.selected,
        in_shard=first.selected,
        selection=first.selection,
        shard=None,
        order=first.order,
        exit_code=merged_exit_code(all_records),
        load_failures=tuple(
            {failure.file: failure for record in all_records for failure in record.load_failures}.values()
        ),
        fixture_failures=tuple(failure for record in all_records for failure in record.fixture_failures),
        outcomes=outcomes,
        warnings=(*dict.fromkeys(w for record in all_records for w in record.warnings), *_doubts(all_records, unlike)),
    )


def merged_exit_code(records: list[SessionRecord]) -> ExitCode:
    """Return what one session with all that happened in ``records`` would have ended with."""
    codes = {_exit_code(record) for record in records}
    return next((code for code in PRECEDENCE if code in codes), ExitCode.OK)


def _exit_code(record: SessionRecord) -> ExitCode:
    if record.exit_code is not None:
        return ExitCode(record.exit_code)
    if record.interrupted:
        return ExitCode.INTERRUPTED
    if record.faults:
        return ExitCode.INTERNAL
    bad = record.load_failures or any(outcome.status.bad for outcome in record.outcomes)
    return ExitCode.CASE_FAILED if bad else ExitCode.OK


def _difference(one: SessionRecord, other: SessionRecord) -> str:
    """Return why two records cannot be parts of one session; empty where they can."""
    if one.tool_version != other.tool_version:
        return f"it was written by wfrun {other.tool_version}, and not {one.tool_version}"
    here, there = one.source, other.source
    if (here is None) != (there is None):
        return "one of them names no commit"
    if here is not None and there is not None and here.sha != there.sha:
        return f"it is of commit {_short(there.sha)}, and not {_short(here.sha)}"
    if here is not None and there is not None and here.diff_hash != there.diff_hash:
        return f"the working tree differed from commit {_short(here.sha)} in another way"
    if (one.selection, one.selected) != (other.selection, other.selected):
        return f"it is of another plan, which chose {other.selected} cases in all, and not the same {one.selected}"
    if _parts(one) != _parts(other):
        return f"it is shard {other.shard or 'of nothing'}, and not one of {_parts(one) or 'a whole session'}"
    return "its cases were sampled in another way" if one.protocol != other.protocol else ""


def _parts(record: SessionRecord) -> str:
    return "" if record.shard is None else record.shard.partition("/")[2]


def _refuse_duplicates(records: Mapping[Path, SessionRecord]) -> None:
    found_in: dict[str, Path] = {}
    for path, record in records.items():
        for outcome in record.outcomes:
            other = found_in.setdefault(outcome.id, path)
            if other != path:
                raise UsageError(f"{outcome.id} is in {other} and again in {path}; give each shard's record once")


def _refuse_gaps(records: Mapping[Path, SessionRecord]) -> None:
    first = next(iter(records.values()))
    found = sum(record.in_shard for record in records.values())
    if found == first.selected:
        return
    parts = int(_parts(first) or 1)
    given = {record.shard for record in records.values()}
    missing = [shard for number in range(1, parts + 1) if (shard := f"{number}/{parts}") not in given]
    shards = f"; shard {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing" if missing else ""
    raise UsageError(
        f"{first.selected - found} of the {first.selected} chosen cases are in none of the records{shards}"
    )


def _common(records: list[SessionRecord]) -> tuple[dict[str, JsonValue], list[str]]:
    """Return what the fingerprints have in common, and the names of what they do not."""
    first, *others = (record.fingerprint for record in records)
    names = dict.fromkeys([name for fingerprint in (first, *others) for name in fingerprint])
    unlike = [name for name in names if any(other.get(name) != first.get(name) for other in others)]
    return {name: value for name, value in first.items() if name not in unlike}, unlike


def _doubts(records: list[SessionRecord], unlike: list[str]) -> list[str]:
    doubts = []
    if unlike:
        doubts.append(f"the shards ran on machines that differ in {', '.join(unlike)}")
    seeds = list(dict.fromkeys(record.seed for record in records))
    if len(seeds) > 1:
        shown = ", ".join(map(str, seeds))
        doubts.append(
            f"the shards had the seeds {shown}; each outcome has the one of its case, and --seed gives all one"
        )
    if records[0].source is None and len(records) > 1:
        doubts.append("no shard names a commit, so nothing shows that they are of one source")
    return doubts


def _short(sha: str | None) -> str:
    return "none" if sha is None else sha[:10]
