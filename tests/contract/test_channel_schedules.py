"""Thousands of random schedules of everything a channel can do: nothing is lost, doubled or reordered, nobody hangs.

Every operation is a task of its own that may be cancelled after a few turns of the loop or given a time-out. On
virtual time a hang is seen at once: when nobody can go on, the clock jumps to the watchdog.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from wfrun.concurrency.byte_channel import ByteChannel
from wfrun.concurrency.channel import Channel, ChannelMode
from wfrun.concurrency.errors import ChannelClosed, ChannelTimeout, EndOfChannel, WouldBlock
from wfrun.concurrency.priority import PriorityChannel
from wfrun.concurrency.selecting import select
from wfrun.virtual_time import VirtualTimeLoop

T = TypeVar("T")
Item = tuple[int, int]  # which sender, and its how-manieth item

KINDS = ("channel", "bytes", "priority")
SEEDS_PER_TEST = 250


class Withdrawn(Exception):
    """The operation was cancelled by the schedule itself."""


@dataclass
class Schedule:
    """One random schedule over one or two channels, and what is known of each item afterwards."""

    kind: str
    seed: int
    sent: set[Item] = field(default_factory=set)
    refused: set[Item] = field(default_factory=set)
    unknown: set[Item] = field(default_factory=set)
    received: dict[tuple[int, int], list[Item]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.random = random.Random(f"{self.kind}/{self.seed}")
        self.capacity = self.random.choice((1, 1, 2, 3, 20, 100))
        self.senders = self.random.randint(1, 3)
        self.receivers = self.random.randint(1, 3)
        self.channels = [self._channel() for _ in range(self.random.choice((1, 2)))]
        self.may_cancel_receivers = len(self.channels) > 1 or self.random.random() < 0.6

    def _channel(self) -> Channel[Item]:
        modes = [ChannelMode.MPMC]
        if self.receivers == 1:
            modes.append(ChannelMode.SPSC if self.senders == 1 else ChannelMode.MPSC)
        mode = self.random.choice(modes)
        match self.kind:
            case "bytes":
                return ByteChannel(self.capacity * 2, weigh=lambda item: item[1] % 4, mode=mode)
            case "priority":
                return PriorityChannel(self.capacity, priority=lambda item: item[1] % 3, mode=mode)
            case _:
                return Channel(None if self.random.random() < 0.1 else self.capacity, mode=mode)

    async def run(self) -> None:
        async with asyncio.timeout(10):
            async with asyncio.TaskGroup() as group:
                consuming = [group.create_task(self._consume(number)) for number in range(self.receivers)]
                async with asyncio.TaskGroup() as producers:
                    for number in range(self.senders):
                        producers.create_task(self._produce(number))
                    if self.random.random() < 0.2:
                        producers.create_task(self._close_early())
                for channel in self.channels:
                    channel.close()
                await asyncio.wait(consuming)

    # Producing

    async def _produce(self, sender: int) -> None:
        count = 0
        for _ in range(self.random.randint(1, 12)):
            size = 1 if self.random.random() < 0.6 else self.random.choice((2, 5, 20, 40))
            items = [(sender, count + offset) for offset in range(size)]
            count += size
            await self._turns()
            await self._send(items)

    async def _send(self, items: list[Item]) -> None:
        channel = self.random.choice(self.channels)
        timeout_s = self._timeout_s()
        sent = 0
        try:
            if len(items) > 1:
                await self._maybe_cancelled(self._send_many(channel, items, timeout_s))
            elif self.random.random() < 0.3:
                arms = [channel.sending(items[0]) for channel in self.channels]
                await self._maybe_cancelled(select(*arms, timeout_s=timeout_s))
            elif self.random.random() < 0.2:
                channel.try_send(items[0])
            else:
                await self._maybe_cancelled(channel.send(items[0], timeout_s=timeout_s))
        except (ChannelClosed, ChannelTimeout) as error:
            sent = error.sent
        except WouldBlock:
            pass
        except Withdrawn:
            self.unknown.update(items)
            return
        else:
            sent = len(items)
        self.sent.update(items[:sent])
        self.refused.update(items[sent:])

    async def _send_many(self, channel: Channel[Item], items: list[Item], timeout_s: float | None) -> None:
        if self.random.random() < 0.5:
            await channel.send_many(list(items), timeout_s=timeout_s)
            return
        reused = list(items)
        try:
            await channel.send_many(reused, timeout_s=timeout_s)
        finally:
            reused.clear()

    async def _close_early(self) -> None:
        await self._turns(20)
        self.random.choice(self.channels).close()

    # Consuming

    async def _consume(self, receiver: int) -> None:
        live = list(range(len(self.channels)))
        while live:
            await self._turns()
            number = self.random.choice(live)
            try:
                for where, item in await self._receive(number):
                    self.received[receiver, where].append(item)
            except (EndOfChannel, StopAsyncIteration):
                live.remove(number)
            except (TimeoutError, WouldBlock, Withdrawn):
                await asyncio.sleep(0.001)

    async def _receive(self, number: int) -> list[tuple[int, Item]]:
        channel = self.channels[number]
        # With several channels nobody waits for one of them for ever, or the schedule itself could deadlock.
        timeout_s = self._timeout_s() if len(self.channels) == 1 else 0.01
        most = self.random.choice((1, 3, 30, 1000))
        operation: Coroutine[Any, Any, Any]
        match self.random.randrange(6):
            case 0:
                return [(number, channel.try_receive())]
            case 1:
                operation = channel.receive_many(most, timeout_s=timeout_s)
                return [(number, item) for item in await self._maybe_cancelled(operation, receives=True)]
            case 2:
                operation = _next(channel.batches(most), timeout_s if self.may_cancel_receivers else None)
                batch = await self._maybe_cancelled(operation, receives=True)
                return [(number, item) for item in batch]
            case 3:
                operation = _next(aiter(channel), timeout_s if self.may_cancel_receivers else None)
            case 4:
                arms = [other.receiving() for other in self.channels]
                chosen = await self._maybe_cancelled(select(*arms, timeout_s=timeout_s), receives=True)
                return [(chosen.index, chosen.item)]
            case _:
                operation = channel.receive(timeout_s=timeout_s)
        return [(number, await self._maybe_cancelled(operation, receives=True))]

    # Chance

    async def _maybe_cancelled(self, operation: Coroutine[Any, Any, T], *, receives: bool = False) -> T:
        if self.random.random() < 0.6 or (receives and not self.may_cancel_receivers):
            return await operation
        task = asyncio.ensure_future(operation)
        for _ in range(self.random.randrange(5)):
            await asyncio.sleep(0)
        task.cancel()
        try:
            return await task
        except asyncio.CancelledError:
            if task.cancelled() and not _current().cancelling():
                raise Withdrawn from None
            raise

    def _timeout_s(self) -> float | None:
        return self.random.choice((0, 0.001, 0.01)) if self.random.random() < 0.2 else None

    async def _turns(self, most: int = 3) -> None:
        for _ in range(self.random.randrange(most)):
            await asyncio.sleep(0)

    # Judging

    def check(self) -> None:
        arrived = Counter(item for items in self.received.values() for item in items)
        assert not [item for item, times in arrived.items() if times > 1], "doubled"
        assert not self.sent - arrived.keys(), "lost"
        assert not arrived.keys() & self.refused, "arrived although its send was refused"
        assert arrived.keys() <= self.sent | self.unknown
        for channel in self.channels:
            statistics = channel.statistics()
            assert statistics.buffered == len(channel) == 0
            assert statistics.sent == statistics.received
            assert (statistics.waiting_senders, statistics.waiting_receivers) == ((), ())
            if channel.capacity is not None and not self.may_cancel_receivers:
                assert statistics.high_water_mark <= channel.capacity
        assert sum(channel.statistics().received for channel in self.channels) == arrived.total()
        if self.kind != "priority" and (self.receivers == 1 or not self.may_cancel_receivers):
            # A receiver that is cancelled gives back an item that others may have passed; otherwise the order stands.
            for items in self.received.values():
                for sender in range(self.senders):
                    numbers = [number for who, number in items if who == sender]
                    assert numbers == sorted(numbers), "reordered"


def _current() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


async def _next(iterator: Any, timeout_s: float | None) -> Any:
    async with asyncio.timeout(timeout_s):
        return await anext(iterator)


@pytest.mark.parametrize("first_seed", range(0, 2000, SEEDS_PER_TEST))
@pytest.mark.parametrize("kind", KINDS)
def test_random_schedules_lose_double_and_reorder_nothing(kind: str, first_seed: int) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        for seed in range(first_seed, first_seed + SEEDS_PER_TEST):
            schedule = Schedule(kind, seed)
            try:
                runner.run(schedule.run())
                schedule.check()
            except BaseException as error:
                error.add_note(f"Schedule({kind!r}, {seed})")
                raise


@pytest.mark.parametrize("kind", KINDS)
def test_random_schedules_hold_on_uvloop(kind: str) -> None:
    uvloop = pytest.importorskip("uvloop")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for seed in range(100):
            schedule = Schedule(kind, seed)
            try:
                runner.run(schedule.run())
                schedule.check()
            except BaseException as error:
                error.add_note(f"Schedule({kind!r}, {seed})")
                raise
