"""What ``--debug`` finds, and that without it nothing is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

CASES: Final = """
async def never(): pass

@suite.case()
async def blocks():
    time.sleep(0.15)

@suite.case()
async def forgets():
    never()

@suite.case()
async def leaves_open():
    open(__file__)

@suite.case()
async def loses_a_task():
    async def bad(): raise ValueError("lost")
    asyncio.create_task(bad())
    await asyncio.sleep(0.01)

@suite.case()
async def is_clean(): await asyncio.sleep(0)

@suite.case()
async def fails():
    stock = list(range(1_000)); customer = "Ada"
    def sell(amount):
        left = amount - 1
        raise KeyError("gone")
    sell(3)
"""


@pytest.mark.parametrize("arguments", [(), ("--in-process",)])
def test_debug_names_what_holds_the_loop_is_never_awaited_or_never_closed(
    project: Project, arguments: tuple[str, ...]
) -> None:
    project.write({"suites/suite_a.py": CASES})

    ran = project.run("--debug", "--verbose", "--json", "record.json", *arguments)

    found = {outcome["title"]: "\n".join(outcome["findings"]) for outcome in project.json("record.json")["outcomes"]}
    assert ran.code == 1
    assert "held the event loop for 0.1" in found["Blocks"]
    assert "suite_a.py:9 in blocks" in found["Blocks"]
    assert "coroutine 'never' was never awaited" in found["Forgets"]
    assert "line 13, in forgets" in found["Forgets"]
    assert "ResourceWarning: unclosed file" in found["Leaves open"]
    assert "suite_a.py:17" in found["Leaves open"]
    assert "ValueError('lost')" in found["Loses a task"]
    assert found["Is clean"] == ""
    assert "wfrun/runner" not in ran.out
    assert ran.out.count("was never awaited") == 1


def test_debug_shows_local_variables_in_every_frame_within_bounds(project: Project) -> None:
    project.write({"suites/suite_a.py": CASES})

    with_locals, without = project.run("--debug", "-k", "fails").out, project.run("-k", "fails").out

    assert "customer = 'Ada'" in with_locals
    assert "left = 2" in with_locals
    assert "characters more)" in with_locals
    assert "998, 999" not in with_locals
    assert "customer" not in without


def test_without_debug_nothing_of_it_is_said(project: Project) -> None:
    project.write({"suites/suite_a.py": CASES})

    ran = project.run("--verbose")

    assert "held the event loop" not in ran.out


def test_with_debug_nothing_is_measured_and_that_is_said(project: Project) -> None:
    project.write({"suites/suite_a.py": "@suite.benchmark()\ndef work(): print('once')\n"})

    ran, refused = project.run("--debug", "--performance", "-v"), project.run("--debug", "--compare", "main")

    assert ran.out.count("| once") == 1
    assert "nothing was measured: what looks closer at cases changes what they cost" in ran.out
    assert refused.code == 2
    assert "--debug changes what a case costs, so nothing is measured with it; leave out --compare" in refused.err


def test_debugging_the_shipped_workflows_by_a_phrase(project: Project) -> None:
    ran = project.run("--debug", "--pattern", "Workflow Orchestration", "--verbose")

    assert ran.code == 0
    assert "Workflow Orchestration · " in ran.out
    assert "2 passed" in ran.out
