"""Channels against ``asyncio.Queue``: item by item, in batches, over three stages, one hand-off, and in memory."""

from __future__ import annotations

import asyncio
import statistics
import time
import tracemalloc
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.harness import Bar, interleave, ratio_bar
from wfrun.concurrency.channel import Channel, ChannelMode

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from bench.harness import Candidate

ITEMS = 60_000
ITEMS_AT_CAPACITY_ONE = 8_000
STAGE_ITEMS = 20_000
BATCHED_ITEMS = 400_000
HAND_OFFS = 8_000
ROUNDS = 9
HAND_OFF_ROUNDS = 21
CHANNELS = 2_000
BUFFERED = 100_000


def bars() -> list[Bar]:
    """Measure every bar of the channel core."""
    return [*per_item(), *batched(), *hand_off(), *memory()]


def per_item() -> list[Bar]:
    """One sender, one receiver, one item at a time."""
    measured = []
    for capacity, required in ((1, 2.5), (100, 2.0), (1000, 2.0)):
        count = ITEMS_AT_CAPACITY_ONE if capacity == 1 else ITEMS
        costs = interleave(
            {
                "asyncio.Queue": _timed(count, partial(_queue_items, capacity=capacity)),
                "Channel": _timed(count, partial(_channel_items, capacity=capacity)),
            },
            rounds=ROUNDS,
        )
        measured.append(ratio_bar(f"item by item, capacity {capacity}", costs, "asyncio.Queue", "Channel", required))
    return measured


def batched() -> list[Bar]:
    """``send_many`` and ``batches``, against items one by one and against lists made by hand."""
    costs = interleave(
        {
            "Queue, per item": _timed(ITEMS, partial(_queue_items, capacity=1000)),
            "Channel, batches": _timed(BATCHED_ITEMS, partial(_channel_batches, capacity=1000, size=250)),
            "3 queues, per item": _timed(STAGE_ITEMS, partial(_queue_stages, capacity=1000)),
            "3 channels, batches": _timed(BATCHED_ITEMS, partial(_channel_stages, capacity=1000, size=250)),
        },
        rounds=ROUNDS,
    )
    measured = [
        ratio_bar("batches of 250, capacity 1000", costs, "Queue, per item", "Channel, batches", 8),
        ratio_bar("three stages, batches of 250", costs, "3 queues, per item", "3 channels, batches", 18),
    ]
    for size in (100, 250, 1000):
        costs = interleave(
            {
                "Queue of lists": _timed(BATCHED_ITEMS, partial(_queue_lists, capacity=1000, size=size)),
                "Channel": _timed(BATCHED_ITEMS, partial(_channel_batches, capacity=1000, size=size)),
            },
            rounds=ROUNDS,
        )
        measured.append(
            ratio_bar(f"batches of {size} against a queue of lists", costs, "Queue of lists", "Channel", 0.9)
        )
    return measured


def hand_off() -> list[Bar]:
    """From a send to the return of a receive that was waiting, one at a time."""
    costs = interleave(
        {
            "asyncio.Queue": _timed(HAND_OFFS, _queue_hand_offs),
            "Channel": _timed(HAND_OFFS, _channel_hand_offs),
        },
        rounds=HAND_OFF_ROUNDS,
    )
    return [ratio_bar("hand-off to a waiting receiver", costs, "asyncio.Queue", "Channel", 1.0)]


def memory() -> list[Bar]:
    """What an idle channel and a buffered item take; the items themselves are not counted."""
    channel_bytes = statistics.median(_bytes_of(lambda: [Channel[int](100) for _ in range(CHANNELS)]) for _ in range(3))
    items = list(range(BUFFERED))

    def filled() -> Channel[int]:
        channel = Channel[int](None)
        for item in items:
            channel.try_send(item)
        return channel

    item_bytes = statistics.median(_bytes_of(filled) for _ in range(3)) / BUFFERED
    return [
        Bar("bytes a channel", channel_bytes / CHANNELS, 2400, better="<=", details=f"mean of {CHANNELS}, idle"),
        Bar("bytes a buffered item", item_bytes, 9, better="<=", details=f"mean of {BUFFERED:,}"),
    ]


def _timed(count: int, run: Callable[[list[int]], Coroutine[Any, Any, int]]) -> Candidate:
    """Return a candidate that sends ``count`` items, checks that their sum arrives, and returns nanoseconds an item."""

    def turn(round_number: int) -> float:
        items = list(range(round_number * count, (round_number + 1) * count))
        expected = sum(items)

        async def main() -> float:
            started_ns = time.perf_counter_ns()
            arrived = await run(items)
            took_ns = time.perf_counter_ns() - started_ns
            assert arrived == expected, "the items that arrived are not those that were sent"
            return took_ns / count

        return asyncio.run(main())

    return turn


def _bytes_of(make: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        made = make()
        after, _ = tracemalloc.get_traced_memory()
        del made
        return after - before
    finally:
        tracemalloc.stop()


async def _queue_items(items: list[int], capacity: int) -> int:
    queue: asyncio.Queue[int] = asyncio.Queue(capacity)

    async def send() -> None:
        for item in items:
            await queue.put(item)

    async def receive() -> int:
        total = 0
        for _ in items:
            total += await queue.get()
        return total

    _, total = await asyncio.gather(send(), receive())
    return total


async def _channel_items(items: list[int], capacity: int) -> int:
    channel = Channel[int](capacity, mode=ChannelMode.SPSC)

    async def send() -> None:
        for item in items:
            await channel.send(item)

    async def receive() -> int:
        total = 0
        for _ in items:
            total += await channel.receive()
        return total

    _, total = await asyncio.gather(send(), receive())
    return total


async def _queue_stages(items: list[int], capacity: int) -> int:
    first, second, third = (asyncio.Queue[int](capacity) for _ in range(3))

    async def send() -> None:
        for item in items:
            await first.put(item)

    async def move(source: asyncio.Queue[int], target: asyncio.Queue[int]) -> None:
        for _ in items:
            await target.put(await source.get())

    async def receive() -> int:
        total = 0
        for _ in items:
            total += await third.get()
        return total

    *_, total = await asyncio.gather(send(), move(first, second), move(second, third), receive())
    return int(total or 0)


async def _channel_stages(items: list[int], capacity: int, size: int) -> int:
    first, second, third = (Channel[int](capacity, mode=ChannelMode.SPSC) for _ in range(3))

    async def move(source: Channel[int], target: Channel[int]) -> None:
        async for batch in source.batches():
            await target.send_many(batch)
        target.close()

    *_, total = await asyncio.gather(
        _send_batches(first, items, size), move(first, second), move(second, third), _receive_batches(third)
    )
    return int(total or 0)


async def _channel_batches(items: list[int], capacity: int, size: int) -> int:
    channel = Channel[int](capacity, mode=ChannelMode.SPSC)
    _, total = await asyncio.gather(_send_batches(channel, items, size), _receive_batches(channel))
    return total


async def _send_batches(channel: Channel[int], items: list[int], size: int) -> None:
    for start in range(0, len(items), size):
        await channel.send_many(items[start : start + size])
    channel.close()


async def _receive_batches(channel: Channel[int]) -> int:
    total = 0
    async for batch in channel.batches():
        total += sum(batch)
    return total


async def _queue_lists(items: list[int], capacity: int, size: int) -> int:
    # The same bound in items, as far as a queue of lists can keep it.
    queue: asyncio.Queue[list[int]] = asyncio.Queue(capacity // size)

    async def send() -> None:
        for start in range(0, len(items), size):
            await queue.put(items[start : start + size])

    async def receive() -> int:
        total = 0
        for _ in range(0, len(items), size):
            total += sum(await queue.get())
        return total

    _, total = await asyncio.gather(send(), receive())
    return total


async def _queue_hand_offs(items: list[int]) -> int:
    queue: asyncio.Queue[int] = asyncio.Queue(100)
    back: asyncio.Queue[int] = asyncio.Queue(100)

    async def echo() -> None:
        for _ in items:
            await back.put(await queue.get())

    async def ask() -> int:
        total = 0
        for item in items:
            await queue.put(item)
            total += await back.get()
        return total

    _, total = await asyncio.gather(echo(), ask())
    return total


async def _channel_hand_offs(items: list[int]) -> int:
    channel = Channel[int](100, mode=ChannelMode.SPSC)
    back = Channel[int](100, mode=ChannelMode.SPSC)

    async def echo() -> None:
        for _ in items:
            await back.send(await channel.receive())

    async def ask() -> int:
        total = 0
        for item in items:
            await channel.send(item)
            total += await back.receive()
        return total

    _, total = await asyncio.gather(echo(), ask())
    return total
