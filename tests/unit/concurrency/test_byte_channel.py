from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.concurrency.byte_channel import ByteChannel, size_bytes
from wfrun.concurrency.errors import InvalidCapacity, InvalidMeasure, WouldBlock


async def turns() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_senders_wait_while_the_item_would_exceed_the_capacity() -> None:
    channel = ByteChannel[bytes](10)
    await channel.send(b"123456")

    with pytest.raises(WouldBlock):
        channel.try_send(b"12345")
    channel.try_send(b"1234")

    assert channel.statistics().buffered_bytes == 10


async def test_an_item_heavier_than_the_capacity_passes_alone() -> None:
    channel = ByteChannel[bytes](10)
    await channel.send(b"1")
    heavy = asyncio.create_task(channel.send(bytes(50)))
    await turns()
    assert not heavy.done()

    assert await channel.receive() == b"1"
    await heavy

    with pytest.raises(WouldBlock):
        channel.try_send(b"")
    assert await channel.receive() == bytes(50)


async def test_light_items_do_not_overtake_a_heavy_one_that_waits() -> None:
    channel = ByteChannel[bytes](10)
    await channel.send(b"12345")
    heavy = asyncio.create_task(channel.send(bytes(8)))
    await turns()

    with pytest.raises(WouldBlock):
        channel.try_send(b"1")
    light = asyncio.create_task(channel.send(b"1"))

    assert [await channel.receive() for _ in range(3)] == [b"12345", bytes(8), b"1"]
    await asyncio.gather(heavy, light)


async def test_one_receive_of_a_heavy_item_lets_several_light_ones_in() -> None:
    channel = ByteChannel[bytes](10)
    await channel.send(bytes(10))
    senders = [asyncio.create_task(channel.send(bytes(5))) for _ in range(3)]
    await turns()

    await channel.receive()
    await turns()

    assert [sender.done() for sender in senders] == [True, True, False]
    await channel.receive()
    await senders[2]


async def test_statistics_count_items_and_bytes() -> None:
    channel = ByteChannel[bytes](100)
    for size in (10, 20, 30):
        await channel.send(bytes(size))
    await channel.receive()

    statistics = channel.statistics()

    assert (statistics.sent, statistics.received, statistics.buffered, statistics.high_water_mark) == (3, 1, 2, 3)
    assert (statistics.buffered_bytes, statistics.high_water_mark_bytes) == (50, 60)


async def test_a_waiting_batch_is_handed_no_more_than_the_capacity() -> None:
    channel = ByteChannel[bytes](10)
    receiving = asyncio.create_task(channel.receive_many())
    await turns()

    sending = asyncio.create_task(channel.send_many([bytes(4)] * 6))
    await asyncio.sleep(0)

    assert channel.statistics().received == 2
    assert channel.statistics().buffered_bytes == 8
    assert len(await receiving) == 4
    await sending


async def test_an_item_is_weighed_once() -> None:
    weighed: list[str] = []

    def weigh(item: str) -> int:
        weighed.append(item)
        return len(item)

    channel = ByteChannel[str](3, weigh=weigh)
    await channel.send("abc")
    sending = asyncio.create_task(channel.send_many(["de", "f"]))
    await turns()
    await channel.receive_many()
    await sending

    assert weighed == ["abc", "de", "f"]


@pytest.mark.parametrize("weight", [-1, 1.5, "heavy", None])
async def test_a_weight_that_is_no_count_of_bytes_is_refused(weight: Any) -> None:
    channel = ByteChannel[str](3, weigh=lambda _: weight, name="orders")

    with pytest.raises(InvalidMeasure, match=r"'orders' weighed an item of type str at .* a weight is a whole number"):
        await channel.send("x")

    assert len(channel) == 0


async def test_an_error_of_weighing_is_the_senders_and_sends_nothing() -> None:
    channel = ByteChannel[Any](3, weigh=len)

    with pytest.raises(TypeError):
        await channel.send_many(["a", 5])

    assert len(channel) == 0


def test_a_capacity_below_one_is_refused() -> None:
    with pytest.raises(InvalidCapacity, match="capacity_bytes 0 would let nothing through"):
        ByteChannel(0)


def test_the_capacity_is_in_bytes_and_not_in_items() -> None:
    channel = ByteChannel[bytes](1024, name="frames")

    assert (channel.capacity, channel.capacity_bytes) == (None, 1024)
    assert repr(channel) == "<byte channel 'frames' MPMC open 0/1024 bytes>"


def test_bytes_like_objects_weigh_their_content_and_others_what_python_says() -> None:
    assert size_bytes(b"1234") == 4
    assert size_bytes(bytearray(7)) == 7
    assert size_bytes(memoryview(bytes(8)).cast("I")) == 8
    assert size_bytes("text") == sys.getsizeof("text")


@given(weights=st.lists(st.integers(0, 30), max_size=40), capacity=st.integers(1, 40), most=st.integers(1, 10))
def test_the_weight_inside_never_exceeds_the_capacity_but_for_a_single_item(
    weights: list[int], capacity: int, most: int
) -> None:
    async def main() -> None:
        channel = ByteChannel[int](capacity, weigh=lambda item: item)
        sending = asyncio.create_task(channel.send_many(weights))
        received: list[int] = []
        while len(received) < len(weights):
            statistics = channel.statistics()
            assert statistics.buffered_bytes <= capacity or statistics.buffered == 1
            received += await channel.receive_many(most)
        await sending
        assert received == weights
        assert channel.statistics().high_water_mark_bytes <= max(capacity, *weights, 0, 0)

    asyncio.run(main())
