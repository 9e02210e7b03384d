"""Channels between two processes against ``multiprocessing.Queue``, and workers against an executor.

Every item really arrives: the other process adds up what it received and the sums are compared. Processes are started
before the clock, both peers' with a fresh interpreter, and each turn ends when the last item was received.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar

from bench.harness import Bar, Candidate, interleave, ratio_bar
from wfrun.concurrency.processes.pair import ProcessReceiver, ProcessSender
from wfrun.concurrency.processes.workers import ProcessWorkers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wfrun.concurrency.processes.channel import AsyncSender
    from wfrun.concurrency.processes.ends import PipeReceiver, PipeSender

SMALL = 30_000
LARGE = 300
LARGE_BYTES = 1_000_000
CALLS = 4_000

_SPAWN = multiprocessing.get_context("spawn")


def make_items(kind: str, round_number: int) -> list[Any]:
    """Return the items of one turn, other ones each round."""
    if kind == "ints":
        return list(range(round_number * SMALL, (round_number + 1) * SMALL))
    if kind == "tuples":
        return [(number, f"item {number}") for number in range(round_number * SMALL, (round_number + 1) * SMALL)]
    return [bytes([(round_number + number) % 256]) * LARGE_BYTES for number in range(LARGE)]


class Heap:
    """What was received: small items are kept, weighed and freed off the clock, large ones weighed at once and dropped.

    A turn ends when the last item was received; what a consumer does with thousands of them then is no channel's cost.
    """

    kept: ClassVar[list[Heap]] = []

    def __init__(self) -> None:
        self.total = 0
        self.items: list[Any] = []
        self.kept.append(self)

    def fill(self, items: Iterable[Any], kind: str) -> Heap:
        """Take everything."""
        if kind == "1 MB bytes":
            for item in items:
                self.total += weigh((item,))
        else:
            self.items.extend(items)
        return self

    def weighed(self) -> tuple[int, int]:
        """Return the sum of everything, and the nanoseconds that adding up took just now."""
        started = time.perf_counter_ns()
        total = self.total + weigh(self.items)
        return total, time.perf_counter_ns() - started


def weigh(items: Iterable[Any]) -> int:
    """Return a sum that a lost, doubled or damaged item would change."""
    total = 0
    for item in items:
        if type(item) is int:
            total += item
        elif type(item) is tuple:
            total += item[0] + len(item[1])
        else:
            total += len(item) + item[0] + item[-1]
    return total


# What runs at the other end.


def consume_blocking(receiver: PipeReceiver[Any], kind: str) -> tuple[int, int]:
    """Receive item by item; return what they weigh."""
    return Heap().fill(receiver, kind).weighed()


async def produce_one_by_one(sender: AsyncSender[Any], kind: str, round_number: int) -> None:
    """Send "ready", then item by item."""
    items = make_items(kind, round_number)
    await sender.send("ready")
    await asyncio.sleep(0)
    for item in items:
        await sender.send(item)


def produce_at_once(sender: PipeSender[Any], kind: str, round_number: int) -> None:
    """Send "ready", then everything in one call."""
    items = make_items(kind, round_number)
    sender.send("ready")
    sender.send_many(items)


def queue_consumer(queue: Any, answers: Any, kind: str) -> None:  # noqa: ANN401 - a queue has no importable type
    """Answer "ready", receive item by item until None, answer with what they weigh."""
    answers.put("ready")
    answers.put(Heap().fill(iter(queue.get, None), kind).weighed())


def queue_producer(queue: Any, kind: str, round_number: int) -> None:  # noqa: ANN401 - as above
    """Send "ready", then item by item, then None."""
    items = make_items(kind, round_number)
    queue.put("ready")
    for item in items:
        queue.put(item)
    queue.put(None)


def square(number: int) -> int:
    """Work next to nothing."""
    return number * number


def bars() -> list[Bar]:
    """Measure small items, promised one by one and in batches, and large ones, which are shown."""
    found: list[Bar] = []
    for kind, alone, batches in (("ints", 10.0, 10.0), ("tuples", 10.0, 10.0), ("1 MB bytes", None, None)):
        costs = interleave(
            {
                "mp.Queue into child": queue_into_child(kind),
                "mp.Queue out of child": queue_out_of_child(kind),
                "into child": into_child(kind, at_once=False),
                "out of child": out_of_child(kind, produce_one_by_one),
                "into child, batches": into_child(kind, at_once=True),
                "out of child, batches": out_of_child(kind, produce_at_once),
            },
            rounds=5,
        )
        for way in ("into child", "out of child"):
            found.append(ratio_bar(f"{kind}, {way}, item by item", costs, f"mp.Queue {way}", way, alone))
            batched = f"{way}, batches"
            found.append(ratio_bar(f"{kind}, {batched}", costs, f"mp.Queue {way}", batched, batches))
    costs = interleave({"executor map": executor_map, "workers": workers_map}, rounds=5)
    found.append(ratio_bar("work of nothing, 2 workers", costs, "executor map", "workers", 10.0))
    starts = sorted(start_one(number) for number in range(5))
    found.append(
        Bar("start and end of one worker, ms", statistics.median(starts), 500.0, "<=", "processor time is less")
    )
    return found


def queue_into_child(kind: str) -> Candidate:
    """Measure ``multiprocessing.Queue`` from here to a child; ns an item."""

    def turn(round_number: int) -> float:
        items = make_items(kind, round_number)
        queue, answers = _SPAWN.Queue(), _SPAWN.Queue()
        child = _SPAWN.Process(target=queue_consumer, args=(queue, answers, kind))
        child.start()
        assert answers.get() == "ready"
        started = time.perf_counter_ns()
        for item in items:
            queue.put(item)
        queue.put(None)
        answer, weighing_ns = answers.get()
        took_ns = time.perf_counter_ns() - started - int(weighing_ns)
        child.join()
        assert answer == weigh(items)
        return took_ns / len(items)

    return turn


def queue_out_of_child(kind: str) -> Candidate:
    """Measure ``multiprocessing.Queue`` from a child to here; ns an item."""

    def turn(round_number: int) -> float:
        queue = _SPAWN.Queue()
        child = _SPAWN.Process(target=queue_producer, args=(queue, kind, round_number))
        child.start()
        assert queue.get() == "ready"
        heap = Heap()
        started = time.perf_counter_ns()
        heap.fill(iter(queue.get, None), kind)
        took_ns = time.perf_counter_ns() - started
        child.join()
        items = make_items(kind, round_number)
        assert heap.weighed()[0] == weigh(items)
        Heap.kept.clear()
        return took_ns / len(items)

    return turn


def into_child(kind: str, *, at_once: bool) -> Candidate:
    """Measure a process channel from here to a child; ns an item."""

    async def measure(round_number: int) -> float:
        items = make_items(kind, round_number)
        async with ProcessSender[Any](consume_blocking, arguments=(kind,)) as channel:
            started = time.perf_counter_ns()
            if at_once:
                await channel.send_many(items)
            else:
                for item in items:
                    await channel.send(item)
            channel.close()
            answer, weighing_ns = await channel.result()
            took_ns = time.perf_counter_ns() - started - int(weighing_ns)
        assert answer == weigh(items)
        return took_ns / len(items)

    return lambda round_number: asyncio.run(measure(round_number))


def out_of_child(kind: str, produce: Callable[..., object]) -> Candidate:
    """Measure a process channel from a child to here; ns an item."""

    async def measure(round_number: int) -> float:
        heap = Heap()
        async with ProcessReceiver[Any](produce, arguments=(kind, round_number)) as channel:
            assert await channel.receive() == "ready"
            started = time.perf_counter_ns()
            if produce is produce_at_once:
                async for batch in channel.batches():
                    heap.fill(batch, kind)
            elif kind == "1 MB bytes":
                async for item in channel:
                    heap.fill((item,), kind)
            else:
                async for item in channel:
                    heap.items.append(item)
            took_ns = time.perf_counter_ns() - started
        items = make_items(kind, round_number)
        assert heap.weighed()[0] == weigh(items)
        Heap.kept.clear()
        return took_ns / len(items)

    return lambda round_number: asyncio.run(measure(round_number))


def executor_map(round_number: int) -> float:
    """Measure an executor's ``map``, one by one; ns a call."""
    numbers = range(round_number * CALLS, (round_number + 1) * CALLS)
    with ProcessPoolExecutor(2, mp_context=_SPAWN) as executor:
        assert list(executor.map(square, range(4))) == [0, 1, 4, 9]
        started = time.perf_counter_ns()
        total = sum(executor.map(square, numbers))
        took_ns = time.perf_counter_ns() - started
    assert total == sum(number * number for number in numbers)
    return took_ns / CALLS


def workers_map(round_number: int) -> float:
    """Measure process workers, sent to and received from one by one; ns a call."""
    numbers = range(round_number * CALLS, (round_number + 1) * CALLS)

    async def measure() -> float:
        async with ProcessWorkers(square, workers=2) as workers:

            async def feed() -> None:
                for number in numbers:
                    await workers.send(number)
                workers.close()

            started = time.perf_counter_ns()
            feeding = asyncio.create_task(feed())
            total = 0
            async for outcome in workers:
                total += outcome.result()
            took_ns = time.perf_counter_ns() - started
            await feeding
        assert total == sum(number * number for number in numbers)
        return took_ns / CALLS

    return asyncio.run(measure())


def start_one(number: int) -> float:
    """Measure starting a worker, one call, and ending it; ms."""

    async def measure() -> None:
        async with ProcessWorkers(square, workers=1) as workers:
            await workers.send(number)
            workers.close()
            assert (await workers.receive()).result() == number * number

    started = time.perf_counter_ns()
    asyncio.run(measure())
    return (time.perf_counter_ns() - started) / 1e6
