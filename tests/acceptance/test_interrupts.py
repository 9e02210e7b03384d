"""Ctrl-C, once and twice, termination and sudden death: what is torn down, what is kept, and that nothing stays."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.acceptance.conftest import gone

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

WAITS: Final = """
@suite.case()
def finished_before(): pass

@suite.fixture
async def connection():
    yield 1
    await asyncio.sleep(0.1)
    with open("torn_down", "w") as file:
        file.write("yes")

@suite.case()
async def waits(connection):
    sleeper = subprocess.Popen(["sleep", "1000"])
    with open("pids", "w") as file:
        file.write(f"{os.getpid()} {sleeper.pid}")
    await asyncio.sleep(1000)

@suite.case()
def never_started(): pass
"""

HOLDS_ON: Final = """
@suite.fixture
async def lock():
    yield 1
    with open("tearing_down", "w") as file:
        file.write(str(os.getpid()))
    await asyncio.sleep(1000)

@suite.fixture
async def quick():
    yield 1

@suite.case()
async def holds_on(lock, quick):
    with open("pids", "w") as file:
        file.write(str(os.getpid()))
    await asyncio.sleep(1000)
"""

STUCK_IMPORT: Final = """
with open("pids", "w") as file:
    file.write(str(os.getpid()))
time.sleep(1000)
"""

MEASURED: Final = """
@suite.benchmark()
async def measured():
    with open("pids", "a") as file:
        file.write(f"{os.getpid()}\\n")
    await asyncio.sleep(0.05)
"""


def statuses(record: Any) -> dict[str, str]:
    return {outcome["id"].partition("::")[2]: outcome["status"] for outcome in record["outcomes"]}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_once_tears_down_keeps_what_there_is_and_ends_with_130(project: Project, number: int) -> None:
    project.write({"suites/suite_a.py": WAITS})

    with project.start("--json", "record.json") as started:
        pids = project.wait_for("pids").split()
        started.signal(number)
        ran = started.end()

    assert ran.code == 130
    assert "stopping: tear-downs have 5.00 s to finish; Ctrl-C again ends everything at once" in ran.out
    assert "Traceback" not in ran.text
    assert project.read("torn_down") == "yes"
    for pid in pids:
        gone(int(pid))
    record = project.json("record.json")
    assert record["interrupted"] is True
    assert statuses(record) == {"finished_before": "passed", "waits": "interrupted", "never_started": "not run"}
    assert project.json(".wfrun/last-session.json") == record


def test_twice_ends_at_once_and_names_the_tear_downs_that_did_not_end(project: Project) -> None:
    project.write({"suites/suite_a.py": HOLDS_ON})

    with project.start("--json", "record.json") as started:
        project.wait_for("pids")
        started.signal()
        pid = int(project.wait_for("tearing_down"))
        started.signal()
        started.said("stopping at once")
        ran = started.end()

    assert ran.code == 130
    assert "tear-down did not finish: lock" in ran.out
    gone(pid)
    outcome = project.json("record.json")["outcomes"][0]
    assert outcome["status"] == "interrupted"
    assert outcome["unfinished_teardowns"] == ["lock"]


def test_twice_in_the_middle_of_a_case_names_every_tear_down(project: Project) -> None:
    project.write({"suites/suite_a.py": HOLDS_ON.replace("await asyncio.sleep(1000)", "mask()") + MASK})

    with project.start("--json", "record.json") as started:
        pid = int(project.wait_for("pids"))
        started.signal()
        started.said("stopping: ")
        started.signal()
        ran = started.end()

    assert ran.code == 130
    assert project.json("record.json")["outcomes"][0]["unfinished_teardowns"] == ["lock", "quick"]
    gone(pid)


MASK: Final = """
def mask():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    time.sleep(1000)
"""


def test_a_tear_down_that_outlasts_the_grace_is_named(project: Project) -> None:
    project.write({"suites/suite_a.py": HOLDS_ON})

    with project.start() as started:
        pid = int(project.wait_for("pids"))
        started.signal()
        ran = started.end()

    assert ran.code == 130
    assert "tear-down did not finish: lock" in ran.out
    gone(pid)


def test_while_suites_are_imported_it_ends_at_once(project: Project) -> None:
    project.write({"suites/suite_a.py": STUCK_IMPORT})

    with project.start() as started:
        pid = int(project.wait_for("pids"))
        started.signal()
        ran = started.end()

    assert ran.code == 130
    assert "Traceback" not in ran.text
    gone(pid)


def test_while_measuring_it_leaves_no_baseline(project: Project) -> None:
    project.write({"suites/suite_a.py": MEASURED})

    with project.start("--performance", "--baseline", "x", "--json", "record.json") as started:
        project.wait_for("pids")
        started.signal()
        ran = started.end()

    assert ran.code == 130
    assert "no baseline was written: the session was interrupted" in ran.out
    assert not (project.folder / "baselines").exists()
    assert project.json("record.json")["interrupted"] is True


def test_children_die_with_a_wfrun_that_is_killed(project: Project) -> None:
    project.write({"suites/suite_a.py": WAITS})

    with project.start() as started:
        pids = project.wait_for("pids").split()
        started.signal(signal.SIGKILL)
        started.end()

    for pid in pids:
        gone(int(pid))


def test_a_suite_being_imported_dies_with_a_wfrun_that_is_killed(project: Project) -> None:
    project.write({"suites/suite_a.py": STUCK_IMPORT})

    with project.start() as started:
        pid = int(project.wait_for("pids"))
        started.signal(signal.SIGKILL)
        started.end()

    gone(pid)
