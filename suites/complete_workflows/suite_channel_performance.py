"""What a channel costs: an item, a batch, and an operation that finds room or an item at once.

The bars are far below what the channel reaches, so that they hold on any machine; baselines see the rest. A bar is
held against the median of several rounds, because a shared machine may stand still in any one of them.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import TYPE_CHECKING, Any, Final

from wfrun import Context, Suite
from wfrun.concurrency.channel import ChannelMode

from .packets import check_exactly_once
from .plumbing import make_channel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from wfrun.concurrency.targets import ChannelLike

suite = Suite("Channel performance", tags=["channels"])

ITEMS: Final = 20_000
CAPACITY: Final = 1000
BATCH: Final = 100
ROUNDS: Final = 3

SPSC_BAR_PER_S: Final = 100_000
MPMC_BAR_PER_S: Final = 50_000
OPERATION_BAR_NS_MEAN: Final = 10_000
OPERATION_BAR_NS_P99: Final = 100_000


@suite.benchmark("SPSC send and receive")
async def spsc(context: Context) -> None:
    """One task sends, one receives, item by item."""
    rate_per_s = await _rate_per_s(context, ChannelMode.SPSC, _send_each, _receive_each)

    assert context.counted or rate_per_s > SPSC_BAR_PER_S


@suite.benchmark("MPSC send and receive", parameters={"producers": [1, 2, 4, 8]})
async def mpsc(context: Context, producers: int) -> None:
    """1 to 8 tasks send, one receives, item by item."""
    rate_per_s = await _rate_per_s(context, ChannelMode.MPSC, _send_each, _receive_each, producers=producers)

    assert context.counted or rate_per_s > MPMC_BAR_PER_S


@suite.benchmark("MPMC send and receive", parameters={"producers": [1, 2, 4, 8]})
async def mpmc(context: Context, producers: int) -> None:
    """1 to 8 tasks send, four receive, item by item."""
    rate_per_s = await _rate_per_s(
        context, ChannelMode.MPMC, _send_each, _receive_each, producers=producers, consumers=4
    )

    assert context.counted or rate_per_s > MPMC_BAR_PER_S


@suite.benchmark("SPSC batches")
async def spsc_batches(context: Context) -> None:
    """One task sends lists of 100, one receives what is there."""
    rate_per_s = await _rate_per_s(context, ChannelMode.SPSC, _send_batches, _receive_batches)

    assert context.counted or rate_per_s > SPSC_BAR_PER_S


@suite.benchmark("MPMC batches")
async def mpmc_batches(context: Context) -> None:
    """Four tasks send lists of 100, four receive what is there."""
    rate_per_s = await _rate_per_s(context, ChannelMode.MPMC, _send_batches, _receive_batches, producers=4, consumers=4)

    assert context.counted or rate_per_s > MPMC_BAR_PER_S


@suite.benchmark("Send that finds room")
async def send_that_finds_room(context: Context) -> None:
    """A send into a channel with room does not wait."""
    channel = make_channel(context.target("channels"), ITEMS, ChannelMode.SPSC)

    times_ns = await _times_ns(channel.send, list(range(ITEMS)), context)

    assert len(channel) == ITEMS
    _check_operation(times_ns, context)


@suite.benchmark("Receive that finds an item")
async def receive_that_finds_an_item(context: Context) -> None:
    """A receive from a channel with items does not wait."""
    channel = make_channel(context.target("channels"), ITEMS, ChannelMode.SPSC)
    for item in range(ITEMS):
        await channel.send(item)

    times_ns = await _times_ns(lambda _: channel.receive(), list(range(ITEMS)), context)

    assert len(channel) == 0
    _check_operation(times_ns, context)


# Moving items between tasks


async def _rate_per_s(
    context: Context,
    mode: ChannelMode,
    send: Callable[[ChannelLike[Any], list[int]], Awaitable[None]],
    receive: Callable[[ChannelLike[Any]], Awaitable[list[int]]],
    *,
    producers: int = 1,
    consumers: int = 1,
) -> float:
    """Move items from producers to consumers, several times; return the median of the items moved a second."""
    channels = context.target("channels")
    rates = []
    for _ in range(ROUNDS):
        channel = make_channel(channels, CAPACITY, mode)
        shares = [list(range(number, ITEMS, producers)) for number in range(producers)]
        started_s = time.perf_counter()
        with context.timed():
            received = await _move(channel, shares, consumers, send, receive)
        rates.append(ITEMS / (time.perf_counter() - started_s))
        check_exactly_once([item for share in received for item in share], range(ITEMS))
        context.count(ITEMS)
    return statistics.median(rates)


async def _move(
    channel: ChannelLike[Any],
    shares: list[list[int]],
    consumers: int,
    send: Callable[[ChannelLike[Any], list[int]], Awaitable[None]],
    receive: Callable[[ChannelLike[Any]], Awaitable[list[int]]],
) -> list[list[int]]:
    async def produce() -> None:
        await asyncio.gather(*(send(channel, share) for share in shares))
        channel.close()

    received = asyncio.gather(*(receive(channel) for _ in range(consumers)))
    await produce()
    return await received


async def _send_each(channel: ChannelLike[Any], items: list[int]) -> None:
    for item in items:
        await channel.send(item)


async def _receive_each(channel: ChannelLike[Any]) -> list[int]:
    return [item async for item in channel]


async def _send_batches(channel: ChannelLike[Any], items: list[int]) -> None:
    for start in range(0, len(items), BATCH):
        await channel.send_many(items[start : start + BATCH])


async def _receive_batches(channel: ChannelLike[Any]) -> list[int]:
    received = []
    async for batch in channel.batches():
        received += batch
    return received


# Single operations


async def _times_ns(operation: Callable[[Any], Awaitable[object]], arguments: list[int], context: Context) -> list[int]:
    """Return how long each call took, reading the clock included; each is recorded as a latency."""
    times_ns = []
    clock_ns = time.perf_counter_ns
    with context.timed():
        for argument in arguments:
            started_ns = clock_ns()
            await operation(argument)
            times_ns.append(clock_ns() - started_ns)
    for time_ns in times_ns:
        context.record_latency_ns(time_ns)
    context.count(len(times_ns))
    return times_ns


def _check_operation(times_ns: list[int], context: Context) -> None:
    """Hold the median part's mean, and the 99th percentile of all, against the bars."""
    size = len(times_ns) // 10
    means_ns = [statistics.fmean(times_ns[start : start + size]) for start in range(0, len(times_ns), size)]
    mean_ns = statistics.median(means_ns)
    p99_ns = sorted(times_ns)[len(times_ns) * 99 // 100]
    assert context.counted or mean_ns < OPERATION_BAR_NS_MEAN
    assert context.counted or p99_ns < OPERATION_BAR_NS_P99
