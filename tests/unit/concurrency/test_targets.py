from __future__ import annotations

import asyncio
from typing import Any

import pytest

from wfrun.concurrency.byte_channel import ByteChannel
from wfrun.concurrency.channel import Channel, ChannelMode
from wfrun.concurrency.errors import ChannelClosed, ChannelTimeout, EndOfChannel, Unsupported, WouldBlock
from wfrun.concurrency.priority import PriorityChannel
from wfrun.concurrency.targets import AnyioChannels, AsyncioChannels, ChannelTarget, WfrunChannels

TARGETS = [WfrunChannels(), AsyncioChannels(), AnyioChannels()]
FOREIGN = TARGETS[1:]


@pytest.fixture(params=TARGETS, ids=lambda target: target.name)
def target(request: pytest.FixtureRequest) -> ChannelTarget:
    chosen: ChannelTarget = request.param
    return chosen


@pytest.fixture(params=FOREIGN, ids=lambda target: target.name)
def foreign(request: pytest.FixtureRequest) -> ChannelTarget:
    chosen: ChannelTarget = request.param
    return chosen


# What every target does


async def test_items_pass_in_order_and_the_channel_ends(target: ChannelTarget) -> None:
    channel = target.create(3)

    async def produce() -> None:
        for number in range(50):
            await channel.send(number)
        channel.close()

    producing = asyncio.create_task(produce())

    assert [number async for number in channel] == list(range(50))
    await producing
    assert channel.closed
    assert len(channel) == 0
    with pytest.raises(EndOfChannel):
        await channel.receive()


@pytest.mark.parametrize("capacity", [1, 5])
async def test_several_senders_and_receivers_get_everything_across_once(target: ChannelTarget, capacity: int) -> None:
    channel = target.create(capacity)
    received: list[int] = []

    async def produce(first: int) -> None:
        for number in range(first, first + 20):
            await channel.send(number)

    async def consume() -> None:
        async for number in channel:
            received.append(number)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as consumers:
        for _ in range(3):
            consumers.create_task(consume())
        async with asyncio.TaskGroup() as producers:
            for first in (0, 20, 40):
                producers.create_task(produce(first))
        channel.close()

    assert sorted(received) == list(range(60))


async def test_a_full_channel_holds_senders_back(target: ChannelTarget) -> None:
    channel = target.create(1)
    channel.try_send(1)

    with pytest.raises(WouldBlock):
        channel.try_send(2)
    with pytest.raises(ChannelTimeout):
        await channel.send(2, timeout_s=0.001)

    assert len(channel) == 1
    assert channel.capacity == 1


async def test_an_empty_channel_holds_receivers_back(target: ChannelTarget) -> None:
    channel = target.create(1)

    with pytest.raises(WouldBlock):
        channel.try_receive()
    with pytest.raises(ChannelTimeout):
        await channel.receive(timeout_s=0.001)


async def test_a_closed_channel_refuses_items_and_gives_out_the_rest(target: ChannelTarget) -> None:
    channel = target.create(5)
    await channel.send("last")

    channel.close()

    with pytest.raises(ChannelClosed):
        await channel.send("late")
    with pytest.raises(ChannelClosed):
        channel.try_send("late")
    assert channel.try_receive() == "last"
    with pytest.raises(EndOfChannel):
        channel.try_receive()


async def test_closing_ends_those_who_wait(target: ChannelTarget) -> None:
    channel = target.create(1)
    receivers = [asyncio.create_task(channel.receive()) for _ in range(3)]
    await asyncio.sleep(0)

    channel.close()

    ends = await asyncio.gather(*receivers, return_exceptions=True)
    assert [type(end) for end in ends] == [EndOfChannel] * 3


async def test_an_unbounded_channel_takes_any_number(target: ChannelTarget) -> None:
    channel = target.create(None)

    for number in range(2000):
        channel.try_send(number)

    assert len(channel) == 2000
    assert channel.capacity is None


# What only ours does


async def test_ours_are_the_channels_of_this_package() -> None:
    ours = WfrunChannels()

    assert type(ours.create(5, mode=ChannelMode.SPSC, name="orders")) is Channel
    assert type(ours.create_bytes(5, weigh=len)) is ByteChannel
    assert type(ours.create_bytes(5)) is ByteChannel
    assert type(ours.create_priority(5, priority=len)) is PriorityChannel


async def test_ours_select() -> None:
    channel = WfrunChannels().create(1)

    chosen = await WfrunChannels().select(channel.sending("x"))  # type: ignore[attr-defined]

    assert chosen.item == "x"


@pytest.mark.parametrize("mode", [ChannelMode.SPSC, ChannelMode.MPSC])
def test_modes_that_are_not_enforced_are_refused_by_name(foreign: ChannelTarget, mode: ChannelMode) -> None:
    with pytest.raises(Unsupported, match=f"{foreign.name} has no {mode.name} mode"):
        foreign.create(1, mode=mode)


def test_a_bound_in_bytes_is_refused_by_name(foreign: ChannelTarget) -> None:
    with pytest.raises(Unsupported, match=f"{foreign.name} has no channel bounded by bytes"):
        foreign.create_bytes(100)


def test_priorities_are_refused_by_name(foreign: ChannelTarget) -> None:
    with pytest.raises(Unsupported, match=f"{foreign.name} has no channel with priorities"):
        foreign.create_priority(100, priority=len)


async def test_a_select_is_refused_by_name(foreign: ChannelTarget) -> None:
    with pytest.raises(Unsupported, match=f"{foreign.name} has no select"):
        await foreign.select()


async def test_batches_and_counts_are_refused_by_name(foreign: ChannelTarget) -> None:
    channel: Any = foreign.create(1)

    for operation in (channel.batches, channel.statistics):
        with pytest.raises(Unsupported, match=f"{foreign.name} has no "):
            operation()
    with pytest.raises(Unsupported, match=f"{foreign.name} has no batches"):
        await channel.send_many([1])
    with pytest.raises(Unsupported, match=f"{foreign.name} has no batches"):
        await channel.receive_many()
