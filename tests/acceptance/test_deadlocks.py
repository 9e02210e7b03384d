"""A case that can never go on is named at once; one that only looks like it stays green."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project, Ran

PROJECTS: Final = Path(__file__).parent / "projects" / "deadlocks"
BAR_S: Final = 1.0

STUCK: Final = {
    "lock_taken_twice": "1 task waits for itself: the case for Lock, held by the case",
    "two_locks_in_opposite_order": "2 tasks wait for each other: ",
    "queue_without_a_producer": "the case for Queue empty, 0/unbounded, 1 waits to get",
    "full_queue_without_a_consumer": "the case for Queue full, 1/1, 1 waits to put",
    "queue_never_done": "the case for Queue empty, 0/unbounded, task_done() is missing for 1",
    "channel_that_nobody_feeds": "the case for channel 'orders' MPMC open 0/10, no sender waits, 1 waits to receive",
    "full_channel_whose_consumer_is_gone": (
        "the case for channel 'orders' SPSC open 2/2, 1 waits to send, no receiver waits"
    ),
    "two_stages_that_wait_for_each_other": "2 tasks wait and nothing is left to wake them: ",
    "future_never_set": "the case for Future, pending",
    "event_never_set": "1 task waits and nothing is left to wake it: the case for Event, not set",
    "tasks_that_await_each_other": "2 tasks wait for each other: ",
    "condition_never_notified": "the case for Condition, not notified, 1 waits",
    "semaphore_taken_once_too_often": "1 task waits for itself: the case for Semaphore, value 0, held by the case",
    "barrier_where_one_is_missing": "the case for Barrier, 1 of 2 are there",
    "stages_that_wait_while_a_heart_beats": "2 tasks wait and nothing is left to wake them: ",
    "event_never_set_beside_a_server": "the case for Event, not set",
    "event_never_set_beside_a_service_of_the_suite": "the case for Event, not set",
    "lock_taken_twice_beside_a_service_of_the_suite": "1 task waits for itself: the case for Lock, held by the case",
    "event_never_set_on_virtual_time": "the case for Event, not set",
    "event_never_set_while_a_virtual_heart_beats": "the case for Event, not set",
}

MORE: Final = """
from wfrun.concurrency import Channel

@suite.fixture
async def room():
    yield 1
    with open("torn_down", "a") as file:
        file.write("x")

@suite.case()
async def swallows_its_end(room):
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        pass

@suite.case()
async def waits_once_more(room):
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.Event().wait()

@suite.fixture
async def never_ready():
    await asyncio.Event().wait()

@suite.case()
async def stuck_in_set_up(never_ready): pass

@suite.case(timeout_s=1.5)
async def stalled(room):
    event = asyncio.Event()
    async def beat():
        while not event.is_set():
            await asyncio.sleep(0.05)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(beat(), name="heart")
        await event.wait()

@suite.case(virtual_time=True)
async def thread_in_a_virtual_hour(room):
    async with asyncio.timeout(3600):
        await asyncio.to_thread(time.sleep, 0.5)

@suite.case(virtual_time=True)
async def socket_in_a_virtual_hour(room):
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    async with server:
        await asyncio.sleep(3600)

@suite.case(virtual_time=True)
async def process_in_a_virtual_hour(room):
    process = await asyncio.create_subprocess_exec("sleep", "0.5")
    async with asyncio.timeout(3600):
        await process.wait()
"""


@pytest.fixture(scope="module")
def stuck(module_project: Project) -> tuple[Ran, dict[str, dict[str, Any]]]:
    shutil.copytree(PROJECTS / "stuck", module_project.folder / "suites", dirs_exist_ok=True)
    module_project.write({"suites/suite_more.py": MORE})
    ran = module_project.run("--json", "record.json", "--workers", "2")
    outcomes = {outcome["id"].partition("::")[2]: outcome for outcome in module_project.json("record.json")["outcomes"]}
    return ran, outcomes


@pytest.mark.parametrize(("name", "says"), STUCK.items(), ids=list(STUCK))
def test_a_deadlock_is_named_within_a_second(stuck: tuple[Ran, dict[str, Any]], name: str, says: str) -> None:
    outcome = stuck[1][name]

    assert outcome["status"] == "failed"
    assert outcome["message"].startswith("deadlock: ")
    assert says in outcome["message"]
    assert "\n" not in outcome["message"]
    assert outcome["duration_s"] <= BAR_S


def test_a_session_with_a_deadlock_is_red(stuck: tuple[Ran, dict[str, Any]]) -> None:
    assert stuck[0].code == 1
    assert "Traceback" not in stuck[0].text


def test_the_graph_names_tasks_lines_things_and_the_circle(stuck: tuple[Ran, dict[str, Any]]) -> None:
    lines = stuck[1]["two_locks_in_opposite_order"]["details"].splitlines()

    assert lines[0] == "the case waits for TaskGroup of 2 tasks  -> backward, forward"
    assert "forward waits for Lock, held by backward  -> backward" in lines
    assert "backward waits for Lock, held by forward  -> forward" in lines
    assert any(line.startswith("    ") and line.endswith(" in take") for line in lines)
    assert "circle: backward -> forward -> backward" in lines
    assert lines[-1].startswith("nothing could wake the loop: ")


def test_only_those_that_can_never_go_on_are_named(stuck: tuple[Ran, dict[str, Any]]) -> None:
    details = stuck[1]["stages_that_wait_while_a_heart_beats"]["details"]

    assert "pinger waits for channel 'ping'" in details
    assert "heart" not in details.replace("stages_that_wait_while_a_heart_beats", "")
    assert details.endswith("holds nothing that leads to them")


def test_tasks_from_before_the_case_are_not_named(stuck: tuple[Ran, dict[str, Any]]) -> None:
    details = stuck[1]["event_never_set_beside_a_service_of_the_suite"]["details"]

    assert "serving" not in details
    assert "heart" not in details


def test_the_graph_is_kept_as_a_value_too(stuck: tuple[Ran, dict[str, Any]]) -> None:
    graph = stuck[1]["lock_taken_twice"]["notes"]["waits"]

    assert graph["circle"] == ["the case"]
    (task,) = graph["tasks"]
    assert task["kind"] == "Lock"
    assert task["waits_for"] == ["the case"]
    assert task["places"][-1].endswith("in lock_taken_twice")
    assert json.dumps(graph)


@pytest.mark.parametrize("name", ["swallows_its_end", "waits_once_more"])
def test_a_case_that_goes_on_after_its_deadlock_has_failed_all_the_same(
    stuck: tuple[Ran, dict[str, Any]], name: str
) -> None:
    assert stuck[1][name]["status"] == "failed"
    assert stuck[1][name]["message"].startswith("deadlock: ")


def test_a_deadlock_of_a_fixture_is_an_error(stuck: tuple[Ran, dict[str, Any]]) -> None:
    outcome = stuck[1]["stuck_in_set_up"]

    assert outcome["status"] == "error"
    assert outcome["message"].startswith("set-up failed: deadlock: 1 task waits")


def test_what_was_set_up_is_torn_down_after_a_deadlock(
    module_project: Project, stuck: tuple[Ran, dict[str, Any]]
) -> None:
    finished = [name for name in ("swallows_its_end", "stalled") if not stuck[1][name]["unfinished_teardowns"]]

    assert len(finished) == 2
    assert len(module_project.read("torn_down")) >= 5


def test_a_stalled_case_is_diagnosed_when_its_time_is_up(stuck: tuple[Ran, dict[str, Any]]) -> None:
    """Its group could still end it, by an error of the heart; so nobody can say before that it is stuck."""
    outcome = stuck[1]["stalled"]

    assert outcome["status"] == "timed out"
    assert outcome["message"] == "still running after 1.5 s"
    assert outcome["details"].startswith("stalled: for 1.")
    assert "the case waits for Event, not set" in outcome["details"]
    assert "heart waits for timer of 0.05 s" in outcome["details"]
    assert "what could still wake it: 1 timer, the next in " in outcome["details"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("thread_in_a_virtual_hour", ["thread asyncio_0", "work of another thread"]),
        ("socket_in_a_virtual_hour", ["socket 127.0.0.1:", "(descriptor "]),
        ("process_in_a_virtual_hour", ["(sleep 0.5)", "end of process "]),
    ],
)
def test_what_is_real_is_named_on_virtual_time(stuck: tuple[Ran, dict[str, Any]], name: str, says: list[str]) -> None:
    outcome = stuck[1][name]

    assert outcome["status"] == "failed"
    assert outcome["message"].startswith("virtual time would jump over something real: ")
    assert all(text in outcome["message"] for text in says)
    assert f"in {name}" in outcome["details"]


def test_what_does_come_is_waited_for(project: Project) -> None:
    """A short form of ``make prove-deadlocks``."""
    shutil.copytree(PROJECTS / "green", project.folder / "suites")

    # A false alarm would come after 0.3 s, or after 0.45 s.
    ran = project.run("--json", "record.json", "--workers", "4", env={"GREEN_WAIT_S": "0.7"})

    wrong = [outcome for outcome in project.json("record.json")["outcomes"] if outcome["status"] != "passed"]
    assert [(outcome["id"], outcome["message"]) for outcome in wrong] == []
    assert ran.code == 0
