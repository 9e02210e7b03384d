from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import orjson
import pytest

from wfrun.errors import FileError
from wfrun.runner.report.report import report_session, session_console

if TYPE_CHECKING:
    from tests.unit.runner.report.conftest import Make


def test_the_summary_is_printed_and_both_files_are_written(make: Make, tmp_path: Path) -> None:
    console = make.console()
    junit_path, json_path = tmp_path / "new" / "junit.xml", tmp_path / "record.json"

    report_session(
        make.story(make.outcome(), record=make.record()), console, junit_path=junit_path, json_path=json_path
    )

    assert "1 passed" in make.printed(console)
    assert ET.parse(junit_path).getroot().tag == "testsuites"  # noqa: S314 - it is our own output
    assert orjson.loads(json_path.read_bytes())["format"] == "wfrun-session"


def test_a_file_that_cannot_be_written_keeps_nothing_else_from_being_written(make: Make, tmp_path: Path) -> None:
    console = make.console()
    (tmp_path / "file").touch()
    junit_path, json_path = tmp_path / "file" / "junit.xml", tmp_path / "record.json"

    with pytest.raises(FileError, match=r"junit\.xml"):
        report_session(
            make.story(make.outcome(), record=make.record()), console, junit_path=junit_path, json_path=json_path
        )

    assert "1 passed" in make.printed(console)
    assert json_path.is_file()


def test_a_named_pipe_is_written_into_and_not_replaced(make: Make, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = "import sys; sys.stdout.write(open(sys.argv[1]).read())"
    reader = subprocess.Popen([sys.executable, "-c", read, str(pipe)], stdout=subprocess.PIPE)

    report_session(make.story(make.outcome()), make.console(), junit_path=pipe)

    content, _ = reader.communicate(timeout=30)
    assert ET.fromstring(content).attrib["tests"] == "1"  # noqa: S314 - it is our own output
    assert pipe.is_fifo()


def test_json_on_standard_output_stands_there_alone(make: Make, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    json_path = Path("-")
    console = session_console(json_path)

    report_session(make.story(make.outcome(), record=make.record()), console, json_path=json_path)

    out, err = capfdbinary.readouterr()
    assert orjson.loads(out)["format"] == "wfrun-session"
    assert b"1 passed" in err


def test_a_session_is_told_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    session_console(Path("record.json")).print("told")

    assert capsys.readouterr().out == "told\n"
