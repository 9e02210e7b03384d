"""A call that is looked at from outside behaves as if it were not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from wfrun.runner.child.tools.waiting import noticing

if TYPE_CHECKING:
    from collections.abc import Callable


class Notes:
    """Takes down that a wait began and ended."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def begin(self) -> Callable[[], None]:
        self.taken.append("began")
        return lambda: self.taken.append("ended")


async def test_what_does_not_wait_is_not_noticed() -> None:
    notes = Notes()

    async def call() -> int:
        return 3

    assert await noticing(call(), notes.begin) == 3
    assert notes.taken == []


async def test_what_waits_more_than_once_is_one_wait() -> None:
    notes = Notes()

    async def call() -> str:
        await asyncio.sleep(0)
        return await asyncio.sleep(0.001, "slept")

    assert await noticing(call(), notes.begin) == "slept"
    assert notes.taken == ["began", "ended"]


async def test_an_error_comes_through_before_and_after_a_wait() -> None:
    notes = Notes()

    async def fail(*, late: bool) -> None:
        if late:
            await asyncio.sleep(0)
        raise KeyError(late)

    for late in (False, True):
        with pytest.raises(KeyError):
            await noticing(fail(late=late), notes.begin)

    assert notes.taken == ["began", "ended"]


async def test_cancelling_reaches_the_call_which_may_clean_up_and_even_go_on() -> None:
    notes = Notes()
    waiting = asyncio.Event()

    async def stubborn() -> str:
        try:
            waiting.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            return "went on"
        return "never"

    async def run() -> str:
        result: str = await noticing(stubborn(), notes.begin)
        return result

    task = asyncio.create_task(run())
    await waiting.wait()
    task.cancel()

    assert await task == "went on"
    assert notes.taken == ["began", "ended"]


def test_a_call_that_is_thrown_away_is_closed() -> None:
    notes = Notes()
    closed: list[bool] = []

    async def call() -> None:
        try:
            await asyncio.sleep(1)
        finally:
            closed.append(True)

    async def run() -> None:
        await noticing(call(), notes.begin)

    loop = asyncio.new_event_loop()
    outer = run()
    try:
        asyncio.set_event_loop(loop)
        task = loop.create_task(outer)
        loop.call_soon(loop.stop)
        loop.run_forever()
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    finally:
        asyncio.set_event_loop(None)
        loop.close()

    assert closed == [True]
    assert notes.taken == ["began", "ended"]
