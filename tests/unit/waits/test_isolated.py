"""A proof says "never" only where it is so; each refusal here would otherwise be a false alarm."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from wfrun.concurrency import Channel
from wfrun.waits import stuck_tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

kept: dict[str, Any] = {}


class Bell:
    """Something with an event inside."""

    def __init__(self) -> None:
        self.event = asyncio.Event()


def names_of_stuck(case: Callable[[], Coroutine[Any, Any, None]]) -> set[str]:
    """Return the names of the tasks for which there is proof while ``case`` waits."""
    found: list[set[str]] = []

    def look() -> None:
        loop = asyncio.get_running_loop()
        gc.collect()
        # The timer must not hold the task that it asks about.
        (main,) = (task for task in asyncio.all_tasks() if task.get_name() == "main")
        found.append({each.get_name() for each in stuck_tasks(loop, main)})
        main.cancel()

    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.set_name("main")
        asyncio.get_running_loop().call_later(0.03, look)
        del task
        await case()

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    kept.clear()
    return found[0]


async def beat() -> None:
    while True:  # noqa: ASYNC110 - a heart beats by a timer
        await asyncio.sleep(0.01)


async def circle_beside_a_heart_beat() -> None:
    there, back = Channel[int](1), Channel[int](1)

    async def stage(inbox: Channel[int], outbox: Channel[int]) -> None:
        async for item in inbox:
            await outbox.send(item)

    heart = asyncio.create_task(beat(), name="heart")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(stage(there, back), name="forth")
        tasks.create_task(stage(back, there), name="back")
    heart.cancel()


async def locks_beside_a_timer() -> None:
    first, second = asyncio.Lock(), asyncio.Lock()
    asyncio.get_running_loop().call_later(1000, print)

    async def take(one: asyncio.Lock, other: asyncio.Lock) -> None:
        async with one:
            await asyncio.sleep(0)
            async with other:
                pass

    await asyncio.gather(take(first, second), take(second, first))


def test_a_circle_of_channels_is_proven_while_a_heart_beats() -> None:
    assert names_of_stuck(circle_beside_a_heart_beat) == {"main", "forth", "back"}


def test_a_circle_of_locks_is_proven_beside_a_timer() -> None:
    assert "main" in names_of_stuck(locks_beside_a_timer)


async def timer_holds_it() -> None:
    event = asyncio.Event()
    asyncio.get_running_loop().call_later(1000, event.set)
    await event.wait()


async def timer_holds_it_in_a_partial() -> None:
    event = asyncio.Event()
    asyncio.get_running_loop().call_later(1000, functools.partial(event.set))
    await event.wait()


async def time_out() -> None:
    async with asyncio.timeout(1000):
        await asyncio.Event().wait()


async def wait_for() -> None:
    await asyncio.wait_for(asyncio.Event().wait(), 1000)


async def another_task_holds_it() -> None:
    event = asyncio.Event()

    async def ring() -> None:
        await asyncio.sleep(1000)
        event.set()

    ringing = asyncio.create_task(ring())
    await event.wait()
    ringing.cancel()


async def another_task_holds_the_case() -> None:
    case = asyncio.current_task()

    async def watch() -> None:
        await asyncio.sleep(1000)
        if case is not None:
            case.cancel()

    watching = asyncio.create_task(watch())
    await asyncio.Event().wait()
    watching.cancel()


async def a_weak_reference_leads_to_the_case() -> None:
    kept["case"] = weakref.ref(asyncio.current_task())
    await asyncio.Event().wait()


async def its_group_could_fail() -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(beat())
        tasks.create_task(asyncio.Event().wait())


async def its_gathering_could_fail() -> None:
    await asyncio.gather(beat(), asyncio.Event().wait())


async def a_module_holds_it() -> None:
    kept["event"] = asyncio.Event()
    await kept["event"].wait()


async def a_module_holds_what_holds_it() -> None:
    kept["bell"] = bell = Bell()
    await bell.event.wait()


async def a_weak_reference_leads_to_it() -> None:
    bell = Bell()
    kept["bell"] = weakref.ref(bell)
    await bell.event.wait()


async def a_context_variable_of_another_task_holds_it() -> None:
    variable: contextvars.ContextVar[asyncio.Event] = contextvars.ContextVar("event")
    variable.set(asyncio.Event())
    heart = asyncio.create_task(beat())
    await variable.get().wait()
    heart.cancel()


async def another_asks_for_all_tasks() -> None:
    async def watch() -> None:
        await asyncio.sleep(1000)
        for task in asyncio.all_tasks():
            task.cancel()

    watching = asyncio.create_task(watch())
    await asyncio.Event().wait()
    watching.cancel()


async def a_reader_callback_holds_it() -> None:
    server = await asyncio.start_server(lambda *_: event.set(), "127.0.0.1", 0)
    event = asyncio.Event()
    async with server:
        await event.wait()


async def it_sleeps() -> None:
    await asyncio.sleep(1000)


@pytest.mark.parametrize(
    "case",
    [
        timer_holds_it,
        timer_holds_it_in_a_partial,
        time_out,
        wait_for,
        another_task_holds_it,
        another_task_holds_the_case,
        a_weak_reference_leads_to_the_case,
        its_group_could_fail,
        its_gathering_could_fail,
        a_module_holds_it,
        a_module_holds_what_holds_it,
        a_weak_reference_leads_to_it,
        a_context_variable_of_another_task_holds_it,
        another_asks_for_all_tasks,
        a_reader_callback_holds_it,
        it_sleeps,
    ],
)
def test_there_is_no_proof_where_something_could_wake_it(case: Callable[[], Coroutine[Any, Any, None]]) -> None:
    assert names_of_stuck(case) == set()


def test_what_holds_too_much_to_look_through_is_not_proven() -> None:
    async def case() -> None:
        everything = [[number] for number in range(30_000)]
        await asyncio.Event().wait()
        everything.clear()

    assert names_of_stuck(case) == set()
