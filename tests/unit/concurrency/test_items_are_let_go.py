"""A channel keeps nothing of what went through it: large objects are gone as soon as their receiver drops them."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from wfrun.concurrency.byte_channel import ByteChannel
from wfrun.concurrency.channel import Channel
from wfrun.concurrency.priority import PriorityChannel

if TYPE_CHECKING:
    from collections.abc import Iterator


class Item:
    pass


def alive(items: list[weakref.ref[Item]]) -> int:
    return sum(item() is not None for item in items)


@pytest.fixture(autouse=True)
def _without_garbage_collection() -> Iterator[None]:
    """What only the collector frees is there for too long, and its size tells the collector nothing."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize(
    "channel",
    [Channel(1), Channel(10), ByteChannel(10, weigh=lambda _: 1), PriorityChannel(10, priority=lambda _: 1)],
    ids=repr,
)
async def test_items_that_waited_with_their_sender_or_were_handed_over_are_let_go(channel: Channel[Any]) -> None:
    sent: list[weakref.ref[Item]] = []

    async def send() -> None:
        for _ in range(100):
            item = Item()
            sent.append(weakref.ref(item))
            await channel.send(item)
        channel.close()

    sender = asyncio.create_task(send())
    received = 0
    async for item in channel:
        received += 1
        del item
        # Every other time the receiver comes late, so that the sender has to wait.
        for _ in range(received % 2 * 3):
            await asyncio.sleep(0)
    await sender

    assert received == 100
    assert alive(sent) == 0


async def test_an_item_that_came_back_from_a_cancelled_receiver_is_let_go() -> None:
    channel = Channel[Any](10)
    receiver = asyncio.create_task(channel.receive())
    await asyncio.sleep(0)
    item: Any = Item()
    sent = [weakref.ref(item)]

    await channel.send(item)
    receiver.cancel()
    await asyncio.wait([receiver])
    del item, receiver
    await channel.receive()

    assert alive(sent) == 0
