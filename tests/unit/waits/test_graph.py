"""Each kind of thing that a task can wait for is named with its state."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from wfrun.clock import ManualClock, settle
from wfrun.concurrency import ByteChannel, Channel, Pipeline, select
from wfrun.waits import WaitGraph, wait_graph

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine


async def graph_of(*waiting: Coroutine[Any, Any, Any]) -> WaitGraph:
    """Return the graph of tasks called 0, 1, … once they wait."""
    tasks = [asyncio.create_task(each, name=str(number)) for number, each in enumerate(waiting)]
    await settle()
    graph = wait_graph(asyncio.get_running_loop(), only=tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return graph


async def full_queue() -> None:
    queue = asyncio.Queue[int](1)
    await queue.put(1)
    await queue.put(2)


async def full_bytes() -> None:
    pages = ByteChannel[bytes](10, name="pages")
    await pages.send(b"x" * 10)
    await pages.send(b"x")


async def choosing() -> None:
    await select(Channel[int](1, name="a").receiving(), Channel[int](1, name="b").receiving())


async def grouped() -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(asyncio.Event().wait())


async def barrier() -> None:
    await asyncio.Barrier(3).wait()


async def notified_without_the_lock() -> None:
    condition = asyncio.Condition()

    async def notify() -> None:
        async with condition:
            condition.notify()
            await asyncio.sleep(0.1)  # the one that waits must have the lock before it can be cancelled

    async with asyncio.TaskGroup() as tasks, condition:
        tasks.create_task(notify(), name="notifier")
        await condition.wait()


@pytest.mark.parametrize(
    ("wait", "kind", "state"),
    [
        (lambda: asyncio.sleep(7), "timer", "timer of 7 s"),
        (lambda: asyncio.Event().wait(), "Event", "Event, not set"),
        (lambda: asyncio.Queue[int]().get(), "Queue", "Queue empty, 0/unbounded, 1 waits to get"),
        (lambda: asyncio.PriorityQueue[int](3).get(), "Queue", "PriorityQueue empty, 0/3, 1 waits to get"),
        (full_queue, "Queue", "Queue full, 1/1, 1 waits to put"),
        (lambda: Channel[int](2, name="a").receive(), "channel", "channel 'a' MPMC open 0/2, no sender waits, 1 waits"),
        (full_bytes, "channel", "byte channel 'pages' MPMC open"),
        (choosing, "select", "select of 2 arms: channel 'a' MPMC open 0/1"),
        (grouped, "TaskGroup", "TaskGroup of 1 task"),
        (barrier, "Barrier", "Barrier, 1 of 3 are there"),
        (lambda: asyncio.to_thread(time.sleep, 0.1), "executor", "work of another thread or process"),
        (lambda: ManualClock(5).sleep(1), "ManualClock", "ManualClock at 5 s, 1 waits to sleep"),
        (lambda: asyncio.StreamReader().read(), "StreamReader", "data of a stream"),
        (notified_without_the_lock, "Lock", "Lock, held by notifier"),
    ],
)
async def test_what_a_task_waits_for_is_named_with_its_state(
    wait: Callable[[], Coroutine[Any, Any, Any]], kind: str, state: str
) -> None:
    task = (await graph_of(wait())).tasks[0]

    assert task.kind == kind
    assert task.state.startswith(state)


async def test_the_tasks_of_a_pipeline_wait_for_its_channels() -> None:
    async def never() -> AsyncIterator[int]:
        await asyncio.Event().wait()
        yield 1

    async def run() -> None:
        await Pipeline([str], name="press").collect(never())

    running = asyncio.create_task(run(), name="consumer")
    await settle()
    graph = wait_graph(asyncio.get_running_loop())
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    states = {task.name: task.state for task in graph.tasks}
    assert states["press: source"] == "Event, not set"
    assert states["press: str"].startswith("channel 'press: source to str'")
    assert states["consumer"].startswith("channel 'press: str to results'")


async def test_what_cannot_describe_itself_does_not_spoil_the_rest() -> None:
    class Rude(asyncio.Queue[int]):
        def qsize(self) -> int:
            raise RuntimeError("not now")

        def empty(self) -> bool:
            return True

    graph = await graph_of(Rude().get(), asyncio.Event().wait())

    assert [task.state for task in graph.tasks] == [
        "something that cannot be described: RuntimeError",
        "Event, not set",
    ]


async def test_tasks_behind_gather_wait_for_and_shield_are_found() -> None:
    inner = asyncio.create_task(asyncio.Event().wait(), name="inner")

    async def shielded() -> None:
        await asyncio.shield(inner)

    async def gathered() -> None:
        await asyncio.gather(inner, asyncio.sleep(0))

    async def limited() -> None:
        await asyncio.wait_for(inner, 1000)

    async def waiting() -> None:
        await asyncio.wait([inner])

    graph = await graph_of(shielded(), gathered(), limited(), waiting())

    assert {task.waits_for for task in graph.tasks if task.name != "inner"} == {("inner",)}
    inner.cancel()


async def test_a_lock_names_the_task_inside_it_and_not_those_at_its_door() -> None:
    lock = asyncio.Lock()

    async def hold() -> None:
        async with lock:
            await asyncio.sleep(1000)

    graph = await graph_of(hold(), hold(), hold())

    assert [(task.name, task.waits_for) for task in graph.tasks] == [("0", ()), ("1", ("0",)), ("2", ("0",))]
    assert graph.circle == ()


async def test_a_circle_is_found_behind_tasks_that_are_not_part_of_it() -> None:
    tasks: dict[str, asyncio.Task[None]] = {}

    async def wait_for(*names: str) -> None:
        await asyncio.sleep(0)
        await asyncio.wait([tasks[name] for name in names])

    for name, others in {"a": ("free", "b"), "b": ("c",), "c": ("b",), "free": ()}.items():
        coroutine: Awaitable[Any] = wait_for(*others) if others else asyncio.sleep(1000)
        tasks[name] = asyncio.ensure_future(coroutine)
        tasks[name].set_name(name)
    await settle()

    graph = wait_graph(asyncio.get_running_loop(), only=list(tasks.values()))

    assert set(graph.circle) == {"b", "c"}
    assert graph.summary().startswith("2 tasks wait for each other: ")
    assert graph.text().splitlines()[-1] in {"circle: b -> c -> b", "circle: c -> b -> c"}
    for task in tasks.values():
        task.cancel()


async def test_the_line_is_the_users_own_also_inside_an_asynchronous_generator() -> None:
    async def items() -> AsyncIterator[int]:
        await asyncio.Event().wait()
        yield 1

    async def read() -> None:
        async for _ in items():
            pass

    task = (await graph_of(read())).tasks[0]

    assert [place.rpartition(" in ")[2] for place in task.places] == ["read", "items"]
    assert all(__file__ in place for place in task.places)


async def test_of_many_tasks_the_first_are_listed_and_the_rest_counted() -> None:
    graph = await graph_of(*(asyncio.Event().wait() for _ in range(50)))

    assert (len(graph.tasks), graph.left_out) == (20, 30)
    assert graph.summary().startswith("50 tasks wait and nothing is left to wake them: ")
    assert graph.summary().endswith("; and 47 more")
