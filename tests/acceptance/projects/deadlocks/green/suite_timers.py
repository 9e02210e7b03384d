"""Waits that only a timer ends, over something that a hasty look could miss."""

import asyncio
import contextvars
import functools
import weakref

import pytest
from slowly import TIMES, WAIT_S

from wfrun import Suite
from wfrun.concurrency import Channel, Pipeline

suite = Suite("Green: timers")
module_events: dict[str, asyncio.Event] = {}


class Bell:
    """Something to wait for that can be referred to weakly."""

    def __init__(self):
        self.event = asyncio.Event()


@suite.case(parameters=TIMES)
async def long_sleep(turn):
    await asyncio.sleep(WAIT_S)


@suite.case(parameters=TIMES)
async def pipeline_with_a_slow_source(turn):
    async def numbers():
        for number in range(3):
            await asyncio.sleep(WAIT_S / 3)
            yield number

    assert await Pipeline([str]).collect(numbers()) == ["0", "1", "2"]


@suite.case(parameters=TIMES)
async def time_out_around_a_deadlock(turn):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(WAIT_S):
            await asyncio.Event().wait()


@suite.case(parameters=TIMES)
async def wait_for_around_a_deadlock(turn):
    lock = asyncio.Lock()
    await lock.acquire()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(lock.acquire(), WAIT_S)


@suite.case(parameters=TIMES)
async def receive_with_a_time_out(turn):
    with pytest.raises(TimeoutError):
        await Channel[int](1).receive(timeout_s=WAIT_S)


@suite.case(parameters=TIMES)
async def watchdog_in_the_group(turn):
    async def watch():
        await asyncio.sleep(WAIT_S)
        raise TimeoutError

    with pytest.raises(ExceptionGroup):  # noqa: PT012 - the group is what raises
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watch())
            tasks.create_task(Channel[int](1).receive())


@suite.case(parameters=TIMES)
async def watchdog_that_cancels(turn):
    waiting = asyncio.create_task(asyncio.Event().wait())

    async def watch():
        await asyncio.sleep(WAIT_S)
        waiting.cancel()

    watching = asyncio.create_task(watch())
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await watching


@suite.case(parameters=TIMES)
async def watchdog_that_cancels_all(turn):
    waiting = asyncio.create_task(asyncio.Event().wait())

    async def watch():
        await asyncio.sleep(WAIT_S)
        for task in asyncio.all_tasks():
            if "Event.wait" in repr(task.get_coro()):
                task.cancel()

    watching = asyncio.create_task(watch())
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await watching


@suite.case(parameters=TIMES)
async def heart_beat_that_closes(turn):
    inbox = Channel[int](1)

    async def beat():
        for _ in range(10):
            await asyncio.sleep(WAIT_S / 10)
        inbox.close()

    heart = asyncio.create_task(beat())
    assert [item async for item in inbox] == []
    await heart


@suite.case(parameters=TIMES)
async def timer_with_a_bound_call(turn):
    event = asyncio.Event()
    asyncio.get_running_loop().call_later(WAIT_S, functools.partial(event.set))
    await event.wait()


@suite.case(parameters=TIMES)
async def heart_beat_with_a_weak_reference(turn):
    bell = Bell()
    weak = weakref.ref(bell)

    async def beat():
        await asyncio.sleep(WAIT_S)
        weak().event.set()

    heart = asyncio.create_task(beat())
    await bell.event.wait()
    await heart


@suite.case(parameters=TIMES)
async def heart_beat_with_a_context_variable(turn):
    variable = contextvars.ContextVar("event")
    variable.set(asyncio.Event())

    async def beat():
        await asyncio.sleep(WAIT_S)
        variable.get().set()

    heart = asyncio.create_task(beat())
    await variable.get().wait()
    await heart


async def beat_for_the_module():
    await asyncio.sleep(WAIT_S)
    module_events["bell"].set()


@suite.case(parameters=TIMES)
async def watchdog_with_a_weak_reference(turn):
    case = weakref.ref(asyncio.current_task())

    async def watch():
        await asyncio.sleep(WAIT_S)
        case().cancel()

    watching = asyncio.create_task(watch())
    with pytest.raises(asyncio.CancelledError):
        await asyncio.Event().wait()
    asyncio.current_task().uncancel()
    await watching


@suite.case(parameters=TIMES)
async def heart_beat_with_a_global(turn):
    event = module_events["bell"] = asyncio.Event()
    heart = asyncio.create_task(beat_for_the_module())
    await event.wait()
    await heart


@suite.case(parameters=TIMES, virtual_time=True)
async def years_on_virtual_time(turn):
    for _ in range(1000):
        await asyncio.sleep(24 * 3600)
