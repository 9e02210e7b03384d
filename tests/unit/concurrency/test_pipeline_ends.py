"""Pipelines that fail, are cancelled or are left early: the error says where, and no task stays behind."""

from __future__ import annotations

import asyncio
import gc
import itertools
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.clock import settle
from wfrun.concurrency.channel import Channel
from wfrun.concurrency.errors import ChannelClosed, ModeViolation
from wfrun.concurrency.pipeline import Pipeline, SourceFailed, Stage, StageFailed
from wfrun.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


def plus_one(item: int) -> int:
    return item + 1


async def plus_one_later(item: int) -> int:
    await asyncio.sleep(0)
    return item + 1


async def counted(most: int) -> AsyncIterator[int]:
    for item in range(most):
        await asyncio.sleep(0)
        yield item


async def nobody_left(before: set[asyncio.Task[Any]]) -> None:
    await settle()
    assert asyncio.all_tasks() == before


def bad_at_five(item: int) -> int:
    if item == 5:
        raise ValueError(item)
    return item


async def bad_at_five_later(item: int) -> int:
    await asyncio.sleep(0)
    return bad_at_five(item)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("function", [bad_at_five, bad_at_five_later])
@pytest.mark.parametrize("make", [Stage.map, Stage.filter, Stage.flat_map])
async def test_an_error_names_stage_and_item_and_leaves_nothing(make: Any, function: Any, workers: int) -> None:
    before = asyncio.all_tasks()
    pipeline = Pipeline([lambda item: item, make(function, workers=workers, name="picky"), plus_one_later])
    items = [5] if make == Stage.flat_map else [*range(1, 100)]

    with pytest.raises(StageFailed, match=r"stage 'picky' failed on item 5: ValueError\(5\)") as raised:
        await pipeline.collect(items)

    assert (raised.value.stage, raised.value.item) == ("picky", 5)
    assert isinstance(raised.value.__cause__, ValueError)
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("make", [Stage.map, Stage.filter, Stage.flat_map])
@pytest.mark.parametrize("at", [0, 5, 6, 99])
async def test_stop_iteration_is_an_error_like_any_other(make: Any, at: int) -> None:
    """A function such as ``next`` may leak it, and whatever iterates over the function would take it for the end."""

    def leaks(item: int) -> list[int]:
        if item == at:
            raise StopIteration
        return [item]

    with pytest.raises(StageFailed) as raised:
        await Pipeline([make(leaks)]).collect(range(100))

    assert raised.value.item == at


async def test_an_error_in_a_generator_of_a_flat_map_names_the_item() -> None:
    def half(item: int) -> Iterator[int]:
        yield item
        raise ValueError

    with pytest.raises(StageFailed, match="on item 7"):
        await Pipeline([Stage.flat_map(half)]).collect([7])


async def test_a_cancellation_that_leaks_from_a_function_is_an_error() -> None:
    """Taken for the end of the worker, it would end the results early and call that complete."""

    async def leaks(item: int) -> int:
        if item == 3:
            inner = asyncio.create_task(asyncio.Event().wait())
            inner.cancel()
            await inner
        return item

    with pytest.raises(StageFailed, match="on item 3"):
        await Pipeline([leaks]).collect(range(10))


async def test_a_worker_cancelled_by_somebody_else_is_an_error() -> None:
    victim: list[asyncio.Task[Any] | None] = []

    async def waits(item: int) -> int:
        victim.append(asyncio.current_task())
        await asyncio.Event().wait()
        return item

    task = asyncio.create_task(Pipeline([waits]).collect([1]))
    await settle()
    assert victim[0] is not None
    victim[0].cancel()

    with pytest.raises(StageFailed, match="waits"):
        await task


async def test_an_error_of_the_source_is_told() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise ValueError("dry")

    async def async_source() -> AsyncIterator[int]:
        yield 1
        raise ValueError("dry")

    for pipeline in (Pipeline([]), Pipeline([plus_one]), Pipeline([plus_one_later])):
        with pytest.raises(SourceFailed, match="dry"):
            await pipeline.collect(source())
        with pytest.raises(SourceFailed, match="dry"):
            await pipeline.collect(async_source())


async def test_the_error_comes_once_and_then_the_end() -> None:
    run = Pipeline([bad_at_five]).run([5])

    with pytest.raises(StageFailed):
        await anext(run)
    with pytest.raises(StopAsyncIteration):
        await anext(run)


async def test_an_error_closes_the_channel_it_came_from_so_that_senders_learn() -> None:
    source = Channel[int](1)

    async def send() -> None:
        for item in itertools.count():
            await source.send(item)

    sender = asyncio.create_task(send())
    with pytest.raises(StageFailed):
        await Pipeline([bad_at_five_later], capacity=2).collect(source)

    with pytest.raises(ChannelClosed):
        await sender


# How it is left


async def test_cancelling_the_consumer_leaves_nothing_behind() -> None:
    before = asyncio.all_tasks()
    closed = []

    async def source() -> AsyncIterator[int]:
        try:
            for item in itertools.count():
                yield item
        finally:
            closed.append("source")

    async def waits(item: int) -> int:
        await asyncio.Event().wait()
        return item

    task = asyncio.create_task(Pipeline([plus_one, waits], capacity=2).collect(source()))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert asyncio.all_tasks() == before
    assert closed == ["source"]


@given(turns=st.integers(0, 60), workers=st.integers(1, 3))
def test_whenever_it_is_cancelled_nothing_is_left(turns: int, workers: int) -> None:
    async def scenario() -> None:
        before = asyncio.all_tasks()
        stages = [Stage.map(plus_one), Stage.map(plus_one_later, workers=workers), Stage.batch(2)]
        task = asyncio.create_task(Pipeline(stages, capacity=2).collect(counted(30)))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert asyncio.all_tasks() == before

    asyncio.run(scenario())


async def test_leaving_the_block_early_waits_until_all_tasks_have_ended() -> None:
    before = asyncio.all_tasks()

    async with Pipeline([plus_one_later]).run(itertools.count()) as run:
        async for item in run:
            if item == 10:
                break

    assert asyncio.all_tasks() == before
    assert [item async for item in run] == []


async def test_an_iterator_that_is_dropped_stops_its_tasks() -> None:
    before = asyncio.all_tasks()

    async for item in Pipeline([plus_one_later]).run(itertools.count()):
        if item == 10:
            break
    del item
    gc.collect()

    await nobody_left(before)


async def test_a_run_that_never_began_leaves_nothing() -> None:
    run = Pipeline([plus_one]).run(range(10))

    await run.aclose()

    assert [item async for item in run] == []


async def test_a_second_consumer_is_refused_and_the_first_goes_on() -> None:
    source = Channel[int](10)
    run = Pipeline([plus_one]).run(source)
    first = asyncio.ensure_future(anext(run))
    await settle()

    with pytest.raises(ModeViolation):
        await anext(run)

    await source.send(1)
    assert await first == 2
    await run.aclose()


async def test_a_function_that_swallows_cancellation_cannot_keep_it_alive() -> None:
    before = asyncio.all_tasks()

    async def stubborn(item: int) -> int:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return item
        return item

    run = Pipeline([stubborn]).run(itertools.count())
    task = asyncio.ensure_future(anext(run))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)

    assert asyncio.all_tasks() == before


# What is refused


async def test_what_is_no_source_is_refused() -> None:
    with pytest.raises(UsageError, match="no source"):
        Pipeline([]).run(5)  # type: ignore[arg-type]


def test_numbers_that_would_stand_still_are_refused() -> None:
    with pytest.raises(UsageError):
        Pipeline([], capacity=0)
    with pytest.raises(UsageError):
        Stage.map(plus_one, workers=0)
    with pytest.raises(UsageError):
        Stage.batch(0)
