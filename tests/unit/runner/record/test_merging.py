"""Records become one only where they are parts of one session, and the end of that session is the worst of theirs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from wfrun.errors import ExitCode, FileError, UsageError
from wfrun.files import write_atomically
from wfrun.runner.child.messages import LoadFailure, Status
from wfrun.runner.record.json_text import json_bytes
from wfrun.runner.record.merging import merge_records, merged_exit_code
from wfrun.runner.record.reading import load_session

if TYPE_CHECKING:
    from tests.unit.runner.conftest import Maker
    from wfrun.runner.record.session_record import SessionRecord

ONE, TWO = Path("one.json"), Path("two.json")


def shard(make: Maker, number: int, *names: str, **changes: Any) -> SessionRecord:
    """A shard of a session of four cases in two shards."""
    record = make.record(*(make.plain(name=name) for name in names))
    return record.model_copy(
        update={"shard": f"{number}/2", "selection": "aa", "selected": 4, "in_shard": len(names), **changes}
    )


def test_parts_of_one_session_become_its_record(make: Maker) -> None:
    failure = LoadFailure("/suites/suite_c.py", "NameError: x", "")
    parts = [shard(make, 1, "a", "b", duration_s=2.0), shard(make, 2, "c", "d", duration_s=3.0, seed=8)]
    broken = make.record(failures=(failure,)).load_failures
    parts = [part.model_copy(update={"load_failures": broken}) for part in parts]

    merged = merge_records(dict(zip((ONE, TWO), parts, strict=True)))

    assert [outcome.id.partition("::")[2] for outcome in merged.outcomes] == ["a", "b", "c", "d"]
    assert (merged.planned, merged.selected, merged.shard, merged.duration_s) == (4, 4, None, 3.0)
    assert merged.load_failures == broken
    assert merged.conditions == {"1/2": parts[0].conditions, "2/2": parts[1].conditions}
    assert merged.exit_code == ExitCode.CASE_FAILED
    assert "the shards had the seeds 7, 8" in merged.warnings[0]


def test_a_whole_session_is_a_part_too(make: Maker) -> None:
    whole = shard(make, 1, "a", "b", "c", "d", shard=None)

    assert merge_records({ONE: whole}).outcomes == whole.outcomes


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tool_version": "9.9"}, "it was written by wfrun 9.9"),
        ({"source": None}, "one of them names no commit"),
        ({"selection": "bb"}, "it is of another plan, which chose 4 cases in all"),
        ({"shard": "2/3"}, "it is shard 2/3, and not one of 2"),
        ({"shard": None}, "it is shard of nothing, and not one of 2"),
    ],
)
def test_what_is_no_part_of_the_same_session_is_refused(make: Maker, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        merge_records({ONE: shard(make, 1, "a", "b"), TWO: shard(make, 2, "c", "d", **changes)})

    assert str(caught.value).startswith("two.json is no part of the same session as one.json: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("field", "reason"),
    [("sha", "it is of commit abc, and not c0ffeec0ff"), ("diff_hash", "the working tree differed")],
)
def test_another_source_is_refused(make: Maker, field: str, reason: str) -> None:
    assert make.source is not None
    other = make.source.model_copy(update={field: "abc"})

    with pytest.raises(UsageError, match=reason):
        merge_records({ONE: shard(make, 1, "a", "b"), TWO: shard(make, 2, "c", "d", source=other)})


def test_a_case_in_two_records_is_refused(make: Maker) -> None:
    with pytest.raises(UsageError, match=r"suites/load::b is in one\.json and again in two\.json"):
        merge_records({ONE: shard(make, 1, "a", "b"), TWO: shard(make, 2, "b", "c")})


def test_a_missing_shard_is_named(make: Maker) -> None:
    with pytest.raises(UsageError, match="2 of the 4 chosen cases are in none of the records; shard 2/2 is missing"):
        merge_records({ONE: shard(make, 1, "a", "b")})


def test_a_shard_that_was_empty_is_not_missed(make: Maker) -> None:
    parts = {ONE: shard(make, 1, "a", "b", shard="1/3"), TWO: shard(make, 2, "c", "d", shard="2/3")}

    assert merge_records(parts).planned == 4


def test_figures_of_unlike_machines_are_not_put_together(make: Maker) -> None:
    measured = make.record(make.measured({"wall_time_ns": [[1.0], [1.0]]}))
    one = measured.model_copy(update={"shard": "1/2", "selected": 3, "selection": "aa", "in_shard": 1})
    two = shard(make, 2, "c", "d", selected=3, fingerprint={**make.fingerprint, "cpu_model": "Other"})

    with pytest.raises(UsageError, match="machines that cannot be compared"):
        merge_records({ONE: one, TWO: two})


def test_checked_cases_may_come_from_unlike_machines(make: Maker) -> None:
    two = shard(make, 2, "c", "d", fingerprint={**make.fingerprint, "cpu_model": "Other"})

    merged = merge_records({ONE: shard(make, 1, "a", "b"), TWO: two})

    assert "cpu_model" not in merged.fingerprint
    assert merged.fingerprint["architecture"] == "x86_64"
    assert merged.warnings == ("the shards ran on machines that differ in cpu_model",)


@pytest.mark.parametrize(
    ("codes", "code"),
    [((0, 0), 0), ((3, 0), 3), ((3, 1), 1), ((2, 3), 2), ((1, 5), 5), ((130, 5), 130)],
)
def test_the_worst_end_counts(make: Maker, codes: tuple[int, int], code: int) -> None:
    assert merged_exit_code([shard(make, 1, "a", exit_code=each) for each in codes]) == code


def test_a_record_without_an_exit_code_is_judged_by_what_it_holds(make: Maker) -> None:
    assert merged_exit_code([make.record(make.plain(Status.FAILED))]) is ExitCode.CASE_FAILED
    assert merged_exit_code([make.record(make.plain(), interrupted=True)]) is ExitCode.INTERRUPTED
    assert merged_exit_code([make.record(make.plain(), faults=("lost",))]) is ExitCode.INTERNAL
    assert merged_exit_code([make.record(make.plain())]) is ExitCode.OK


def test_a_record_is_read_back_as_it_was_written(make: Maker, tmp_path: Path) -> None:
    record = shard(make, 1, "a", exit_code=0)
    write_atomically(tmp_path / "record.json", json_bytes(record))

    assert load_session(tmp_path / "record.json") == record


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read .*No such file"),
        ("", "is not the record of a session: it is not even JSON"),
        ("[1]", "is JSON, but not the record of a session; write one with --json FILE"),
        ('{"format": "wfrun-baseline"}', "is a baseline, but not the record of a session"),
        ('{"format": "wfrun-session", "schema_version": 99}', "was written by a newer wfrun"),
        ('{"format": "wfrun-session", "schema_version": 1}', "has another shape than expected: field created"),
    ],
)
def test_a_file_that_is_no_record_says_so(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "record.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(FileError, match=message):
        load_session(path)
