"""``make nightly``: the script that measures, adds, checks and reports, with one exit code."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.conftest import WFRUN, environment

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

NIGHTLY = Path(__file__).parents[2] / ".ci" / "nightly"
FILE = ".wfrun-history.jsonl"
MEASURED = "@suite.benchmark('Sums')\ndef sums(): sum(range(300))\n"
FAILING = "@suite.benchmark('Broken')\ndef broken(): assert False\n"

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


def nightly(project: Project, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(WFRUN).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [str(NIGHTLY), *words],
        cwd=project.folder,
        env=environment({"PATH": path, "NIGHT_SESSIONS": "2", **settings}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def make_nights(project: Project, factor: float) -> None:
    """Put nights before the one that is there, so many times as slow as it was."""
    line = json.loads(project.read(FILE))
    lines = []
    for ago in range(25, 0, -1):
        night = copy.deepcopy(line)
        created = datetime.fromisoformat(line["created"]) - timedelta(days=ago)
        night["created"] = created.isoformat()
        for session in night["sessions"]:
            session["created"] = created.isoformat()
        for case in night["cases"].values():
            case["metrics"] = {"wall_time_ns": case["metrics"]["wall_time_ns"]}
            metric = case["metrics"]["wall_time_ns"]
            metric["floor"] *= factor * (1 + ago % 3 / 500)
        lines.append(json.dumps(night) + "\n")
    project.write({FILE: "".join(lines)})


def test_a_night_is_measured_added_checked_and_reported(project: Project) -> None:
    project.write({"suites/suite_a.py": MEASURED})

    first = nightly(project)

    assert first.returncode == 0, first.stdout + first.stderr
    assert "added the night of" in first.stdout
    assert "2 sessions" in first.stdout
    assert "not enough nights yet (1 of 11)" in first.stdout
    assert "not enough nights yet" in project.read(".wfrun/night/night.md")
    assert "<html" in project.read(".wfrun/night/night.html")

    make_nights(project, 0.2)
    slower = nightly(project)

    assert slower.returncode == 3, slower.stdout + slower.stderr
    assert "WORSE  Things · Sums, wall_time_ns" in slower.stdout
    assert "WORSE" in project.read(".wfrun/night/check.txt")


def test_a_case_that_fails_is_the_exit_code_and_the_others_enter_the_history(project: Project) -> None:
    project.write({"suites/suite_a.py": MEASURED + FAILING})

    ended = nightly(project, "suites", NIGHT_SESSIONS="1", NIGHT_HISTORY="kept/nights.jsonl")

    assert ended.returncode == 1
    assert list(json.loads(project.read("kept/nights.jsonl"))["cases"]) == ["a::sums"]


@pytest.mark.parametrize(("words", "sessions"), [(("--nope",), "1"), ((), "none"), ((), "0")])
def test_what_is_not_understood_is_usage_and_adds_nothing(
    project: Project, words: tuple[str, ...], sessions: str
) -> None:
    project.write({"suites/suite_a.py": MEASURED})

    ended = nightly(project, *words, NIGHT_SESSIONS=sessions)

    assert ended.returncode == 2
    assert project.read(FILE) == ""
