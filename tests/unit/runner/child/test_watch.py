"""The watch on loops other than asyncio's own, and what it leaves behind; the rest is in tests/acceptance."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
import uvloop

from wfrun.runner.child.watch import StuckWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from wfrun.waits import WaitGraph


pytestmark = pytest.mark.alone


def watched(
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None, *, limit_s: float, wait_s: float
) -> list[str]:
    """Return what was found while a task waits ``wait_s``; 0 for ever, and then it is cancelled by what finds it."""
    found: list[str] = []
    tasks: list[asyncio.Task[None]] = []

    def on_stuck(message: str, _graph: WaitGraph, _why: str) -> None:
        found.append(message)
        tasks[0].cancel()

    watch = StuckWatch(on_stuck)

    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        watch.start(task, asyncio.get_running_loop())
        tasks.append(task)
        del task
        try:
            if wait_s:
                await asyncio.to_thread(time.sleep, wait_s)
            else:
                await asyncio.wait_for(asyncio.Event().wait(), limit_s) if limit_s else await asyncio.Event().wait()
        except (asyncio.CancelledError, TimeoutError):
            pass
        finally:
            watch.stop()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main())
    return found


def test_a_slow_thread_on_uvloop_is_waited_for() -> None:
    assert watched(uvloop.new_event_loop, limit_s=0, wait_s=0.8) == []


def test_a_time_out_on_uvloop_is_waited_for() -> None:
    assert watched(uvloop.new_event_loop, limit_s=0.8, wait_s=0) == []


@pytest.mark.parametrize("loop_factory", [None, asyncio.SelectorEventLoop])
def test_a_time_out_on_asyncios_own_loop_is_waited_for(
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None,
) -> None:
    assert watched(loop_factory, limit_s=0.8, wait_s=0) == []


async def test_the_loop_is_left_as_it_was() -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    selector = loop._selector  # type: ignore[attr-defined]  # asyncio's own loops have one
    before = dict(vars(selector))
    watch = StuckWatch(lambda *_: None)

    watch.start(task, loop)
    assert vars(selector) != before
    watch.stop()

    assert vars(selector) == before
