from __future__ import annotations

import asyncio
import math
import statistics
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wfrun
from wfrun.authoring.context import Context
from wfrun.authoring.workloads import (
    ProcessingPipeline,
    create_processing_pipeline,
    generate_realistic_workload,
    open_load,
    simulate_network_delay,
)
from wfrun.clock import ManualClock, SystemClock
from wfrun.concurrency.channel import Channel, ChannelMode
from wfrun.concurrency.errors import Unsupported
from wfrun.errors import UsageError
from wfrun.virtual_time import VirtualTimeLoop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine


T = TypeVar("T")


def on_virtual_time(main: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


# Work items


def test_the_same_generator_gives_the_same_workload() -> None:
    assert generate_realistic_workload(50, Random(3)) == generate_realistic_workload(50, Random(3))


def test_a_workload_has_as_many_items_as_asked_for_with_ids_from_zero() -> None:
    assert [item.id for item in generate_realistic_workload(5, Random(3))] == [0, 1, 2, 3, 4]


@given(seed=st.integers())
def test_items_are_of_1_kib_to_1_mib_and_of_complexity_1_to_10(seed: int) -> None:
    for item in generate_realistic_workload(20, Random(seed)):
        assert 1024 <= item.size_bytes <= 1024 * 1024
        assert 1 <= item.complexity <= 10


def test_half_of_the_items_are_smaller_than_the_middle_doubling() -> None:
    sizes = [item.size_bytes for item in generate_realistic_workload(4000, Random(3))]

    assert 28 * 1024 < statistics.median(sizes) < 37 * 1024


# Network delays


def test_a_network_delay_takes_the_time_it_returns() -> None:
    async def measured() -> tuple[float, float]:
        before_s = SystemClock().monotonic()
        delay_s = await simulate_network_delay(0.1, 0.2, SystemClock(), Random(5))
        return delay_s, SystemClock().monotonic() - before_s

    delay_s, took_s = on_virtual_time(measured())

    assert 0.1 <= delay_s <= 0.2
    assert took_s == pytest.approx(delay_s)


@pytest.mark.parametrize("bounds", [(0.2, 0.1), (-0.1, 0.1), (math.nan, 1.0)])
async def test_impossible_delays_are_refused(bounds: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match="cannot be"):
        await simulate_network_delay(*bounds, ManualClock(), Random(5))


# Pipelines


async def doubled(item: int) -> int:
    return item * 2


def plus_one(item: int) -> int:
    return item + 1


async def summed(items: AsyncIterator[int]) -> AsyncIterator[int]:
    total = 0
    async for item in items:
        total += item
    yield total


async def test_items_pass_all_stages_in_order() -> None:
    assert await create_processing_pipeline([doubled, plus_one]).run(range(300)) == [2 * i + 1 for i in range(300)]


async def test_a_stage_that_is_a_generator_can_fold_all_items() -> None:
    assert await create_processing_pipeline([doubled, summed]).run(range(300)) == [300 * 299]


async def test_a_source_may_be_asynchronous() -> None:
    async def source() -> AsyncIterator[int]:
        yield 4
        yield 5

    assert await create_processing_pipeline([plus_one]).run(source()) == [5, 6]


async def test_the_channels_hold_100_items_between_one_producer_and_one_consumer() -> None:
    pipeline = create_processing_pipeline([doubled, plus_one, summed])

    assert [channel.capacity for channel in pipeline.channels] == [100, 100, 100]
    assert all(isinstance(channel, Channel) and channel.mode is ChannelMode.SPSC for channel in pipeline.channels)


async def test_the_channels_are_closed_and_empty_in_the_end() -> None:
    pipeline = create_processing_pipeline([doubled, plus_one])

    await pipeline.run(range(10))

    assert [(channel.closed, len(channel)) for channel in pipeline.channels] == [(True, 0), (True, 0)]


async def test_a_slow_last_stage_holds_back_the_first() -> None:
    begun = 0
    permits = asyncio.Semaphore(0)

    async def count(item: int) -> int:
        nonlocal begun
        begun += 1
        return item

    async def wait_for_permit(item: int) -> int:
        await permits.acquire()
        return item

    task = asyncio.create_task(create_processing_pipeline([count, wait_for_permit], capacity=5).run(range(100)))
    for _ in range(200):
        await asyncio.sleep(0)
    begun_while_blocked = begun
    for _ in range(100):
        permits.release()
    await task

    # Five fill the channel, one is in the hands of either stage.
    assert begun_while_blocked == 7
    assert begun == 100


async def test_a_failing_stage_is_named_with_its_item_and_leaves_no_task() -> None:
    def fails_at_7(item: int) -> int:
        if item == 7:
            raise ValueError("seven")
        return item

    pipeline = create_processing_pipeline([doubled, plus_one, fails_at_7])
    with pytest.raises(ExceptionGroup) as caught:
        await pipeline.run(range(1000))

    (error,) = caught.value.exceptions
    assert error.__notes__ == ["in stage 'fails_at_7', on item 7"]
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert all(channel.closed for channel in pipeline.channels)


async def test_a_pipeline_runs_once() -> None:
    pipeline = create_processing_pipeline([plus_one])
    await pipeline.run([1])

    with pytest.raises(UsageError, match="create another"):
        await pipeline.run([2])


def test_a_pipeline_needs_a_stage() -> None:
    with pytest.raises(UsageError, match="at least one"):
        create_processing_pipeline([])


async def test_a_target_without_modes_is_asked_for_ordinary_channels() -> None:
    class Plain:
        def create(
            self, capacity: int | None = 100, *, mode: ChannelMode = ChannelMode.MPMC, name: str = ""
        ) -> Channel[Any]:
            if mode is not ChannelMode.MPMC:
                raise Unsupported("no modes here")
            return Channel(capacity, name=name)

    pipeline: ProcessingPipeline = create_processing_pipeline([plus_one], channels=Plain())

    assert await pipeline.run([1]) == [2]


# Open load


def test_calls_start_when_they_are_due_however_long_others_take() -> None:
    async def slow(_: int) -> None:
        await asyncio.sleep(10)

    load = on_virtual_time(open_load(100, 0.5, slow, SystemClock(), most_in_flight=1000))

    assert [call.started_s for call in load.calls] == pytest.approx([i / 100 for i in range(50)])
    assert [call.latency_s for call in load.calls] == pytest.approx([10] * 50)
    assert load.dropped == ()


def test_what_is_due_while_too_many_are_in_flight_is_dropped_and_counted() -> None:
    async def slow(_: int) -> None:
        await asyncio.sleep(0.095)

    load = on_virtual_time(open_load(100, 0.3, slow, SystemClock(), most_in_flight=4))

    # Four start at 0, 10, 20 and 30 ms and end from 95 ms on; the fifth place is free only then.
    assert [call.index for call in load.calls] == [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23]
    assert load.dropped == (*range(4, 10), *range(14, 20), *range(24, 30))
    assert load.due == 30
    assert load.most_in_flight == 4


def test_latency_counts_from_when_a_call_was_due_and_slip_says_how_late_it_began() -> None:
    """A loop that is held up for 50 ms delays the calls due meanwhile; they must not look fast."""

    async def main() -> wfrun.OpenLoad:
        clock = HeldUpClock(at_s=0.1, by_s=0.05)
        return await open_load(100, 0.2, nothing, clock, most_in_flight=100)

    load = on_virtual_time(main())

    slips_ms = [round(call.slip_s * 1000) for call in load.calls]
    assert slips_ms[:10] == [0] * 10
    assert slips_ms[10:15] == [50, 40, 30, 20, 10]
    assert slips_ms[15:] == [0] * 5
    assert [call.latency_s for call in load.calls] == pytest.approx([call.slip_s for call in load.calls])


async def nothing(_: int) -> None:
    pass


class HeldUpClock:
    """The loop's time, which jumps ahead once it reaches a point: as when the loop was busy."""

    def __init__(self, at_s: float, by_s: float) -> None:
        self._at_s = at_s
        self._by_s = by_s

    def monotonic(self) -> float:
        now_s = asyncio.get_running_loop().time()
        return now_s + self._by_s if now_s >= self._at_s - 1e-9 else now_s

    async def sleep(self, duration_s: float) -> None:
        await asyncio.sleep(duration_s)


def test_errors_of_calls_are_kept_with_them() -> None:
    async def odd_fail(index: int) -> None:
        if index % 2:
            raise ValueError(index)

    load = on_virtual_time(open_load(10, 1, odd_fail, SystemClock(), most_in_flight=10))

    assert [error.args[0] for error in load.errors] == [1, 3, 5, 7, 9]
    assert len(load.calls) == 10


def test_percentiles_are_those_of_the_calls_made() -> None:
    async def longer_and_longer(index: int) -> None:
        await asyncio.sleep(index + 1)

    load = on_virtual_time(open_load(1e6, 1e-4, longer_and_longer, SystemClock(), most_in_flight=100))

    assert [load.latency_s(percent) for percent in (50, 99, 100)] == pytest.approx([50, 99, 100], abs=0.001)
    assert load.slip_s(100) == pytest.approx(0, abs=0.001)


def test_an_open_load_sees_a_stall_that_a_closed_one_leaves_out() -> None:
    """What stalls for 300 ms keeps everybody waiting who comes meanwhile; a closed load asks once and is silent."""

    class Stalling:
        def __init__(self) -> None:
            self.until_s = math.inf

        async def answer(self, _: int) -> None:
            loop = asyncio.get_running_loop()
            if self.until_s == math.inf:
                self.until_s = loop.time() + 0.8
            left_s = self.until_s - loop.time()
            await asyncio.sleep(left_s if 0 < left_s <= 0.3 else 0.0001)

    async def opened() -> Context:
        context = Context("a::case", seed=1)
        await context.open_load(Stalling().answer, rate_per_s=1000, duration_s=2, most_in_flight=1000)
        return context

    async def closed() -> Context:
        context, service, loop = Context("a::case", seed=1), Stalling(), asyncio.get_running_loop()
        while loop.time() < 2:
            began_s = loop.time()
            await service.answer(0)
            context.record_latency_ns(round((loop.time() - began_s) * 1e9))
        return context

    latencies = [on_virtual_time(load()).latency.summary() for load in (opened, closed)]

    assert latencies[0] is not None
    assert latencies[1] is not None
    assert latencies[0].p99_ns >= 100_000_000
    assert latencies[1].p99_ns <= 1_000_000


def test_a_load_of_a_case_is_recorded_with_what_it_dropped_and_how_late_it_began() -> None:
    async def loaded() -> Context:
        context = Context("a::case", seed=1)
        await context.open_load(lambda _: asyncio.sleep(10), rate_per_s=100, duration_s=0.3, most_in_flight=4)
        return context

    context = on_virtual_time(loaded())

    summary = context.latency.summary()
    assert summary is not None
    assert (context.items, summary.count) == (4, 4)
    assert summary.min_ns == pytest.approx(10e9, rel=0.001)
    assert context.figures["load_dropped"] == 26
    assert context.figures["load_slip_p99_ns"] < 1e6


async def test_a_load_beyond_all_measure_still_lets_calls_be_answered() -> None:
    """Behind its schedule from the first call on, the load must not keep the loop for itself."""
    load = await open_load(1e9, 1e-6, nothing, SystemClock(), most_in_flight=200)

    assert load.due == 1000
    assert load.dropped == ()


async def test_a_load_waits_on_the_clock_it_is_given() -> None:
    clock = ManualClock()
    task = asyncio.create_task(open_load(10, 0.5, nothing, clock, most_in_flight=10))

    await clock.advance(0.35)
    done_before_the_last_is_due = task.done()
    await clock.advance(0.1)

    assert not done_before_the_last_is_due
    assert [call.intended_s for call in (await task).calls] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])


async def test_cancelling_a_load_leaves_no_call_behind() -> None:
    started = asyncio.Event()

    async def forever(_: int) -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(open_load(1000, 60, forever, SystemClock(), most_in_flight=1000))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize(("rate", "duration", "most"), [(0, 1, 1), (1, -1, 1), (1, 1, 0)])
async def test_impossible_loads_are_refused(rate: float, duration: float, most: int) -> None:
    with pytest.raises(UsageError, match="open load needs"):
        await open_load(rate, duration, nothing, SystemClock(), most)


def test_an_empty_load_has_no_percentiles() -> None:
    load = on_virtual_time(open_load(10, 0, nothing, SystemClock(), most_in_flight=1))

    assert math.isnan(load.latency_s(99))


def test_authors_find_the_workloads_under_wfrun() -> None:
    assert wfrun.open_load is open_load
    assert wfrun.create_processing_pipeline is create_processing_pipeline
