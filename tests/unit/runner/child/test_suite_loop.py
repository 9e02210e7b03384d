"""Cases that share a loop, and what is between them."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from wfrun.authoring.collect import CollectedCase
from wfrun.authoring.declarations import Scope
from wfrun.authoring.info import CaseInfo, Kind
from wfrun.authoring.levels import FixtureLevel
from wfrun.authoring.suite import Suite
from wfrun.runner.child.execute import PassOptions
from wfrun.runner.child.guard import CaseGuard
from wfrun.runner.child.messages import CaseResult, Status
from wfrun.runner.child.suite_loop import SuiteLoop, tasks_left


@pytest.fixture
def loop() -> Iterator[SuiteLoop]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGALRM, signal.SIGINT)}
    suite_loop = SuiteLoop(CaseGuard())
    yield suite_loop
    suite_loop.leave(Scope.SESSION, 1)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def run(loop: SuiteLoop, suite: Suite, *, grace_s: float = 1.0, timeout_s: float = 5.0) -> CaseResult:
    """Run the case that was declared last."""
    declaration = suite.cases[-1]
    info = CaseInfo(
        id=f"s::{declaration.function.__name__}",
        title=declaration.title,
        suite_title=suite.title,
        kinds=(Kind.UNIT,),
        tags=(),
        file="suite_s.py",
        line=1,
        parameters={},
        timeout_s=None,
        own_process=False,
        virtual_time=declaration.virtual_time,
        pinned=True,
        source_hash="",
        own_loop=declaration.own_loop,
    )
    case = CollectedCase(info, declaration, suite, {}, FixtureLevel(suite.fixtures))
    options = PassOptions(
        seed=1,
        timeout_s=timeout_s,
        teardown_grace_s=grace_s,
        measured=False,
        targets={},
        guard=loop._guard,
        on_teardowns=lambda _: None,
        wide=loop.wide,
    )
    return loop.run(case, options)


def test_cases_share_a_loop_until_the_file_is_left(loop: SuiteLoop) -> None:
    suite, loops = Suite("S"), list[asyncio.AbstractEventLoop]()

    @suite.case()
    async def keeps() -> None:
        loops.append(asyncio.get_running_loop())

    run(loop, suite)
    run(loop, suite)
    loop.leave(Scope.SUITE, 1)
    run(loop, suite)

    assert loops[0] is loops[1]
    assert loops[0].is_closed()
    assert loops[2] is not loops[0]


def test_an_async_session_fixture_keeps_the_loop_alive(loop: SuiteLoop) -> None:
    suite, loops = Suite("S"), list[asyncio.AbstractEventLoop]()

    @suite.fixture(scope="session")
    async def server() -> AsyncIterator[int]:
        yield 1

    @suite.case()
    async def uses(server: int) -> None:
        loops.append(asyncio.get_running_loop())

    run(loop, suite)
    loop.leave(Scope.SUITE, 1)
    run(loop, suite)
    loop.leave(Scope.SESSION, 1)

    assert loops[0] is loops[1]
    assert loops[0].is_closed()


def test_tasks_of_a_case_are_ended_and_those_of_a_fixture_stay(loop: SuiteLoop) -> None:
    suite, tasks = Suite("S"), dict[str, asyncio.Task[None]]()

    async def work() -> None:
        tasks["started by a fixture's task"] = asyncio.create_task(asyncio.sleep(100))
        await asyncio.sleep(100)

    @suite.fixture(scope="suite")
    async def server() -> AsyncIterator[int]:
        tasks["started by a fixture"] = asyncio.create_task(work())
        yield 1
        for task in tasks.values():
            task.cancel()

    @suite.case()
    async def leaves(server: int) -> None:
        tasks["left by the case"] = asyncio.create_task(asyncio.sleep(100))
        await asyncio.sleep(0)

    result = run(loop, suite)

    assert result.status is Status.PASSED
    assert {name: task.done() for name, task in tasks.items()} == {
        "started by a fixture": False,
        "started by a fixture's task": False,
        "left by the case": True,
    }
    assert tasks_left(tasks["left by the case"].get_loop(), loop.wide) == []


def test_a_thread_that_a_case_left_in_the_executor_is_waited_for_within_the_grace(loop: SuiteLoop) -> None:
    suite, kept = Suite("S"), list[asyncio.Future[None]]()

    @suite.case()
    async def leaves() -> None:
        loop = asyncio.get_running_loop()
        kept.append(loop.run_in_executor(None, time.sleep, 3))

    result = run(loop, suite, grace_s=0.1)

    assert result.status is Status.TIMED_OUT
    assert result.message == "what it left on its event loop did not end within 0.1 s"


def test_a_task_that_swallows_its_cancellation_is_left_after_the_grace(loop: SuiteLoop) -> None:
    suite, over, kept = Suite("S"), list[bool](), list[asyncio.Task[None]]()

    async def stay() -> None:
        while not over:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.5)

    @suite.case()
    async def leaves() -> None:
        kept.append(asyncio.create_task(stay()))
        await asyncio.sleep(0)

    result = run(loop, suite, grace_s=0.1)
    over.append(True)

    assert result.status is Status.TIMED_OUT


def test_the_same_task_sets_up_and_tears_down(loop: SuiteLoop) -> None:
    """Task groups and cancel scopes refuse to be left by another task than the one that entered them."""
    suite, tasks = Suite("S"), list[asyncio.Task[object] | None]()

    @suite.fixture(scope="suite")
    async def group() -> AsyncIterator[int]:
        tasks.append(asyncio.current_task())
        yield 1
        tasks.append(asyncio.current_task())

    @suite.case()
    async def uses(group: int) -> None: ...

    run(loop, suite)

    assert loop.leave(Scope.SUITE, 1) == []
    assert tasks[0] is tasks[1]


def test_tear_downs_run_last_first_and_each_failure_is_told(loop: SuiteLoop) -> None:
    suite, told = Suite("S"), list[str]()

    @suite.fixture(scope="session")
    def first() -> Iterator[int]:
        yield 1
        told.append("first")
        raise ValueError("first")

    @suite.fixture(scope="suite")
    async def second(first: int) -> AsyncIterator[int]:
        yield first
        told.append("second")
        raise OSError("second")

    @suite.case()
    def uses(second: int) -> None: ...

    run(loop, suite)
    failures = [*loop.leave(Scope.SUITE, 1), *loop.leave(Scope.SESSION, 1)]

    assert told == ["second", "first"]
    assert [(failure.fixture, failure.message) for failure in failures] == [
        ("second", "OSError: second"),
        ("first", "ValueError: first"),
    ]
