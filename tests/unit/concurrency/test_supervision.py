"""Supervision: one for one, bounded, and stopped cleanly."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from wfrun.clock import ManualClock, settle
from wfrun.concurrency.retrying import RetryPolicy
from wfrun.concurrency.supervision import RestartsExceeded, SupervisionEventKind, Supervisor
from wfrun.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

STARTED, CRASHED = SupervisionEventKind.STARTED, SupervisionEventKind.CRASHED
RESTARTED, FINISHED = SupervisionEventKind.RESTARTED, SupervisionEventKind.FINISHED
STOPPED, GAVE_UP = SupervisionEventKind.STOPPED, SupervisionEventKind.GAVE_UP


def crashes_first(times: int) -> Callable[[], Awaitable[None]]:
    """Return a child whose first ``times`` starts crash."""
    starts = iter(range(1, times + 1))

    async def child() -> None:
        start = next(starts, None)
        if start is not None:
            raise ValueError(start)

    return child


async def waits() -> None:
    await asyncio.Event().wait()


def kinds(supervisor: Supervisor, child: str) -> list[SupervisionEventKind]:
    return [event.kind for event in supervisor.events if event.child == child]


async def test_a_crashed_child_is_started_again() -> None:
    supervisor = Supervisor(clock=ManualClock())
    supervisor.add("worker", crashes_first(2))

    await supervisor.run()

    assert kinds(supervisor, "worker") == [STARTED, CRASHED, RESTARTED, CRASHED, RESTARTED, FINISHED]


async def test_siblings_do_not_notice_a_crash() -> None:
    supervisor = Supervisor(clock=ManualClock())
    supervisor.add("crashes", crashes_first(1))
    supervisor.add("works", crashes_first(0))

    await supervisor.run()

    assert kinds(supervisor, "works") == [STARTED, FINISHED]


async def test_of_four_groups_only_the_crashed_worker_is_restarted() -> None:
    supervisor = Supervisor(clock=ManualClock())
    starts: Counter[tuple[str, int]] = Counter()

    def worker(group: str) -> Callable[[int], Awaitable[None]]:
        async def work(number: int) -> None:
            starts[group, number] += 1
            if (group, number) == ("c", 2) and starts[group, number] == 1:
                raise ValueError

        return work

    for group in "abcd":
        supervisor.add_group(group, worker(group), workers=4)
    await supervisor.run()

    assert len(starts) == 16
    assert {key for key, count in starts.items() if count > 1} == {("c", 2)}
    assert RESTARTED in kinds(supervisor, "c/2")


async def test_one_crash_too_many_ends_it_and_names_the_child_and_its_errors() -> None:
    supervisor = Supervisor(max_restarts=2, clock=ManualClock())
    supervisor.add("bad", crashes_first(100))
    supervisor.add("other", waits)

    with pytest.raises(RestartsExceeded, match=r"'bad' crashed 3 times .* 2 restarts") as raised:
        await supervisor.run()

    assert raised.value.child == "bad"
    assert [error.args for error in raised.value.errors] == [(1,), (2,), (3,)]
    assert raised.value.__cause__ is raised.value.errors[-1]
    assert kinds(supervisor, "bad")[-1] is GAVE_UP
    assert kinds(supervisor, "other") == [STARTED, STOPPED]


async def test_crashes_older_than_the_window_are_forgiven() -> None:
    clock = ManualClock()
    supervisor = Supervisor(max_restarts=1, within_s=10, clock=clock)

    async def crashes_every_ten_seconds() -> None:
        await clock.sleep(10)
        raise ValueError

    supervisor.add("worker", crashes_every_ten_seconds)
    task = asyncio.create_task(supervisor.run())
    await clock.advance(100)

    assert not task.done()
    assert kinds(supervisor, "worker").count(CRASHED) == 10
    supervisor.stop()
    await task


async def test_backoff_waits_longer_after_each_crash_in_the_window() -> None:
    clock = ManualClock()
    supervisor = Supervisor(max_restarts=3, backoff=RetryPolicy(base_delay_s=1, factor=2), clock=clock)
    supervisor.add("worker", crashes_first(3))

    task = asyncio.create_task(supervisor.run())
    await clock.advance(60)
    await task

    assert [event.at_s for event in supervisor.events if event.kind is RESTARTED] == [1, 3, 7]


async def test_stop_ends_all_children_without_an_error() -> None:
    supervisor = Supervisor()
    supervisor.add_group("worker", lambda _: waits(), workers=3)
    task = asyncio.create_task(supervisor.run())
    await settle()

    supervisor.stop()
    await task

    assert [kinds(supervisor, f"worker/{number}") for number in range(3)] == [[STARTED, STOPPED]] * 3


async def test_stop_interrupts_a_backoff() -> None:
    clock = ManualClock()
    supervisor = Supervisor(backoff=RetryPolicy(base_delay_s=10), clock=clock)
    supervisor.add("worker", crashes_first(1))
    task = asyncio.create_task(supervisor.run())
    await settle()

    supervisor.stop()
    await task

    assert RESTARTED not in kinds(supervisor, "worker")


async def test_cancelling_leaves_no_child_behind() -> None:
    before = asyncio.all_tasks()
    supervisor = Supervisor()
    supervisor.add("worker", waits)
    task = asyncio.create_task(supervisor.run())
    await settle()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert asyncio.all_tasks() == before


async def test_a_child_is_given_the_time_its_clean_up_takes() -> None:
    cleaned = []
    supervisor = Supervisor()

    async def child() -> None:
        try:
            await waits()
        finally:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            cleaned.append("child")

    supervisor.add("worker", child)
    task = asyncio.create_task(supervisor.run())
    await settle()
    supervisor.stop()
    await task

    assert cleaned == ["child"]


async def test_an_error_while_stopping_is_recorded() -> None:
    supervisor = Supervisor()

    async def child() -> None:
        try:
            await waits()
        finally:
            raise ValueError("in the clean-up")

    supervisor.add("worker", child)
    task = asyncio.create_task(supervisor.run())
    await settle()
    supervisor.stop()
    await task

    assert str(supervisor.events[-1].error) == "in the clean-up"


async def test_a_child_cancelled_by_somebody_else_has_crashed() -> None:
    supervisor = Supervisor(clock=ManualClock())
    starts = []

    async def child() -> None:
        starts.append(asyncio.current_task())
        if len(starts) == 1:
            await waits()

    supervisor.add("worker", child)
    task = asyncio.create_task(supervisor.run())
    await settle()
    victim = starts[0]
    assert victim is not None
    victim.cancel()
    await task

    assert kinds(supervisor, "worker") == [STARTED, CRASHED, RESTARTED, FINISHED]


async def test_a_child_added_later_starts_at_once() -> None:
    supervisor = Supervisor()
    supervisor.add("first", waits)
    task = asyncio.create_task(supervisor.run())
    await settle()

    supervisor.add("second", waits)
    await settle()

    assert kinds(supervisor, "second") == [STARTED]
    supervisor.stop()
    await task


async def test_supervisors_nest() -> None:
    """When the inner one gives up, the outer one starts it again with all its children."""
    inner = Supervisor(max_restarts=0, clock=ManualClock())
    inner.add("child", crashes_first(1))
    outer = Supervisor(clock=ManualClock())
    outer.add("group", inner.run)

    await outer.run()

    assert kinds(outer, "group") == [STARTED, CRASHED, RESTARTED, FINISHED]
    assert isinstance(outer.events[1].error, RestartsExceeded)


async def test_two_children_of_one_name_are_refused() -> None:
    supervisor = Supervisor()
    supervisor.add("worker", waits)

    with pytest.raises(UsageError, match="'worker' is here already"):
        supervisor.add("worker", waits)


async def test_a_supervisor_runs_once_at_a_time() -> None:
    supervisor = Supervisor()
    supervisor.add("worker", waits)
    task = asyncio.create_task(supervisor.run())
    await settle()

    with pytest.raises(UsageError, match="runs already"):
        await supervisor.run()

    supervisor.stop()
    await task
