"""The file of a history: what is read of it, and what is written to it."""

from __future__ import annotations

import errno
import fcntl
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wfrun.errors import FileError, UsageError
from wfrun.runner.record import history_file
from wfrun.runner.record.history import HistoryAnchor, machines_of, series_of, series_on
from wfrun.runner.record.history_file import append_line, read_history
from wfrun.runner.record.night import night_of

if TYPE_CHECKING:
    from tests.unit.runner.conftest import Maker
    from wfrun.runner.record.history import HistoryNight

ANCHOR = HistoryAnchor(created=datetime(2026, 1, 1, tzinfo=UTC), tool_version="0", reason="so be it")


def night(make: Maker, number: int, metric: str = "wall_time_ns", name: str = "flow") -> HistoryNight:
    record = make.record(make.measured({metric: make.processes(100.0 + number)}, name=name))
    later = record.model_copy(update={"created": record.created + timedelta(days=number), "seed": number})
    return night_of({Path("record.json"): later})


def test_what_was_added_is_read_back(make: Maker, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "nights.jsonl"
    lines: list[HistoryNight | HistoryAnchor] = [night(make, 0), night(make, 1)]
    lines.append(ANCHOR.model_copy(update={"created": datetime(2030, 1, 1, tzinfo=UTC)}))

    for line in lines:
        grown = append_line(path, line)

    assert read_history(path) == grown
    assert list(grown.lines) == lines


def test_a_line_without_its_end_is_ended_and_kept(make: Maker, tmp_path: Path) -> None:
    path = tmp_path / "nights.jsonl"
    append_line(path, night(make, 0))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:100])

    append_line(path, night(make, 1))

    read = read_history(path)
    assert len(read.nights) == 2
    assert [damage.line for damage in read.damage] == [2]
    assert path.read_bytes().startswith(whole + whole[:100] + b"\n")


def test_a_last_line_that_lacks_only_its_line_break_counts(make: Maker, tmp_path: Path) -> None:
    path = tmp_path / "nights.jsonl"
    append_line(path, night(make, 0))
    path.write_bytes(path.read_bytes().rstrip())

    append_line(path, night(make, 1))

    assert (len(read_history(path).nights), read_history(path).damage) == (2, ())


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.one_of(st.binary(max_size=300), st.text(alphabet='{}[]":,1a\n ', max_size=200).map(str.encode)))
def test_whatever_is_in_the_file_costs_no_more_than_itself(content: bytes, make: Maker, tmp_path: Path) -> None:
    path = tmp_path / "nights.jsonl"
    path.write_bytes(content)

    append_line(path, ANCHOR)

    read = read_history(path)
    assert ANCHOR in read.lines
    assert path.read_bytes().startswith(content)
    assert all(damage.why for damage in read.damage)


def test_a_full_disk_leaves_the_file_as_it_was(make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "nights.jsonl"
    append_line(path, night(make, 0))
    before = path.read_bytes()
    real = os.write

    def half(descriptor: int, text: bytes) -> int:
        if len(text) > 50:
            return real(descriptor, text[:50])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", lambda descriptor, text: half(descriptor, text[:60]))
    with pytest.raises(FileError, match="No space left on device; it is as it was"):
        append_line(path, night(make, 1))
    monkeypatch.undo()

    assert path.read_bytes() == before


def test_one_that_another_program_holds_is_waited_for_and_then_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "nights.jsonl"
    append_line(path, ANCHOR)
    monkeypatch.setattr(history_file, "LOCK_PATIENCE_S", 0.05)

    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(FileError, match="another program has held the history"):
            append_line(path, ANCHOR)
        with pytest.raises(FileError, match="another program has held the history"):
            read_history(path)

    assert len(read_history(path).lines) == 1


def test_what_cannot_be_a_history_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot write the history"):
        append_line(tmp_path, ANCHOR)
    with pytest.raises(FileError, match="cannot read the history"):
        read_history(tmp_path)
    with pytest.raises(FileError, match="there is no history"):
        read_history(tmp_path / "gone.jsonl")


def test_a_session_is_not_added_twice(make: Maker, tmp_path: Path) -> None:
    path = tmp_path / "nights.jsonl"
    append_line(path, night(make, 0))

    with pytest.raises(UsageError, match="a night counts once"):
        append_line(path, night(make, 0))


def test_a_series_has_its_nights_in_order_and_knows_since_when_it_is_absent(make: Maker, tmp_path: Path) -> None:
    path = tmp_path / "nights.jsonl"
    for line in (night(make, 2), night(make, 0), night(make, 1), night(make, 5, name="other")):
        append_line(path, line)
    history = read_history(path)

    series = series_of(history, "suites/load::flow", "wall_time_ns")

    assert series is not None
    assert [each.created.day for each in series.nights] == [17, 18, 19]
    assert list(series.values) == sorted(series.values)
    assert series.absent == 1
    assert series_of(history, "suites/load::flow", "nothing") is None
    assert [each.case_id for each in series_on(history)] == ["suites/load::other", "suites/load::flow"]


def test_machines_and_accepted_levels_are_told_apart(make: Maker, tmp_path: Path) -> None:
    path = tmp_path / "nights.jsonl"
    append_line(path, night(make, 0))
    append_line(path, ANCHOR.model_copy(update={"created": datetime(2025, 5, 17, 20, tzinfo=UTC)}))
    make.fingerprint["cpu_model"] = "Another CPU"
    append_line(path, night(make, 3))

    history = read_history(path)

    first, other = history.nights
    assert machines_of(history) == (other.machine, first.machine)
    assert [series.anchors for series in series_on(history, first.machine)] == [(1,)]
    assert [series.anchors for series in series_on(history)] == [()]


def test_a_metric_that_was_declared_anew_in_another_unit_begins_anew(make: Maker, tmp_path: Path) -> None:
    path = tmp_path / "nights.jsonl"
    append_line(path, night(make, 0))
    changed = night(make, 1)
    (case,) = changed.cases.values()
    metric = case.metrics["wall_time_ns"].model_copy(update={"unit": "s"})
    case.metrics["wall_time_ns"] = metric
    append_line(path, changed)

    (series,) = series_on(read_history(path))

    assert (series.unit, len(series.nights)) == ("s", 1)
