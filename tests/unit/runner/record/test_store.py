"""Baselines are promises: what goes in is whole and green, what comes out is what went in, what is broken says how."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wfrun.errors import BaselineError, FileError, NothingSelected
from wfrun.files import write_atomically
from wfrun.runner.child.messages import Status
from wfrun.runner.record.json_text import json_bytes
from wfrun.runner.record.models import Baseline, SessionRecord, SourceRecord
from wfrun.runner.record.store import (
    load_baseline,
    refuse_early,
    resolve_baseline,
    save_baseline,
    save_last_session,
)

if TYPE_CHECKING:
    from tests.unit.runner.conftest import Maker


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "baselines" / "main.json"


def green(make: Maker, floor: float = 1e6) -> SessionRecord:
    return make.record(make.measured({"wall_time_ns": make.processes(floor)}))


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("main", "baselines/main.json"),
        ("main.json", "baselines/main.json"),
        ("release-1.2", "baselines/release-1.2.json"),
        ("here/main", "here/main.json"),
        ("../main.json", "../main.json"),
        ("/elsewhere/main.json", "/elsewhere/main.json"),
    ],
)
def test_a_bare_name_lies_in_baselines_and_a_path_where_it_says(name: str, place: str) -> None:
    assert resolve_baseline(Path(name), Path("/project")) == Path("/project") / place


def test_a_baseline_is_the_same_after_a_journey_through_its_file(make: Maker, path: Path) -> None:
    saved = save_baseline(green(make), path, replace=False)

    loaded = load_baseline(path)

    assert (saved.path, saved.sessions, saved.cases) == (path, 1, 1)
    assert Baseline.model_validate_json(path.read_bytes()) == loaded
    assert loaded.metric_by_session("suites/load::flow", "wall_time_ns")[0].samples == tuple(
        tuple(float(f"{sample:.5g}") for sample in process) for process in make.processes(1e6)
    )


def test_a_second_session_of_the_same_source_joins(make: Maker, path: Path) -> None:
    save_baseline(green(make, 1e6), path, replace=False)

    saved = save_baseline(green(make, 1.02e6), path, replace=False)

    loaded = load_baseline(path)
    assert (saved.sessions, len(loaded.sessions)) == (2, 2)
    assert loaded.spread_between_sessions_percent["suites/load::flow"]["wall_time_ns"] == pytest.approx(1.4, abs=0.1)


def test_one_session_has_no_spread_between_sessions(make: Maker, path: Path) -> None:
    save_baseline(green(make), path, replace=False)

    assert load_baseline(path).spread_between_sessions_percent == {}


def test_replace_starts_anew(make: Maker, path: Path) -> None:
    save_baseline(green(make), path, replace=False)

    assert save_baseline(green(make), path, replace=True).sessions == 1


def test_replace_needs_no_readable_file(make: Maker, path: Path) -> None:
    path.parent.mkdir()
    path.write_text("{ broken")

    save_baseline(green(make), path, replace=True)

    assert len(load_baseline(path).sessions) == 1


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (SourceRecord(sha="d00d" * 10, branch="main", dirty=False, diff_hash=None), "commit c0ffeec0ff"),
        (SourceRecord(sha="c0ffee" * 6 + "c0ff", branch="main", dirty=True, diff_hash="1"), "working tree differs"),
        (None, "outside a git repository"),
    ],
)
def test_another_source_does_not_join(make: Maker, path: Path, source: SourceRecord | None, says: str) -> None:
    save_baseline(green(make), path, replace=False)
    before = path.read_bytes()
    make.source = source

    with pytest.raises(BaselineError, match=f"(?s){says}.*--replace"):
        save_baseline(green(make), path, replace=False)

    assert path.read_bytes() == before


@pytest.mark.parametrize("key", ["cpu_model", "cpu_count", "architecture", "python_minor"])
def test_another_machine_does_not_join(make: Maker, path: Path, key: str) -> None:
    save_baseline(green(make), path, replace=False)
    make.fingerprint[key] = "other"

    with pytest.raises(BaselineError, match=f"another machine \\({key}.*--replace"):
        save_baseline(green(make), path, replace=False)


def test_another_kernel_does_join(make: Maker, path: Path) -> None:
    save_baseline(green(make), path, replace=False)
    make.fingerprint["kernel"] = "Linux 7"

    assert save_baseline(green(make), path, replace=False).sessions == 2


def test_a_session_that_could_not_join_is_refused_before_it_runs(make: Maker, path: Path) -> None:
    refuse_early(path, make.surroundings(), replace=False)
    save_baseline(green(make), path, replace=False)
    make.source = None

    refuse_early(path, make.surroundings(), replace=True)
    with pytest.raises(BaselineError, match="git"):
        refuse_early(path, make.surroundings(), replace=False)


def test_an_interrupted_session_never_becomes_a_baseline(make: Maker, path: Path) -> None:
    record = make.record(make.measured({"wall_time_ns": [[1.0]]}), interrupted=True)

    with pytest.raises(BaselineError, match="interrupted"):
        save_baseline(record, path, replace=True)

    assert not path.exists()


def test_a_session_that_wfrun_contradicted_itself_in_never_becomes_a_baseline(make: Maker, path: Path) -> None:
    record = make.record(make.measured({"wall_time_ns": [[1.0]]}), faults=("no outcome for x",))

    with pytest.raises(BaselineError, match="no outcome for x"):
        save_baseline(record, path, replace=True)


@pytest.mark.parametrize("status", [Status.FAILED, Status.ERROR, Status.TIMED_OUT, Status.CRASHED])
def test_a_session_with_a_failed_measured_case_never_becomes_a_baseline(
    make: Maker, path: Path, status: Status
) -> None:
    failed = make.plain(status, name="red", measured=True)
    record = make.record(make.measured({"wall_time_ns": [[1.0]]}), failed)

    with pytest.raises(BaselineError, match="Title of red"):
        save_baseline(record, path, replace=True)

    assert not path.exists()


def test_a_failed_case_that_was_not_measured_does_not_matter(make: Maker, path: Path) -> None:
    record = make.record(make.measured({"wall_time_ns": [[1.0]]}), make.plain(Status.FAILED))

    assert save_baseline(record, path, replace=False).cases == 1


def test_a_session_that_measured_nothing_is_said_to_be_empty(make: Maker, path: Path) -> None:
    with pytest.raises(NothingSelected, match="--performance"):
        save_baseline(make.record(make.plain()), path, replace=False)


def test_uncommitted_changes_are_said(make: Maker, path: Path) -> None:
    make.source = SourceRecord(sha="d00d" * 10, branch=None, dirty=True, diff_hash="1")

    assert "uncommitted changes" in save_baseline(green(make), path, replace=False).warnings[0]


def spoiled(make: Maker, path: Path, change: str) -> bytes:
    """A baseline with one thing wrong."""
    save_baseline(green(make), path, replace=True)
    content = path.read_bytes()
    value = json.loads(content)
    match change:
        case "cut short":
            return content[: len(content) // 2]
        case "damaged":
            return content.replace(b'"sessions": [', b'"sessions": [[', 1)
        case "newer":
            value["schema_version"] = 3
        case "missing field":
            del value["sessions"][0]["cases"][0]["items"]
        case "unknown field":
            value["colour"] = "red"
        case "a word for a number":
            value["sessions"][0]["cases"][0]["measurements"]["metrics"]["wall_time_ns"]["samples"][0][0] = "fast"
        case "a case twice":
            value["sessions"][0]["cases"] *= 2
        case "no sessions":
            value["sessions"] = []
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("cut short", "cut short.*version control.*--replace"),
        ("damaged", "damaged"),
        ("newer", r"newer wfrun \(schema 3; this one reads 2\): upgrade"),
        ("missing field", "field sessions.0.cases.0.items"),
        ("unknown field", "field colour"),
        ("a word for a number", "field sessions.0.cases.0.measurements.metrics.wall_time_ns.samples.0.0"),
        ("a case twice", "'suites/load::flow' is there twice"),
        ("no sessions", "field sessions"),
    ],
)
def test_a_spoiled_baseline_says_what_is_wrong_with_it(make: Maker, path: Path, change: str, says: str) -> None:
    path.write_bytes(spoiled(make, path, change))

    with pytest.raises(BaselineError, match=f"(?s){path}.*{says}"):
        load_baseline(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"hello", "not even JSON"),
        (b"\xff\xfe", "not even JSON"),
        (b"[1, 2]", "not a baseline"),
        (b"{}", 'field "format" is missing'),
        (b'{"format": "other"}', '"other"'),
        (b"3", "not a baseline"),
        (b'{"format": "wfrun-baseline", "schema_version": "x"}', "field schema_version"),
        (b"[" * 5000, "not even JSON"),
    ],
)
def test_a_file_that_is_no_baseline_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "main.json"
    path.write_bytes(content)

    with pytest.raises(BaselineError, match=says):
        load_baseline(path)


def test_the_record_of_a_session_is_no_baseline(make: Maker, path: Path) -> None:
    write_atomically(path, json_bytes(green(make)))

    with pytest.raises(BaselineError, match="record of a session"):
        load_baseline(path)


def test_a_folder_is_no_baseline(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="cannot read"):
        load_baseline(tmp_path)


def test_a_missing_baseline_names_similar_ones(tmp_path: Path) -> None:
    (tmp_path / "main.json").write_text("{}")

    with pytest.raises(BaselineError, match=r"did you mean .*/main\.json\?"):
        load_baseline(tmp_path / "mian.json")


def test_a_missing_baseline_without_similar_ones_names_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "zebra.json").write_text("{}")

    with pytest.raises(BaselineError, match=r"has zebra\.json; record one with --baseline"):
        load_baseline(tmp_path / "main.json")


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match=r"no folder .*nowhere"):
        load_baseline(tmp_path / "nowhere" / "main.json")


def test_a_file_beside_the_folder_of_baselines_is_pointed_at(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("{}")

    with pytest.raises(BaselineError, match="for the file in"):
        load_baseline(resolve_baseline(Path("old.json"), tmp_path))


@pytest.mark.parametrize("replace", [True, False])
def test_a_full_disk_leaves_the_old_baseline_whole(make: Maker, path: Path, replace: bool) -> None:
    """The limit of file size is the disk that fills up half way through the write, in a process of its own."""
    save_baseline(green(make), path, replace=False)
    record_path = path.with_name("record.json")
    write_atomically(
        record_path, json_bytes(make.record(make.measured({"wall_time_ns": make.processes(1e6, samples=2000)})))
    )
    before = path.read_bytes()
    program = textwrap.dedent(f"""
        import resource, signal
        from pathlib import Path
        from wfrun.errors import FileError
        from wfrun.runner.record.models import SessionRecord
        from wfrun.runner.record.store import save_baseline
        record = SessionRecord.model_validate_json(Path({str(record_path)!r}).read_bytes())
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) + 1000}, {len(before) + 1000}))
        try:
            save_baseline(record, Path({str(path)!r}), replace={replace})
        except FileError as error:
            print(error)
    """)

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[4]
    )

    assert "File too large; the file that was there is unchanged" in done.stdout
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["main.json", "record.json"]


def test_the_last_session_is_kept_where_version_control_does_not_look(make: Maker, tmp_path: Path) -> None:
    record = green(make)

    doubt = save_last_session([json_bytes(record)], tmp_path / ".wfrun")

    assert doubt == ""
    assert (tmp_path / ".wfrun" / ".gitignore").read_text().splitlines()[-1] == "*"
    assert SessionRecord.model_validate_json((tmp_path / ".wfrun" / "last-session.json").read_bytes()) == record


def test_a_folder_that_cannot_be_made_is_a_doubt_and_no_failure(make: Maker, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert "not kept" in save_last_session([json_bytes(green(make))], tmp_path / "file" / ".wfrun")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_folder_is_a_doubt_and_no_failure(make: Maker, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    assert "not kept" in save_last_session([json_bytes(green(make))], tmp_path / ".wfrun")


def test_a_record_that_cannot_be_written_says_where(make: Maker, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=str(tmp_path)):
        write_atomically(tmp_path, json_bytes(green(make)))
