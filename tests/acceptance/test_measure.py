"""``wfrun measure``: real commands, timed as whole processes, here and in two trees."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

PYTHON = (sys.executable, "-I", "-S", "-c")
SCRIPT = "import time\ntime.sleep({})\n"


@pytest.fixture
def repository(project: Project) -> Project:
    """A project with a commit on main, whose script takes fifty milliseconds."""
    project.write({"script.py": SCRIPT.format(0.05)})
    for words in (
        ("init", "-q", "-b", "main"),
        ("add", "-A"),
        ("-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-q", "-m", "one"),
    ):
        subprocess.run(["/usr/bin/env", "git", *words], cwd=project.folder, check=True)
    return project


def test_what_a_command_takes(project: Project) -> None:
    ran = project.run("measure", "--budget", "0.5s", "--json", "--", *PYTHON, "import time; time.sleep(0.03)")

    told = json.loads(ran.out)
    runs = told["runs"]["this folder"]
    assert ran.code == 0
    assert len(runs) >= 5
    assert min(run["wall_time_ns"] for run in runs) >= 30e6


def test_memory_is_the_commands_own(project: Project) -> None:
    small = project.run("measure", "--budget", "0.1s", "--json", "--", "/bin/true")
    large = project.run("measure", "--budget", "0.1s", "--json", "--", *PYTHON, "held = b'x' * 80_000_000")

    sizes = [json.loads(ran.out)["runs"]["this folder"][0]["peak_rss_bytes"] for ran in (small, large)]
    assert sizes[0] < 16e6, "nothing of wfrun is counted, beyond what starts the command"
    assert sizes[1] > 80e6


def test_a_table_for_people(project: Project) -> None:
    ran = project.run("measure", "--budget", "0.1s", "--", "/bin/true")

    assert ran.code == 0
    assert all(word in ran.out for word in ("wall_time_ns", "median", "peak_rss_bytes", "runs"))


def test_slower_than_in_the_commit_is_exit_code_3(repository: Project) -> None:
    repository.write({"script.py": SCRIPT.format(0.1)})

    ran = repository.run(
        "measure",
        "--against",
        "main",
        "--budget",
        "1s",
        "--threshold",
        "wall_time_ns=10",
        "--",
        *PYTHON[:3],
        "script.py",
    )

    assert ran.code == 3, ran.text
    assert "Compared with main" in ran.out
    assert "regressed" in ran.out


def test_the_same_is_exit_code_0(repository: Project) -> None:
    words = ("--against", "main", "--budget", "1s", "--threshold", "wall_time_ns=40", "--json", "--")
    ran = repository.run("measure", *words, *PYTHON[:3], "script.py")

    verdicts = {row["metric"]: row["verdict"] for row in json.loads(ran.out)["metrics"]}
    assert ran.code == 0, ran.text
    assert verdicts["wall_time_ns"] in {"same", "inconclusive"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("ls", "/not/there"), "ended with exit code 2 in this folder:\nls: cannot access"),
        (("no-such-command",), "no-such-command cannot be started in this folder: No such file"),
        ((*PYTHON, "import os; os.abort()"), "was killed by signal 6"),
    ],
)
def test_a_command_that_fails_says_how(project: Project, words: tuple[str, ...], message: str) -> None:
    ran = project.run("measure", "--", *words)

    assert ran.code == 1
    assert message in ran.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--setup", "true", "--", "true"), "--setup is about --against"),
        (("--threshold", "wall_time_ns=3", "--", "true"), "--threshold is about --against"),
        (("--against", "main", "--threshold", "items=3", "--", "true"), "only wall_time_ns"),
        (("--budget", "0s", "--against", "main", "--", "true"), "some sampling time"),
        ((), "COMMAND"),
    ],
)
def test_what_cannot_be_meant_is_refused(project: Project, words: tuple[str, ...], message: str) -> None:
    ran = project.run("measure", *words)

    assert ran.code == 2
    assert message in ran.err


def test_ctrl_c_tells_what_was_measured_so_far(project: Project) -> None:
    counting = "import pathlib, time; pathlib.Path('runs.txt').open('a').write('x'); time.sleep(0.05)"
    with project.start("measure", "--budget", "60s", "--json", "--", *PYTHON, counting) as started:
        while len(project.wait_for("runs.txt")) < 4:
            pass
        started.signal(signal.SIGINT)
        ran = started.end()

    assert ran.code == 130, ran.text
    assert json.loads(ran.out)["interrupted"] is True
    assert len(json.loads(ran.out)["runs"]["this folder"]) >= 2
