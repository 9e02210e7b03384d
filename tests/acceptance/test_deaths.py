"""A case whose process ends underneath it: what is told of the end, and that nobody else is touched by it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from wfrun.runner.child.shared_memory import FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.acceptance.conftest import Project, Ran

DEATHS: Final = """
import ctypes
from multiprocessing import shared_memory

@suite.fixture
def shop(): yield 1

@suite.case()
def leaves_a_fixture(shop): os._exit(0)

@suite.case()
def aborts(): os.abort()

@suite.case()
def crashes_without_outputs():
    os.close(1)
    os.close(2)
    ctypes.string_at(0)

@suite.case()
def recurses_without_end():
    def deep(): deep()
    deep()

@suite.case()
def overflows_the_stack():
    sys.setrecursionlimit(10**7)
    def deep(item): return sorted([item], key=deep)
    deep(1)

@suite.case(own_process=True)
def asks_for_too_much():
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
    bytearray(2**32)

@suite.case()
async def crashes_in_a_thread():
    await asyncio.to_thread(ctypes.string_at, 0)

@suite.case()
def closes_everything(): os.closerange(0, 1000)

@suite.case()
def forks_and_lives_on():
    if os.fork() == 0:
        print("the copy runs on")
        return
    os.wait()

@suite.case()
def its_forks_leave_unnoticed():
    pid = os.fork()
    if pid == 0:
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    print("all is well")

@suite.case()
async def starts_ten_thousand_tasks():
    await asyncio.gather(*(asyncio.sleep(0.01) for _ in range(10_000)))

@suite.case(own_process=True)
def fills_the_disk(context):
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
    with open(context.folder / "full", "wb") as file:
        file.write(bytes(2**21))

@suite.case()
def dies_with_shared_memory(context):
    memory = shared_memory.SharedMemory(create=True, size=10)
    with open("memory.name", "w") as file:
        file.write(memory.name)
    os.kill(os.getpid(), signal.SIGKILL)

@suite.case()
def after(): pass
"""


@pytest.fixture(scope="module")
def session(module_project: Project) -> tuple[Ran, Mapping[str, Any]]:
    module_project.write({"suites/suite_deaths.py": DEATHS})
    ran = module_project.run("--json", "record.json", "--workers", "1")
    return ran, module_project.json("record.json")


@pytest.fixture(scope="module")
def outcomes(session: tuple[Ran, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {outcome["id"].partition("::")[2]: outcome for outcome in session[1]["outcomes"]}


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        (
            "leaves_a_fixture",
            "crashed",
            "its process ended with exit code 0 in the middle of the case, in leaves_a_fixture (suite_deaths.py:12)",
        ),
        ("aborts", "crashed", "its process was killed by SIGABRT, in aborts (suite_deaths.py:15)"),
        (
            "crashes_without_outputs",
            "crashed",
            "its process was killed by SIGSEGV, in crashes_without_outputs (suite_deaths.py:21)",
        ),
        ("recurses_without_end", "failed", "RecursionError: maximum recursion depth exceeded"),
        (
            "overflows_the_stack",
            "crashed",
            "its process was killed by SIGSEGV: endless recursion in deep (suite_deaths.py:31)",
        ),
        ("asks_for_too_much", "failed", "MemoryError"),
        (
            "closes_everything",
            "crashed",
            "its process closed the descriptors to wfrun and ended in the middle of the case",
        ),
        ("fills_the_disk", "failed", "OSError: [Errno 27] File too large"),
    ],
)
def test_the_end_is_told(outcomes: Mapping[str, Any], name: str, status: str, message: str) -> None:
    assert (outcomes[name]["status"], outcomes[name]["message"]) == (status, message)


def test_the_thread_that_crashed_comes_first(outcomes: Mapping[str, Any]) -> None:
    outcome = outcomes["crashes_in_a_thread"]

    assert outcome["message"].startswith("its process was killed by SIGSEGV, in string_at (")
    assert outcome["details"].startswith("the end of its process: Segmentation fault\nCurrent thread ")
    assert outcome["details"].count("(most recent call first):") == 2


@pytest.mark.parametrize("name", ["forks_and_lives_on", "starts_ten_thousand_tasks", "after"])
def test_the_rest_is_unharmed(outcomes: Mapping[str, Any], name: str) -> None:
    assert outcomes[name]["status"] == "passed"


def test_the_copy_that_a_fork_made_neither_answers_nor_runs_the_rest(session: tuple[Ran, Mapping[str, Any]]) -> None:
    record = session[1]

    assert record["faults"] == []
    assert len(record["outcomes"]) == record["planned"] == 14


def test_a_fork_that_leaves_is_not_taken_for_the_end_of_the_case(outcomes: Mapping[str, Any]) -> None:
    assert outcomes["its_forks_leave_unnoticed"]["status"] == "passed"
    assert outcomes["its_forks_leave_unnoticed"]["output"] == "all is well\n"


def test_the_fixture_that_was_not_torn_down_is_named(session: tuple[Ran, Any], outcomes: Mapping[str, Any]) -> None:
    assert outcomes["leaves_a_fixture"]["unfinished_teardowns"] == ["shop"]
    assert "tear-down did not finish: shop" in session[0].out


def test_a_long_stack_is_shortened(outcomes: Mapping[str, Any]) -> None:
    lines = outcomes["overflows_the_stack"]["details"].splitlines()

    assert "  [the same 99 more times]" in lines
    assert len(lines) < 10


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no list of what is there")
def test_shared_memory_of_a_process_that_died_is_unlinked(module_project: Project, outcomes: Mapping[str, Any]) -> None:
    assert outcomes["dies_with_shared_memory"]["status"] == "crashed"
    name = module_project.read("memory.name")
    assert name.startswith("wfrun-")
    assert not (FOLDER / name).exists()
