from __future__ import annotations

import asyncio
import time

import pytest

from wfrun.errors import UsageError
from wfrun.measure.loop_lag import INTERVAL_NS, LoopLag, LoopLagSummary
from wfrun.virtual_time import VirtualTimeLoop


def block(duration_s: float) -> None:
    """Hold the loop, as code that forgets to await does."""
    time.sleep(duration_s)


async def test_a_blocked_loop_shows_the_length_of_the_block() -> None:
    ticked = asyncio.Semaphore(0)

    with LoopLag(ticked.release) as lag:
        await ticked.acquire()
        block(0.08)
        await ticked.acquire()

    summary = lag.summary()
    assert summary is not None
    assert summary.max_ns >= 80_000_000 - INTERVAL_NS


async def test_timers_that_a_block_swallowed_count_too() -> None:
    """One lag of 80 ms among a hundred would vanish from the 99th percentile; the eight it stands for do not."""
    ticked = asyncio.Event()

    with LoopLag(ticked.set) as lag:
        block(0.1)
        await ticked.wait()

    summary = lag.summary()
    assert summary is not None
    assert summary.count >= 9


async def test_a_block_until_the_stop_is_seen() -> None:
    with LoopLag() as lag:
        block(0.05)

    summary = lag.summary()
    assert summary is not None
    assert summary.max_ns >= 40_000_000


async def test_folders_are_called_at_each_timer() -> None:
    folded = asyncio.Event()

    with LoopLag(folded.set):
        await asyncio.wait_for(folded.wait(), 5)


async def test_nothing_runs_after_the_stop() -> None:
    ticked = asyncio.Event()
    lag = LoopLag(ticked.set)
    lag.start()
    await ticked.wait()

    lag.stop()
    ticked.clear()
    await asyncio.sleep(3 * INTERVAL_NS / 1e9)

    assert not ticked.is_set()


async def test_a_folder_may_stop_the_probe() -> None:
    stopped = asyncio.Event()

    def stop() -> None:
        lag.stop()
        stopped.set()

    lag = LoopLag(stop)
    lag.start()
    await asyncio.wait_for(stopped.wait(), 5)

    assert lag._timer is None


async def test_no_timer_was_due_is_no_summary() -> None:
    with LoopLag() as lag:
        pass

    assert lag.summary() is None


def test_virtual_time_is_left_alone() -> None:
    """A timer of the probe's own would make virtual time jump in steps of 10 ms, or never let a loop be idle."""
    calls: list[int] = []

    async def an_hour() -> float:
        with LoopLag(lambda: calls.append(1)) as lag:
            await asyncio.sleep(3600)
        assert lag.summary() is None
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(an_hour()) == pytest.approx(3600)
    assert calls == []


def test_uvloop_is_watched_as_well() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def blocked() -> LoopLagSummary | None:
        ticked = asyncio.Semaphore(0)
        with LoopLag(ticked.release) as lag:
            await ticked.acquire()
            block(0.08)
            await ticked.acquire()
        return lag.summary()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        summary = runner.run(blocked())
    assert summary is not None
    assert summary.max_ns >= 80_000_000 - INTERVAL_NS


def test_without_a_loop_starting_is_refused() -> None:
    with pytest.raises(UsageError, match="coroutine"):
        LoopLag().start()


async def test_starting_twice_is_refused() -> None:
    with LoopLag() as lag, pytest.raises(UsageError, match="already"):
        lag.start()
