"""A case that does not end is ended, however it hangs, and the cases after it run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.acceptance.conftest import Project, Ran

HANGS: Final = """
@suite.fixture
async def connection():
    yield 1
    with open("torn_down", "a") as file:
        file.write("x")

@suite.case(timeout_s=0.3)
async def awaits(connection): await asyncio.sleep(1000)

@suite.case(timeout_s=0.3)
def sleeps(connection): time.sleep(1000)

@suite.case(timeout_s=0.3)
async def computes(connection):
    while True:
        pass

@suite.case(timeout_s=0.3)
async def swallows_one_cancellation(connection):
    try:
        await asyncio.sleep(1000)
    except asyncio.CancelledError:
        await asyncio.sleep(1000)

@suite.case(timeout_s=0.3)
async def swallows_every_exception():
    while True:
        try:
            time.sleep(0.01)
        except BaseException:
            pass

@suite.case()
async def after_hanging():
    await asyncio.sleep(0)
"""

STICKS: Final = """
@suite.fixture
def kept_open():
    yield 1

@suite.case(timeout_s=0.3)
def ignores_signals_in_c(kept_open):
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals) - {signal.SIGUSR1})
    time.sleep(1000)

@suite.case(timeout_s=0.3)
def takes_the_signals_away():
    signal.signal(signal.SIGALRM, signal.SIG_IGN)

@suite.case(timeout_s=0.3)
def sleeps_after_the_signals_were_taken(): time.sleep(1000)
"""

BACKTRACKS: Final = """
import re

@suite.case(timeout_s=0.3)
def backtracks():
    re.match(r"(a+)+$", "a" * 60 + "b")

@suite.case()
def after_backtracking(): pass
"""

FINISHES_LATE: Final = """
@suite.fixture
def blocking_tear_down():
    yield 1
    time.sleep(1000)

@suite.case()
async def tear_down_blocks(blocking_tear_down): pass

@suite.case()
async def leaves_a_task_that_does_not_go():
    async def stay():
        while True:
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                pass
    globals()["kept"] = asyncio.create_task(stay())
    await asyncio.sleep(0)

@suite.fixture
async def slow_tear_down():
    yield 1
    await asyncio.sleep(1.5)
    with open("slowly", "w") as file:
        file.write("torn down")

@suite.case(timeout_s=0.3)
async def hangs_before_a_slow_tear_down(slow_tear_down): await asyncio.sleep(1000)
"""


@pytest.fixture(scope="module")
def session(module_project: Project) -> tuple[Ran, Mapping[str, Any]]:
    module_project.write(
        {
            "suites/suite_hangs.py": HANGS,
            "suites/suite_sticks.py": STICKS,
            "suites/suite_backtracks.py": BACKTRACKS,
            "suites/suite_finishes_late.py": FINISHES_LATE,
        }
    )
    # Workers of these suites sleep most of the time.
    ran = module_project.run("--json", "record.json", "--workers", "4")
    return ran, module_project.json("record.json")


@pytest.fixture(scope="module")
def outcomes(session: tuple[Ran, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {outcome["id"].partition("::")[2]: outcome for outcome in session[1]["outcomes"]}


@pytest.mark.parametrize(
    "name",
    [
        "awaits",
        "sleeps",
        "computes",
        "backtracks",
        "swallows_one_cancellation",
        "sleeps_after_the_signals_were_taken",
        "hangs_before_a_slow_tear_down",
    ],
)
def test_python_code_is_stopped_in_its_process(outcomes: Mapping[str, Any], name: str) -> None:
    assert outcomes[name]["status"] == "timed out"
    assert outcomes[name]["message"] == "still running after 0.3 s"
    assert f"in {name}" in outcomes[name]["details"]


@pytest.mark.parametrize("name", ["swallows_every_exception", "ignores_signals_in_c"])
def test_what_cannot_be_stopped_is_killed_with_its_stacks_shown(outcomes: Mapping[str, Any], name: str) -> None:
    assert outcomes[name]["status"] == "timed out"
    assert outcomes[name]["message"] == "still running after 0.3 s, and did not react to being stopped; killed"
    assert f"in {name}" in outcomes[name]["details"]


@pytest.mark.parametrize("name", ["after_hanging", "takes_the_signals_away", "after_backtracking"])
def test_the_cases_beside_them_pass(outcomes: Mapping[str, Any], name: str) -> None:
    assert outcomes[name]["status"] == "passed"


@pytest.mark.usefixtures("session")
def test_what_was_set_up_is_torn_down_after_a_time_out(module_project: Project) -> None:
    assert module_project.read("torn_down") == "xxxx"


def test_tear_downs_that_a_kill_prevented_are_named(outcomes: Mapping[str, Any]) -> None:
    assert outcomes["ignores_signals_in_c"]["unfinished_teardowns"] == ["kept_open"]


def test_a_tear_down_that_blocks_is_left_after_its_grace(outcomes: Mapping[str, Any]) -> None:
    outcome = outcomes["tear_down_blocks"]

    assert outcome["status"] == "error"
    assert outcome["message"].endswith("tear-down of blocking_tear_down did not end within 5 s")
    assert "in blocking_tear_down" in outcome["details"]
    assert outcome["unfinished_teardowns"] == ["blocking_tear_down"]


def test_a_task_that_does_not_go_is_left_after_the_grace(outcomes: Mapping[str, Any]) -> None:
    outcome = outcomes["leaves_a_task_that_does_not_go"]

    assert outcome["status"] == "timed out"
    assert outcome["message"] == "what it left on its event loop did not end within 5 s"


@pytest.mark.usefixtures("session")
def test_a_tear_down_after_a_time_out_has_its_whole_grace(module_project: Project) -> None:
    assert module_project.read("slowly") == "torn down"


def test_a_session_with_time_outs_is_red(session: tuple[Ran, Mapping[str, Any]]) -> None:
    assert session[0].code == 1
    assert session[1]["faults"] == []
