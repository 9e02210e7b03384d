"""Counters give the same number for the same work, and charge it to the function that did it."""

from __future__ import annotations

import asyncio
import sys
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from wfrun.measure.allocations import AllocationCounter, PeakCounter
from wfrun.measure.calls import CallCounter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def make(size: int) -> bytes:
    return bytes(size)


def make_and_drop(times: int) -> None:
    for _ in range(times):
        make(1000)


def hand_over(times: int) -> None:
    for number in range(times):
        take([number] * 20)


def hand_over_nothing(times: int) -> None:
    for _ in range(times):
        take(None)


def take(_: object) -> None:
    pass


def keep(times: int) -> list[bytes]:
    return [make(1000) for _ in range(times)]


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start(1)
    yield
    tracemalloc.stop()


def calls_of(work: Callable[[], object]) -> tuple[int, dict[str, int]]:
    counter = CallCounter(lambda _: False)
    counter.start()
    work()
    counter.stop()
    return counter.calls, {each.name: each.calls for each in counter.functions()}


def allocations_of(work: Callable[[], object]) -> tuple[int, dict[str, int]]:
    for _ in range(2):  # the first time the tracer makes what it needs itself
        counter = AllocationCounter(lambda *_: False)
        counter.start()
        work()
        counter.stop()
    return counter.peak_bytes, {each.name: each.allocated_bytes for each in counter.functions()}


def test_calls_are_counted_by_function() -> None:
    calls, by_function = calls_of(lambda: make_and_drop(300))

    assert (by_function["make"], by_function["make_and_drop"]) == (300, 1)
    assert calls_of(lambda: make_and_drop(300))[0] == calls


def test_waiting_longer_makes_no_more_calls() -> None:
    """How often the event loop turns while it waits depends on the clock; what the tasks do does not."""

    def counted(wait_s: float) -> tuple[int, int]:
        counter = CallCounter(lambda _: False)

        async def waits() -> None:
            counter.start()
            await asyncio.gather(*(asyncio.sleep(wait_s * number) for number in range(5)))
            counter.stop()

        asyncio.run(waits())
        return counter.calls, counter.handles

    counted(0.0001)

    assert counted(0.0003) == counted(0.004)


@pytest.mark.usefixtures("traced")
def test_memory_that_is_given_back_at_once_counts_each_time() -> None:
    peak_bytes, by_function = allocations_of(lambda: make_and_drop(300))

    assert by_function["make"] == pytest.approx(300 * 1033, rel=0.01)
    assert peak_bytes < 10_000


@pytest.mark.usefixtures("traced")
def test_an_argument_that_takes_the_place_of_the_last_one_counts() -> None:
    _, by_function = allocations_of(lambda: hand_over(300))

    assert by_function["hand_over"] > 300 * 150


@pytest.mark.usefixtures("traced")
def test_memory_that_is_held_makes_the_peak() -> None:
    peak_bytes, by_function = allocations_of(lambda: keep(300))

    assert by_function["make"] == pytest.approx(300 * 1033, rel=0.01)
    assert peak_bytes > 300 * 1033


@pytest.mark.usefixtures("traced")
def test_calls_that_ask_for_nothing_count_nothing() -> None:
    _, by_function = allocations_of(lambda: hand_over_nothing(300))

    assert by_function.get("take", 0) == 0
    assert sum(by_function.values()) < 10_000


@pytest.mark.usefixtures("traced")
def test_the_peak_can_be_had_alone() -> None:
    counter = PeakCounter()
    counter.start()
    held = keep(100)
    counter.stop()

    assert counter.peak_bytes == pytest.approx(len(held) * 1033, rel=0.1)


@pytest.mark.usefixtures("traced")
def test_what_runs_through_too_many_lines_is_given_up() -> None:
    counter = AllocationCounter(lambda _file, _name: False, most_lines=1000)

    counter.start()
    make_and_drop(600)
    tracing = sys.gettrace()
    counter.stop()

    assert counter.gave_up
    assert tracing is None
