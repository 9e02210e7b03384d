"""Groups of tasks: none is left behind, and no error is."""

from __future__ import annotations

import asyncio

import pytest

from wfrun.clock import settle
from wfrun.concurrency.groups import collect_errors, fail_fast


async def fails(error: Exception) -> None:
    await asyncio.sleep(0)
    raise error


async def test_fail_fast_cancels_the_others_at_the_first_error() -> None:
    async def waits() -> None:
        await asyncio.Event().wait()

    others = []

    async def block() -> None:
        async with fail_fast() as group:
            others.append(group.create_task(waits()))
            _ = group.create_task(fails(ValueError("first")))

    with pytest.raises(ExceptionGroup) as raised:
        await block()

    assert [str(error) for error in raised.value.exceptions] == ["first"]
    assert others[0].cancelled()


async def test_fail_fast_closes_a_coroutine_that_comes_too_late() -> None:
    """A coroutine that is never awaited would warn, and warnings fail."""
    async with fail_fast() as group:
        pass

    with pytest.raises(RuntimeError):
        _ = group.create_task(fails(ValueError()))


async def test_collecting_lets_every_task_end() -> None:
    ended = []

    async def slow() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        ended.append("slow")

    async def block() -> None:
        async with collect_errors() as group:
            _ = group.create_task(fails(ValueError("one")))
            _ = group.create_task(slow())

    with pytest.raises(ExceptionGroup):
        await block()

    assert ended == ["slow"]


async def test_collected_errors_are_in_the_order_they_happened_and_name_their_task() -> None:
    gate = asyncio.Event()

    async def late() -> None:
        await gate.wait()
        raise KeyError("late")

    async def early() -> None:
        gate.set()
        raise ValueError("early")

    async with collect_errors(raise_at_exit=False) as group:
        _ = group.create_task(late(), name="the late one")
        _ = group.create_task(early(), name="the early one")

    assert [type(error) for error in group.errors] == [ValueError, KeyError]
    assert group.errors[0].__notes__ == ["in task 'the early one'"]


async def test_taken_errors_are_not_raised() -> None:
    async with collect_errors() as group:
        task = group.create_task(fails(ValueError("taken")))
        await asyncio.wait([task])
        taken = group.take_errors()

    assert [str(error) for error in taken] == ["taken"]
    assert group.take_errors() == ()
    assert len(group.errors) == 1


async def test_only_errors_that_nobody_took_are_raised() -> None:
    async def block() -> None:
        async with collect_errors() as group:
            await asyncio.wait([group.create_task(fails(ValueError("taken")))])
            group.take_errors()
            _ = group.create_task(fails(ValueError("left")))

    with pytest.raises(ExceptionGroup) as raised:
        await block()

    assert [str(error) for error in raised.value.exceptions] == ["left"]


async def test_an_error_of_the_block_cancels_the_tasks_and_goes_on_alone() -> None:
    tasks = []

    async def block() -> None:
        async with collect_errors() as group:
            tasks.append(group.create_task(asyncio.Event().wait()))
            await asyncio.sleep(0)
            raise LookupError

    with pytest.raises(LookupError):
        await block()

    assert tasks[0].cancelled()


async def test_an_error_of_the_block_is_joined_by_those_of_the_tasks() -> None:
    async def block() -> None:
        async with collect_errors() as group:
            await asyncio.wait([group.create_task(fails(ValueError()))])
            raise LookupError

    with pytest.raises(ExceptionGroup) as raised:
        await block()

    assert [type(error) for error in raised.value.exceptions] == [LookupError, ValueError]


async def test_cancelling_the_holder_leaves_no_task_behind() -> None:
    inner: list[asyncio.Task[object]] = []

    async def holder() -> None:
        async with collect_errors() as group:
            inner.append(group.create_task(asyncio.Event().wait()))

    task = asyncio.create_task(holder())
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert inner[0].cancelled()


async def test_cancelling_twice_still_waits_for_a_slow_clean_up() -> None:
    cleaned = asyncio.Event()
    started = asyncio.Event()

    async def stubborn() -> None:
        try:
            started.set()
            await asyncio.Event().wait()
        finally:
            for _ in range(3):
                try:
                    await asyncio.sleep(0)
                except asyncio.CancelledError:
                    continue
            cleaned.set()

    async def holder() -> None:
        async with collect_errors() as group:
            _ = group.create_task(stubborn())

    task = asyncio.create_task(holder())
    await started.wait()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert cleaned.is_set()


async def test_a_task_may_start_another_while_the_group_ends() -> None:
    results = []

    async def second() -> None:
        results.append("second")

    async with collect_errors() as group:

        async def first() -> None:
            await asyncio.sleep(0)
            _ = group.create_task(second())

        _ = group.create_task(first())

    assert results == ["second"]


async def test_an_ended_group_takes_no_task() -> None:
    async with collect_errors() as group:
        pass

    with pytest.raises(RuntimeError, match="inside its"):
        _ = group.create_task(fails(ValueError()))
