"""The clock jumps over what waits for time, and stops before what is real."""

from __future__ import annotations

import asyncio
import math
import threading
from typing import TYPE_CHECKING, Any

import pytest

from wfrun.virtual_time import RealWait, VirtualTimeLoop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


pytestmark = pytest.mark.alone


def run(case: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        try:
            return runner.run(case())
        finally:
            runner.get_loop().strict = False  # type: ignore[attr-defined]  # what is left may end really


async def wait_for_expires() -> float:
    loop = asyncio.get_running_loop()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), 3600)
    return loop.time()


async def deadlines_meet() -> float:
    async with asyncio.timeout_at(100) as deadline:
        await asyncio.sleep(99)
        deadline.reschedule(200)
        await asyncio.sleep(99)
    return asyncio.get_running_loop().time()


async def call_at_fires() -> float:
    loop = asyncio.get_running_loop()
    fired: asyncio.Future[float] = loop.create_future()
    loop.call_at(77.5, lambda: fired.set_result(loop.time()))
    return await fired


@pytest.mark.parametrize(
    ("case", "ends_at_s"), [(wait_for_expires, 3600.0), (deadlines_meet, 198.0), (call_at_fires, 77.5)]
)
def test_any_asyncio_code_runs_on_virtual_time(
    case: Callable[[], Coroutine[Any, Any, float]], ends_at_s: float
) -> None:
    assert run(case) == pytest.approx(ends_at_s)


def test_a_century_of_waiting_comes_to_its_end() -> None:
    """A float of seconds is coarser than asyncio's idea of a clock then, and a timer must be due all the same."""

    async def case() -> float:
        for _ in range(100):
            await asyncio.sleep(365.25 * 24 * 3600 + 0.1)
        return asyncio.get_running_loop().time()

    assert math.isclose(run(case), 100 * (365.25 * 24 * 3600 + 0.1))


def test_a_thread_with_a_timer_pending_is_named_with_the_line_that_waits() -> None:
    release = threading.Event()

    async def case() -> None:
        async with asyncio.timeout(3600):
            await asyncio.to_thread(release.wait, 10)

    threading.Timer(0.2, release.set).start()
    with pytest.raises(RealWait, match=r"thread asyncio_0.*with 1 timer, the next in 3\.6e\+03 s") as caught:
        run(case)

    assert "waits for work of another thread or process at" in str(caught.value)
    assert "in case" in str(caught.value)


def test_a_socket_with_a_timer_pending_is_named() -> None:
    async def case() -> None:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        async with server:
            await asyncio.sleep(1)

    with pytest.raises(RealWait, match=r"socket 127\.0\.0\.1:\d+ \(descriptor \d+\)"):
        run(case)


def test_a_child_process_with_a_timer_pending_is_named() -> None:
    async def case() -> None:
        process = await asyncio.create_subprocess_exec("sleep", "0.3")
        try:
            await asyncio.wait_for(process.wait(), 3600)
        finally:
            await process.wait()

    with pytest.raises(RealWait, match=r"process \d+ \(sleep 0\.3\)"):
        run(case)


def test_without_a_timer_what_is_real_is_waited_for() -> None:
    async def case() -> float:
        await asyncio.sleep(10)
        process = await asyncio.create_subprocess_exec("sleep", "0.1")
        await process.wait()
        await asyncio.sleep(10)
        return asyncio.get_running_loop().time()

    assert run(case) == 20


def test_a_thread_that_nobody_waits_for_does_not_stop_the_clock() -> None:
    release = threading.Event()

    async def case() -> float:
        thread = threading.Thread(target=release.wait)
        thread.start()
        await asyncio.sleep(3600)
        release.set()
        thread.join()
        return asyncio.get_running_loop().time()

    assert run(case) == 3600


def test_threads_from_before_the_loop_do_not_count() -> None:
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    thread.start()

    async def case() -> str:
        try:
            async with asyncio.timeout(3600):
                await asyncio.Event().wait()
        except TimeoutError:
            return "expired"
        return "ended"

    assert run(case) == "expired"
    release.set()
    thread.join()


def test_a_loop_that_is_not_strict_gives_a_real_wait_a_moment() -> None:
    async def case() -> int:
        asyncio.get_running_loop().strict = False  # type: ignore[attr-defined]  # this loop has it
        async with asyncio.timeout(3600):
            return await asyncio.to_thread(sum, range(1000))

    assert run(case) == 499500
