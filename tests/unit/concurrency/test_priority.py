from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.concurrency.errors import InvalidMeasure
from wfrun.concurrency.priority import PriorityChannel


def first(item: tuple[int, Any]) -> int:
    return item[0]


@given(st.lists(st.integers(-3, 3), max_size=50))
def test_items_come_out_lowest_number_first_and_equal_ones_in_the_order_sent(numbers: list[int]) -> None:
    channel = PriorityChannel[tuple[int, int]](None, priority=first)
    sent = [(number, order) for order, number in enumerate(numbers)]
    for item in sent:
        channel.try_send(item)

    assert channel.drain() == sorted(sent)


async def test_items_that_cannot_be_compared_may_have_equal_priorities() -> None:
    channel = PriorityChannel[object](None, priority=lambda _: 1)

    await channel.send_many([object(), object(), {}])

    assert len(await channel.receive_many()) == 3


async def test_what_was_handed_over_stays_where_it_is_when_something_more_urgent_comes() -> None:
    channel = PriorityChannel[tuple[int, str]](5, priority=first)
    receiving = asyncio.create_task(channel.receive())
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    channel.try_send((5, "routine"))
    channel.try_send((1, "urgent"))

    assert await receiving == (5, "routine")
    assert await channel.receive() == (1, "urgent")


async def test_an_item_that_comes_back_finds_its_place() -> None:
    channel = PriorityChannel[tuple[int, str]](5, priority=first)
    receiving = asyncio.create_task(channel.receive())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for item in ((2, "back"), (2, "later"), (1, "urgent")):
        channel.try_send(item)

    receiving.cancel()
    await asyncio.gather(receiving, return_exceptions=True)

    assert channel.drain() == [(1, "urgent"), (2, "back"), (2, "later")]


async def test_senders_that_wait_are_let_in_in_the_order_of_their_arrival() -> None:
    channel = PriorityChannel[tuple[int, str]](1, priority=first)
    await channel.send((5, "inside"))
    senders = [asyncio.create_task(channel.send(item)) for item in ((9, "came first"), (1, "urgent"))]
    await asyncio.sleep(0)

    received = [await channel.receive() for _ in range(3)]

    assert received == [(5, "inside"), (9, "came first"), (1, "urgent")]
    await asyncio.gather(*senders)


@pytest.mark.parametrize("priority", [math.nan, "high", None])
async def test_a_priority_that_is_no_number_is_refused(priority: Any) -> None:
    channel = PriorityChannel[str](3, priority=lambda _: priority, name="orders")

    with pytest.raises(
        InvalidMeasure, match=r"'orders' gave an item of type str the priority .* a priority is a number"
    ):
        await channel.send("x")

    assert len(channel) == 0


async def test_infinite_priorities_are_first_and_last() -> None:
    channel = PriorityChannel[float](3, priority=lambda item: item)

    await channel.send_many([math.inf, 0, -math.inf])

    assert channel.drain() == [-math.inf, 0, math.inf]
