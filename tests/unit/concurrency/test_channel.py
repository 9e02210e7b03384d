"""What is particular to the plain channel; what all kinds promise is in tests/contract."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wfrun.concurrency.channel import YIELD_EVERY, Channel, ChannelMode
from wfrun.concurrency.errors import WouldBlock


class ModelledChannel:
    """A channel beside a model of it that looks at everything after every item."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.channel = Channel[int](capacity)
        self.model: deque[int] = deque()
        self.sent = self.received = self.peak = 0

    async def send(self, _: int) -> None:
        if len(self.model) < self.capacity:
            await self.channel.send(self.sent)
            self._went_in(1)

    async def try_send(self, _: int) -> None:
        if len(self.model) < self.capacity:
            self.channel.try_send(self.sent)
            self._went_in(1)
        else:
            with pytest.raises(WouldBlock):
                self.channel.try_send(self.sent)

    async def send_many(self, size: int) -> None:
        count = min(size, self.capacity - len(self.model))
        await self.channel.send_many(list(range(self.sent, self.sent + count)))
        self._went_in(count)

    async def receive(self, _: int) -> None:
        if self.model:
            self._came_out([await self.channel.receive()])

    async def try_receive(self, _: int) -> None:
        if self.model:
            self._came_out([self.channel.try_receive()])
        else:
            with pytest.raises(WouldBlock):
                self.channel.try_receive()

    async def receive_many(self, size: int) -> None:
        if self.model:
            expected = min(size, len(self.model))
            batch = await self.channel.receive_many(size)
            assert len(batch) == expected
            self._came_out(batch)

    async def next_batch(self, size: int) -> None:
        if self.model:
            batch = await anext(self.channel.batches(size))
            assert 1 <= len(batch) <= size
            self._came_out(batch)

    async def drain(self, _: int) -> None:
        self._came_out(self.channel.drain())
        assert not self.model

    def _went_in(self, count: int) -> None:
        self.model.extend(range(self.sent, self.sent + count))
        self.sent += count
        self.peak = max(self.peak, len(self.model))

    def _came_out(self, items: list[int]) -> None:
        assert items == [self.model.popleft() for _ in items]
        self.received += len(items)

    def check(self) -> None:
        statistics = self.channel.statistics()
        assert (statistics.sent, statistics.received, statistics.buffered) == (
            self.sent,
            self.received,
            len(self.model),
        )
        assert statistics.high_water_mark == self.peak


OPERATIONS = st.sampled_from(
    [name for name, member in vars(ModelledChannel).items() if asyncio.iscoroutinefunction(member)]
)


@settings(max_examples=500)
@given(capacity=st.integers(1, 60), steps=st.lists(st.tuples(OPERATIONS, st.integers(1, 50)), max_size=60))
def test_counts_and_high_water_mark_are_exact(capacity: int, steps: list[tuple[str, int]]) -> None:
    """The channel does not look at the mark for each item, so it is compared with a model that does."""

    async def main() -> None:
        modelled = ModelledChannel(capacity)
        for operation, size in steps:
            await getattr(modelled, operation)(size)
            modelled.check()

    asyncio.run(main())


async def test_the_high_water_mark_is_exact_where_nothing_asks_for_it_in_between() -> None:
    channel = Channel[int](100)
    for burst in (3, 7, 5, 40, 12):
        for number in range(burst):
            await channel.send(number)
        for _ in range(burst):
            await channel.receive()

    assert channel.statistics().high_water_mark == 40


async def test_what_never_entered_the_buffer_does_not_count_as_buffered() -> None:
    channel = Channel[int](10)
    receiving = asyncio.create_task(channel.receive())
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    channel.try_send(1)

    assert channel.statistics().high_water_mark == 0
    assert (channel.statistics().sent, channel.statistics().received) == (1, 1)
    await receiving


async def test_a_list_that_nobody_else_holds_is_moved_and_not_copied() -> None:
    channel = Channel[int](100)
    identities = []

    def numbers() -> list[int]:
        made = list(range(50))
        identities.append(id(made))
        return made

    await channel.send_many(numbers())
    batch = await anext(channel.batches())

    assert id(batch) == identities[0]


@pytest.mark.parametrize("hold", [lambda held: held, lambda held: {"kept": held}, lambda held: lambda: held])
async def test_a_list_that_somebody_still_holds_is_copied(hold: Callable[[list[int]], Any]) -> None:
    channel = Channel[int](100)
    made = list(range(50))
    identity, holder = id(made), hold(made)

    sending: Awaitable[None] = channel.send_many(made)
    del made
    await sending
    batch = await anext(channel.batches())

    assert id(batch) != identity
    assert batch == list(range(50))
    del holder


async def test_a_wrapper_that_passes_its_own_list_on_keeps_it() -> None:
    channel = Channel[int](100)

    async def send_and_go_on(batch: list[int]) -> None:
        await channel.send_many(batch)
        batch.clear()

    await send_and_go_on(list(range(50)))

    assert await channel.receive_many() == list(range(50))


async def test_small_batches_are_gathered() -> None:
    channel = Channel[int](1000)
    for number in range(0, 300, 3):
        await channel.send_many([number, number + 1, number + 2])

    sizes = [len(batch) for batch in [await anext(channel.batches()), channel.drain()]]

    assert sizes[0] == 300


async def test_unbounded_senders_let_others_run() -> None:
    channel = Channel[int](None)
    ran_at: list[int] = []

    async def look() -> None:
        while len(ran_at) < 3:
            ran_at.append(len(channel))
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    for number in range(5 * YIELD_EVERY):
        await channel.send(number)

    assert looking.done()
    assert ran_at == [YIELD_EVERY * turn for turn in (1, 2, 3)]


async def test_unbounded_senders_of_batches_let_others_run() -> None:
    channel = Channel[int](None)
    ran = asyncio.Event()
    asyncio.get_running_loop().call_soon(ran.set)

    for _ in range(30):
        await channel.send_many(list(range(100)))

    assert ran.is_set()
    assert len(channel) == 3000


async def test_an_unbounded_channel_never_makes_a_sender_wait() -> None:
    channel = Channel[int](None)

    for number in range(3000):
        channel.try_send(number)

    assert channel.capacity is None
    assert repr(channel) == "<channel MPMC open 3000/unbounded>"
    assert channel.drain() == list(range(3000))


async def test_a_full_pipeline_takes_one_turn_of_the_loop_for_three_items() -> None:
    """At capacity 1 the number of turns is everything: both ends run once in each, and no future is made."""
    channel = Channel[int](1, mode=ChannelMode.SPSC)
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def produce() -> None:
        for number in range(300):
            await channel.send(number)
        channel.close()

    counting = asyncio.create_task(count_turns())
    producing = asyncio.create_task(produce())
    received = [number async for number in channel]
    counting.cancel()

    await producing
    assert received == list(range(300))
    assert turns <= 110


async def test_an_item_more_takes_nine_bytes_at_most() -> None:
    count = 100_000
    assert await bytes_each(count, one_by_one) <= 9
    assert await bytes_each(count, in_batches) <= 9


async def one_by_one(channel: Channel[None], count: int) -> None:
    for _ in range(count):
        await channel.send(None)


async def in_batches(channel: Channel[None], count: int) -> None:
    for _ in range(count // 1000):
        await channel.send_many([None] * 1000)


async def bytes_each(count: int, fill: Callable[[Channel[None], int], Awaitable[None]]) -> float:
    channel = Channel[None](count)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        await fill(channel, count)
        return (tracemalloc.get_traced_memory()[0] - before) / count
    finally:
        tracemalloc.stop()


def test_a_new_channel_takes_little_memory() -> None:
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        channels = [Channel[int](10) for _ in range(100)]
        each = (tracemalloc.get_traced_memory()[0] - before) / len(channels)
    finally:
        tracemalloc.stop()

    assert each <= 1300
