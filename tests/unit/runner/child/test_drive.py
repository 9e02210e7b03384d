"""Cases in one turn of their loop, and what must come before the end all the same."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest
import uvloop

from wfrun.runner.child.counts import at_most_tasks
from wfrun.runner.child.drive import drive, end_drive


@pytest.fixture(params=[asyncio.SelectorEventLoop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest) -> Iterator[asyncio.AbstractEventLoop]:
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner.get_loop()


def run(loop: asyncio.AbstractEventLoop, main: Coroutine[Any, Any, None]) -> None:
    drive(loop, main, contextvars.copy_context())


async def ended() -> None:
    end_drive(asyncio.current_task(), asyncio.get_running_loop())


def test_what_is_ready_runs_before_the_end(loop: asyncio.AbstractEventLoop) -> None:
    told: list[str] = []

    async def leaves_a_callback() -> None:
        loop.call_soon(told.append, "called")
        await ended()

    run(loop, leaves_a_callback())

    assert told == ["called"]


def test_a_coroutine_that_never_began_ends_too(loop: asyncio.AbstractEventLoop) -> None:
    def cancel_all() -> None:
        for task in asyncio.all_tasks(loop):
            task.cancel()

    loop.call_soon(cancel_all)

    with pytest.raises(asyncio.CancelledError):
        run(loop, ended())
    run(loop, ended())


def test_one_that_raises_behind_its_last_step_ends(loop: asyncio.AbstractEventLoop) -> None:
    async def raises() -> None:
        raise ValueError("late")

    with pytest.raises(ValueError, match="late"):
        run(loop, raises())
    run(loop, ended())


def test_a_loop_that_was_stopped_is_an_error_and_runs_again(loop: asyncio.AbstractEventLoop) -> None:
    over = asyncio.Event()

    async def stops() -> None:
        loop.stop()
        await over.wait()
        await ended()

    with pytest.raises(RuntimeError, match="was stopped"):
        run(loop, stops())

    async def goes_on() -> None:
        over.set()
        for _ in range(3):
            await asyncio.sleep(0)
        await ended()

    run(loop, goes_on())


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_what_leaves_the_loop_does_not_stop_its_next_run(
    loop: asyncio.AbstractEventLoop, error: type[BaseException]
) -> None:
    async def leaves() -> None:
        raise error

    async def waits() -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        await ended()

    with pytest.raises(error):
        run(loop, leaves())
    run(loop, waits())


def test_each_run_has_the_variables_it_is_given(loop: asyncio.AbstractEventLoop) -> None:
    variable = contextvars.ContextVar("variable", default="unset")
    seen: list[str] = []

    async def sets() -> None:
        seen.append(variable.get())
        variable.set("set")
        await ended()

    run(loop, sets())
    run(loop, sets())

    assert seen == ["unset", "unset"]


async def test_one_task_more_is_counted() -> None:
    other = asyncio.create_task(asyncio.sleep(100))
    counted = at_most_tasks(1), at_most_tasks(1_000_000)
    other.cancel()

    assert counted == (False, True)
