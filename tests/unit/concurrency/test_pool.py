"""Worker pools: every item that was taken is accounted for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.clock import settle
from wfrun.concurrency.channel import Channel, ChannelMode
from wfrun.concurrency.errors import ChannelClosed, ModeViolation
from wfrun.concurrency.pool import ErrorPolicy, ItemFailed, WorkerPool
from wfrun.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable


async def filled(items: Iterable[int]) -> Channel[int]:
    """Return a closed channel that holds ``items``."""
    channel = Channel[int](None)
    for item in items:
        await channel.send(item)
    channel.close()
    return channel


async def doubled(item: int) -> int:
    await asyncio.sleep(0)
    return 2 * item


async def test_every_item_is_handled_and_the_results_end() -> None:
    results = Channel[int](None)

    report = await WorkerPool(doubled, source=await filled(range(100)), results=results, workers=4).run()

    assert report.handled == 100
    assert sorted([item async for item in results]) == [2 * item for item in range(100)]


async def test_a_plain_handler_will_do() -> None:
    results = Channel[int](None)

    await WorkerPool(lambda item: item + 1, source=await filled(range(10)), results=results, workers=2).run()

    assert sorted([item async for item in results]) == list(range(1, 11))


async def test_a_plain_function_that_returns_a_coroutine_is_awaited() -> None:
    results = Channel[int](None)

    await WorkerPool(lambda item: doubled(item), source=await filled([1]), results=results).run()  # noqa: PLW0108

    assert await results.receive() == 2


async def test_workers_share_the_work() -> None:
    running = 0
    most = 0
    everybody = asyncio.Event()

    async def handler(_item: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 3:
            everybody.set()
        await everybody.wait()
        running -= 1

    await WorkerPool(handler, source=await filled(range(3)), workers=3).run()

    assert most == 3


async def fails_on_odd(item: int) -> int:
    await asyncio.sleep(0)
    if item % 2:
        raise ValueError(item)
    return item


async def test_collected_failures_keep_item_and_error() -> None:
    pool = WorkerPool(fails_on_odd, source=await filled(range(10)), workers=3, on_error=ErrorPolicy.COLLECT)

    report = await pool.run()

    assert report.handled == 5
    assert sorted((failure.item, failure.error.args) for failure in report.failures) == [
        (item, (item,)) for item in (1, 3, 5, 7, 9)
    ]


async def test_stopping_at_a_failure_names_the_item_and_closes_the_results() -> None:
    results = Channel[int](None)
    pool = WorkerPool(fails_on_odd, source=await filled([0, 1, 2]), results=results, workers=1, name="crunchers")

    with pytest.raises(ItemFailed, match="crunchers failed on item 1") as raised:
        await pool.run()

    assert isinstance(raised.value.__cause__, ValueError)
    assert raised.value.item == 1
    assert results.closed
    assert [item async for item in results] == [0]


async def test_stopping_keeps_what_other_workers_had_in_hand() -> None:
    both = asyncio.Event()
    source = await filled([0, 1, 2])

    async def handler(item: int) -> None:
        if item == 1:
            both.set()
            raise ValueError
        await both.wait()
        await asyncio.Event().wait()

    pool = WorkerPool(handler, source=source, workers=2)
    with pytest.raises(ItemFailed):
        await pool.run()

    assert pool.report().unfinished == (0,)
    assert len(source) == 1


async def test_an_item_whose_result_found_no_room_is_undelivered() -> None:
    results = Channel[int](1)
    pool = WorkerPool(doubled, source=await filled([1, 2]), results=results, workers=1)
    task = asyncio.create_task(pool.run())
    await settle()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    report = pool.report()
    assert (report.handled, report.undelivered) == (1, ((2, 4),))


@given(turns=st.integers(1, 40), workers=st.integers(1, 4), capacity=st.integers(1, 3))
def test_wherever_it_is_cancelled_no_item_is_lost(turns: int, workers: int, capacity: int) -> None:
    async def scenario() -> None:
        items = list(range(20))
        source = await filled(items)
        results = Channel[int](capacity)
        pool = WorkerPool(doubled, source=source, results=results, workers=workers)
        received: list[int] = []

        async def consume() -> None:
            async for result in results:
                received.append(result)
                await asyncio.sleep(0)

        consumer = asyncio.create_task(consume())
        task = asyncio.create_task(pool.run())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await consumer

        report = pool.report()
        undelivered = [item for item, _ in report.undelivered]
        arrived = [result // 2 for result in received]
        left = source.drain()
        assert sorted({*arrived, *report.unfinished, *undelivered, *left}) == items
        assert len(arrived) == len(set(arrived))
        assert not set(arrived) & {*report.unfinished, *left}
        assert report.handled + len(report.unfinished) + len(undelivered) + len(left) == len(items)

    asyncio.run(scenario())


async def test_a_cancellation_inside_the_handler_is_a_failure_of_the_item() -> None:
    """Taken for the end of the worker, it would let the pool end early and call that success."""

    async def handler(item: int) -> None:
        if item == 0:
            inner = asyncio.create_task(asyncio.Event().wait())
            inner.cancel()
            await inner

    report = await WorkerPool(handler, source=await filled([0, 1]), workers=1, on_error=ErrorPolicy.COLLECT).run()

    assert [failure.item for failure in report.failures] == [0]
    assert report.handled == 1


@pytest.mark.parametrize("answers_with_an_error", [True, False])
async def test_a_handler_that_swallows_cancellation_cannot_keep_the_pool_alive(answers_with_an_error: bool) -> None:
    source = Channel[int](10)
    await source.send_many([1, 2, 3])

    async def handler(_item: int) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if answers_with_an_error:
                raise ValueError from None

    pool = WorkerPool(handler, source=source, workers=1, on_error=ErrorPolicy.COLLECT)
    task = asyncio.create_task(pool.run())
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)

    assert len(source) == 2


async def test_a_closed_results_channel_stops_the_pool() -> None:
    results = Channel[int](10)
    results.close()
    pool = WorkerPool(doubled, source=await filled([1]), results=results, on_error=ErrorPolicy.COLLECT)

    with pytest.raises(ChannelClosed):
        await pool.run()

    assert pool.report().undelivered == ((1, 2),)


async def test_others_run_while_a_plain_handler_has_much_to_do() -> None:
    turns = 0
    done = False

    async def other() -> None:
        nonlocal turns
        while not done:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await WorkerPool(lambda _: sum(range(2000)), source=await filled(range(1000)), workers=1).run()
    done = True
    await task

    assert turns > 3


async def test_more_workers_than_the_channels_allow_are_refused() -> None:
    single = Channel[int](1, mode=ChannelMode.SPSC)

    with pytest.raises(ModeViolation, match="MPMC"):
        WorkerPool(doubled, source=single, workers=2)
    with pytest.raises(ModeViolation, match="MPSC"):
        WorkerPool(doubled, source=Channel[int](1), results=single, workers=2)


def test_a_pool_of_nobody_is_refused() -> None:
    with pytest.raises(UsageError):
        WorkerPool(doubled, source=Channel[int](1), workers=0)
