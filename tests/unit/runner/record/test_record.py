"""The record of a session holds everything it produced, whatever cases printed or attached."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from wfrun.authoring.attachments import Attachment
from wfrun.runner.child.messages import LoadFailure, Status
from wfrun.runner.discover.discovery import Discovery
from wfrun.runner.options import Outputs
from wfrun.runner.record.json_text import json_bytes
from wfrun.runner.record.models import CommandRecord, SessionRecord
from wfrun.runner.record.surroundings import look_around
from wfrun.runner.run.outcomes import Attempt, CapturedOutput, Outcomes, RunResult

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.runner.conftest import Maker


def test_a_record_is_the_same_after_a_journey_through_json(make: Maker) -> None:
    failed = make.plain(Status.FAILED, message="no", details="Traceback", output=CapturedOutput("out", 5))
    record = make.record(failed, make.measured({"wall_time_ns": make.processes(1e6)}), interrupted=True)

    assert SessionRecord.model_validate_json(json_bytes(record)) == record


def test_what_is_written_part_by_part_is_the_whole_record(make: Maker) -> None:
    """The fields are written as they are, and not by the model that reads them."""
    told = make.plain(
        Status.FLAKY,
        name="told",
        message="\ud800",
        notes={"list": [1, [2, 3]], "text": "[\n  1\n]"},
        unfinished_teardowns=("database",),
        attachments=(Attachment("log", 3, text="a\nb"),),
        attempts=(Attempt(Status.FAILED, 0.5, "no", "Traceback", CapturedOutput("out")),),
    )
    outcomes = Outcomes([make.plain(), told, make.measured({"wall_time_ns": make.processes(1e6)})])
    commands = {told.case.key: (CommandRecord(about="to run it again:", command="wfrun"),)}
    recording = replace(make.recording(RunResult(outcomes)), commands=commands).ended(0)

    written = b"".join(recording.json())

    assert written == json_bytes(recording.whole())
    assert SessionRecord.model_validate_json(written) == recording.whole()
    assert recording.whole().outcomes[1].reproduce == commands[told.case.key]
    assert [outcome.id for outcome in recording.head.outcomes] == [outcomes[2].case.info.id]


def test_a_session_of_no_case_is_written_too(make: Maker) -> None:
    recording = make.recording(RunResult(Outcomes()))

    assert b"".join(recording.json()) == json_bytes(recording.whole())


def test_every_outcome_is_there_in_the_order_they_finished(make: Maker) -> None:
    record = make.record(make.plain(name="b"), make.plain(Status.CRASHED, name="a"))

    assert [(o.id, o.status) for o in record.outcomes] == [
        ("suites/load::b", Status.PASSED),
        ("suites/load::a", Status.CRASHED),
    ]


def test_a_suite_that_could_not_be_loaded_is_there(make: Maker) -> None:
    record = make.record(failures=(LoadFailure("suite_x.py", "SyntaxError: no", "Traceback"),))

    assert [failure.message for failure in record.load_failures] == ["SyntaxError: no"]


def test_text_that_is_no_unicode_does_not_break_the_record(make: Maker) -> None:
    """A case may print half of a surrogate pair, which no UTF-8 file can hold."""
    record = make.record(make.plain(output=CapturedOutput("a\udc80b"), message="\ud800"))

    assert json.loads(json_bytes(record))["outcomes"][0]["output"] == "a\\udc80b"


def test_notes_that_json_cannot_hold_become_text(make: Maker) -> None:
    notes = {"nan": float("nan"), "huge": 2**70, "tuple": (1, {"x": float("inf")}), "odd": {1}, "yes": True}

    record = make.record(make.plain(notes=notes))

    assert json.loads(json_bytes(record))["outcomes"][0]["notes"] == {
        "nan": "nan",
        "huge": str(2**70),
        "tuple": [1, {"x": "inf"}],
        "odd": '"{1}"',
        "yes": True,
    }


def test_only_cases_measured_and_passed_are_green(make: Maker) -> None:
    green = make.measured({"wall_time_ns": [[1.0]]}, name="green")

    record = make.record(green, make.plain(Status.FAILED, name="red", measured=True), make.plain(name="plain"))

    assert [outcome.id for outcome in record.measured_green] == ["suites/load::green"]


def test_lists_of_numbers_stand_on_one_line(make: Maker) -> None:
    """A reviewer of a changed baseline sees one line for each process, not one for each sample."""
    text = json_bytes(make.record(make.measured({"wall_time_ns": [[1.0, 2.0, 3.0]]}))).decode()

    assert "[1.0,2.0,3.0]" in text
    assert text.endswith("}\n")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "code.py").write_text("x = 1\n")
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    for command in (("init", "-q"), ("add", "."), (*identity, "commit", "-qm", "first")):
        subprocess.run(["git", *command], cwd=folder, check=True)  # noqa: S607 - whichever git there is
    return folder


def test_what_wfrun_writes_does_not_make_the_source_look_changed(make: Maker, repository: Path) -> None:
    """Else the second session at a commit could never join the baseline that the first one wrote."""
    record = make.record(make.measured({"wall_time_ns": [[1.0]]}))
    (repository / "baselines").mkdir()
    (repository / "baselines" / "main.json").write_bytes(json_bytes(make.baseline(record)))
    (repository / "session.json").write_bytes(json_bytes(record))
    (repository / "junit.xml").write_text("<testsuites/>")
    (repository / ".wfrun").mkdir()
    (repository / ".wfrun" / "anything").write_text("")

    around = look_around(Discovery((), ()), Outputs(junit_path=repository / "junit.xml"), repository)

    assert around.source is not None
    assert not around.source.dirty
    assert around.source.diff_hash is None


def test_a_changed_source_is_seen(repository: Path) -> None:
    (repository / "code.py").write_text("x = 2\n")
    (repository / "settings.json").write_text("{}")

    around = look_around(Discovery((), ()), Outputs(), repository)

    assert around.source is not None
    assert around.source.dirty


def test_without_a_repository_the_suites_own_is_taken(repository: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    around = look_around(Discovery((str(repository / "code.py"),), ()), Outputs(), elsewhere)

    assert around.source is not None


def test_outside_of_any_repository_the_reason_is_kept(tmp_path: Path) -> None:
    around = look_around(Discovery((), ()), Outputs(), tmp_path)

    assert around.source is None
    assert around.source_doubt
