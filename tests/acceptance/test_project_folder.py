"""Project folders that cannot be written, that are full, or in which two sessions run at once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.acceptance.conftest import PATIENCE_S, WFRUN, Ran, environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.acceptance.conftest import Project

GIT: Final = shutil.which("git") or "git"
SUITE: Final = """
@suite.case()
def one(): pass

@suite.benchmark()
def measured(): sum(range(1000))
"""


def run_mounted(project: Project, mount: str, words: Sequence[str]) -> Ran:
    """Run the command where ``mount`` has changed what the folder lies on, for that command alone."""
    script = f'set -e; {mount}; cd "$PWD"; exec "$@"'
    unshare = shutil.which("unshare")
    if sys.platform != "linux" or unshare is None:
        pytest.skip("only Linux mounts for one command alone")
    own_user = [] if os.getuid() == 0 else ["--map-root-user"]
    command = [unshare, *own_user, "--mount", "/bin/sh", "-c"]
    tried = subprocess.run([*command, f"set -e; {mount}"], cwd=project.folder, capture_output=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"mounting is not allowed here: {tried.stderr.decode()}")
    ended = subprocess.run(
        [*command, script, "sh", WFRUN, *words],
        cwd=project.folder,
        env=environment(None),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return Ran(ended.returncode, ended.stdout, ended.stderr)


READ_ONLY: Final = 'mount --bind "$PWD" "$PWD"; mount -o remount,ro,bind "$PWD"'


def test_cases_run_in_a_folder_that_cannot_be_written(project: Project) -> None:
    project.write({"suites/suite_a.py": SUITE})

    ran = run_mounted(project, READ_ONLY, ())

    assert ran.code == 0
    assert "PASS  Things · One" in ran.out
    assert "the last session is not kept: cannot write .wfrun/.gitignore: Read-only file system" in ran.out


@pytest.mark.parametrize(
    "words",
    [
        ("--json", "out.json"),
        ("--junit", "out.xml"),
        ("--performance", "--baseline", "main"),
        ("--trace",),
        ("--profile",),
    ],
)
def test_what_shall_be_written_there_is_refused_before_anything_runs(project: Project, words: Sequence[str]) -> None:
    project.write({"suites/suite_a.py": SUITE})

    ran = run_mounted(project, READ_ONLY, words)

    assert ran.code == 2
    assert "Read-only file system" in ran.err
    assert "Traceback" not in ran.text
    assert "PASS" not in ran.out


def test_a_case_that_fills_the_disk_fails_and_the_next_finds_room(project: Project) -> None:
    body = """
@suite.case()
def fills_the_disk(context):
    with open(context.folder / "large", "wb") as file:
        while True: file.write(bytes(2**20))

@suite.case()
def after(context): (context.folder / "small").write_bytes(bytes(2**20))
"""
    project.write({"suites/suite_a.py": body})
    mount = 'mkdir -p small; mount -t tmpfs -o size=4m tmpfs "$PWD/small"; export TMPDIR="$PWD/small"'

    ran = run_mounted(project, mount, ())

    assert ran.code == 1
    assert "OSError: [Errno 28] No space left on device" in ran.out
    assert "PASS  Things · After" in ran.out


def test_a_folder_without_room_for_the_record_keeps_the_results(project: Project) -> None:
    project.write({"suites/suite_a.py": SUITE})
    mount = 'mkdir -p .wfrun; mount -t tmpfs -o size=4k tmpfs "$PWD/.wfrun"; head -c 4096 /dev/zero >.wfrun/full'

    ran = run_mounted(project, mount, ())

    assert ran.code == 0
    assert "PASS  Things · One" in ran.out
    assert "No space left on device" in ran.out


def test_two_sessions_in_one_folder_lose_nothing_of_each_other(project: Project) -> None:
    """Both add to one baseline, keep what failed, and write the last session."""
    bad = "@suite.case()\ndef bad(): assert False\n"
    project.write({"suites/suite_a.py": SUITE, "suites/suite_b.py": bad, "suites/suite_c.py": bad})
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "Suites")):
        identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
        subprocess.run([GIT, *identity, *words], cwd=project.folder, check=True)
    measure = [WFRUN, "suites/suite_a.py", "--performance", "--baseline", "main"]
    checks = [[WFRUN, f"suites/suite_{name}.py"] for name in "bc"]
    processes = [
        subprocess.Popen(words, cwd=project.folder, env=environment(None), stdout=subprocess.PIPE, text=True)
        for words in (measure, measure, *checks, *checks)
    ]

    said = [process.communicate(timeout=PATIENCE_S)[0] for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 1, 1, 1, 1], said
    assert len(project.json("baselines/main.json")["sessions"]) == 2
    assert json.loads(project.read(".wfrun/last-session.json"))["format"] == "wfrun-session"
    again = project.run("--last-failed")
    assert "2 failed" in again.out
