"""Reordering: whoever finishes first, outputs leave in the order of the tickets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.clock import settle
from wfrun.concurrency.channel import Channel
from wfrun.concurrency.inbox import IterableInbox
from wfrun.concurrency.reorder import ReorderBuffer


@given(st.permutations(range(8)), st.integers(1, 4))
def test_outputs_leave_in_ticket_order_however_they_finish(finishing: list[int], capacity: int) -> None:
    async def scenario() -> list[Any]:
        outbox = Channel[Any](capacity)
        order = ReorderBuffer(outbox, window=8)
        inbox = IterableInbox(range(8))
        for ticket in range(8):
            assert await order.take(inbox, 1) == (ticket, [ticket])

        async def finish_all() -> None:
            async with asyncio.TaskGroup() as group:
                for ticket in finishing:
                    group.create_task(order.finish(ticket, [ticket, ticket] if ticket % 3 else []))
            outbox.close()

        task = asyncio.create_task(finish_all())
        received = [item async for item in outbox]
        await task
        return received

    assert asyncio.run(scenario()) == [ticket for ticket in range(8) if ticket % 3 for _ in range(2)]


async def test_no_more_tickets_are_out_than_the_window_allows() -> None:
    order = ReorderBuffer(Channel[Any](10), window=2)
    inbox = IterableInbox(range(8))
    (first, _), (second, _) = await order.take(inbox, 1), await order.take(inbox, 1)
    third = asyncio.create_task(order.take(inbox, 1))
    await order.finish(second, ["second"])
    await settle()
    assert not third.done()

    await order.finish(first, ["first"])

    assert await third == (2, [2])


async def test_tickets_number_the_items_even_if_several_wait_for_them() -> None:
    """Of receivers that wait at once, one may go on before another whose item is older."""
    inbox = Channel[int](10)
    order = ReorderBuffer(Channel[Any](100), window=100)
    taken: list[tuple[int, list[Any]]] = []

    async def worker() -> None:
        taken.extend([await order.take(inbox, 1) for _ in range(5)])

    workers = [asyncio.create_task(worker()) for _ in range(4)]
    await settle()
    for item in range(20):
        await inbox.send(item)
        if item % 3 == 0:
            await asyncio.sleep(0)
    await asyncio.gather(*workers)

    assert sorted(taken) == [(number, [number]) for number in range(20)]


async def test_a_streaming_ticket_waits_until_it_is_due() -> None:
    outbox = Channel[Any](10)
    order = ReorderBuffer(outbox, window=2)
    inbox = IterableInbox(range(8))
    (first, _), (second, _) = await order.take(inbox, 1), await order.take(inbox, 1)
    streaming = asyncio.create_task(order.stream(second, ["early part"]))
    await settle()
    assert not streaming.done()

    await order.finish(first, ["first"])
    await streaming
    await order.finish(second, ["rest"])

    assert outbox.drain() == ["first", "early part", "rest"]


async def test_a_cancelled_streaming_ticket_holds_up_nobody_before_it() -> None:
    outbox = Channel[Any](10)
    order = ReorderBuffer(outbox, window=2)
    inbox = IterableInbox(range(8))
    (first, _), (second, _) = await order.take(inbox, 1), await order.take(inbox, 1)
    streaming = asyncio.create_task(order.stream(second, ["never"]))
    await settle()
    streaming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await streaming

    await order.finish(first, ["first"])

    assert outbox.drain() == ["first"]


@pytest.mark.parametrize("cancelled", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 2)])
@pytest.mark.parametrize("same_tick", [True, False])
async def test_cancelled_takers_neither_lose_an_input_nor_hold_up_the_others(
    cancelled: tuple[int, ...], same_tick: bool
) -> None:
    inbox = Channel[int](10)
    order = ReorderBuffer(Channel[Any](10), window=4)
    takers = [asyncio.create_task(order.take_one(inbox)) for _ in range(4)]
    await settle()
    if same_tick:
        await inbox.send_many([0, 1, 2, 3])
    for number in cancelled:
        takers[number].cancel()
        await asyncio.sleep(0)
    if not same_tick:
        await inbox.send_many([0, 1, 2, 3])
    await settle()

    results = [taker.result() for taker in takers if taker.done() and not taker.cancelled()]
    assert sorted(results) == [(number, number) for number in range(len(results))]
    assert len(results) >= 4 - len(cancelled)
    assert inbox.drain() == list(range(len(results), 4))
    assert all(taker.done() for taker in takers)
