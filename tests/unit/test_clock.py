from __future__ import annotations

import asyncio

import pytest

from wfrun.clock import ManualClock, SystemClock, settle
from wfrun.virtual_time import VirtualTimeLoop

pytestmark = pytest.mark.alone


async def test_sleepers_wake_in_the_order_of_their_due_times() -> None:
    clock = ManualClock()
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, duration_s: float) -> None:
        await clock.sleep(duration_s)
        woken.append((name, clock.monotonic()))

    async with asyncio.TaskGroup() as group:
        for name, duration_s in (("late", 3.0), ("early", 1.0), ("also early", 1.0)):
            group.create_task(sleeper(name, duration_s))
        await clock.advance(5.0)

    assert woken == [("early", 1.0), ("also early", 1.0), ("late", 3.0)]
    assert clock.monotonic() == 5.0


async def test_a_sleeper_that_sleeps_again_counts_from_its_own_due_time() -> None:
    clock = ManualClock()
    instants: list[float] = []

    async def ticker() -> None:
        for _ in range(3):
            await clock.sleep(1.0)
            instants.append(clock.monotonic())

    task = asyncio.create_task(ticker())
    await clock.advance(10.0)
    await task

    assert instants == [1.0, 2.0, 3.0]


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = ManualClock()
    task = asyncio.create_task(clock.sleep(1.0))
    await settle()
    assert clock.sleepers == 1

    task.cancel()
    await settle()

    assert clock.sleepers == 0
    await clock.advance(2.0)


def test_the_system_clock_follows_a_virtual_loop() -> None:
    async def hours() -> float:
        clock = SystemClock()
        start_s = clock.monotonic()
        await clock.sleep(7200)
        return clock.monotonic() - start_s

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(hours()) == 7200


def test_virtual_time_outs_expire_without_waiting() -> None:
    async def wait() -> str:
        try:
            async with asyncio.timeout(3600):
                await asyncio.Event().wait()
        except TimeoutError:
            return "expired"
        return "ended"

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(wait()) == "expired"
        assert runner.get_loop().time() >= 3600


def test_a_virtual_loop_really_waits_for_a_thread_when_no_timer_is_pending() -> None:
    async def wait() -> int:
        return await asyncio.to_thread(sum, range(1000))

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(wait()) == 499500
