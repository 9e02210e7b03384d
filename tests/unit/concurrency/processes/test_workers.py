from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil  # type: ignore[import-untyped]
import pytest

from wfrun.concurrency.errors import ChannelClosed, ChannelTimeout, EndOfChannel, InvalidCapacity, WouldBlock
from wfrun.concurrency.processes.errors import FunctionNotImportable, WorkerStartFailed
from wfrun.concurrency.processes.workers import Outcome, ProcessWorkers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


# What the workers run: another process imports this file for it.


def square(number: int) -> int:
    return number * number


def nap(duration_s: float) -> float:
    time.sleep(duration_s)
    return duration_s


def length(buffer: bytes) -> int:
    return len(buffer)


def echo(item: Any) -> Any:
    return item


def ignores_interrupts(_: int) -> bool:
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def standard_input(_: int) -> str:
    return sys.stdin.read()


REUSED: list[int] = []


def return_the_same_list(number: int) -> list[int]:
    REUSED[:] = [number]
    return REUSED


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Every test here gives back its descriptors, children and shared memory, whatever it does to them."""
    before = _possessions()
    yield
    assert _possessions() == before


def _possessions() -> tuple[int, list[int], int]:
    """Return descriptors, children, and mapped rings; /dev/shm is everybody's, and a ring has no name there."""
    children = [child.pid for child in psutil.Process().children(recursive=True)]
    maps = Path("/proc/self/maps")
    rings = maps.read_text(encoding="utf-8").count("memfd:wfrun-ring") if maps.exists() else 0
    return psutil.Process().num_fds(), children, rings


async def work_off(workers: ProcessWorkers[Any, Any], items: Sequence[Any]) -> list[Outcome[Any, Any]]:
    async def feed() -> None:
        await workers.send_many(items)
        workers.close()

    feeding = asyncio.create_task(feed())
    outcomes = [outcome async for outcome in workers]
    await feeding
    return outcomes


# What goes in comes out


async def test_every_item_has_one_outcome_with_its_own_result() -> None:
    async with ProcessWorkers(square, workers=2) as workers:
        outcomes = await work_off(workers, range(1000))

    assert sorted(outcome.item_id for outcome in outcomes) == list(range(1000))
    assert all(outcome.result() == outcome.item**2 for outcome in outcomes)


async def test_ordered_outcomes_come_in_the_order_of_their_items() -> None:
    naps = [0.03 if number % 10 == 0 else 0.0 for number in range(40)]

    async with ProcessWorkers(nap, workers=3, ordered=True) as workers:
        outcomes = await work_off(workers, naps)

    assert [outcome.item_id for outcome in outcomes] == list(range(40))


async def test_more_workers_than_items_is_fine() -> None:
    async with ProcessWorkers(square, workers=3) as workers:
        outcomes = await work_off(workers, [5])

    assert [outcome.result() for outcome in outcomes] == [25]


async def test_slow_items_do_not_queue_behind_each_other() -> None:
    """With one item at each of two workers, the second worker must not idle while items wait at the first."""
    async with ProcessWorkers(nap, workers=2) as workers:
        await work_off_some(workers, [0.02] * 4)
        started = time.perf_counter()
        await work_off_some(workers, [0.25, 0.25])
        took_s = time.perf_counter() - started

    assert took_s < 0.45


async def work_off_some(workers: ProcessWorkers[Any, Any], items: Sequence[Any]) -> None:
    await workers.send_many(items)
    for _ in items:
        await workers.receive()


async def test_receive_many_and_batches_return_outcomes_together() -> None:
    async with ProcessWorkers(square, workers=1) as workers:
        await workers.send_many([1, 2, 3])
        workers.close()
        results = [outcome.result() async for batch in workers.batches() for outcome in batch]

    assert results == [1, 4, 9]


async def test_a_huge_item_and_result_travel_whole() -> None:
    """Larger than the shared memory, so it must go through the pipe in pieces."""
    huge = os.urandom(1024) * (20 * 1024)

    async with ProcessWorkers(echo, workers=1) as workers:
        (outcome,) = await work_off(workers, [huge])

    assert outcome.result() == huge


async def test_many_large_items_go_round_the_shared_memory() -> None:
    items = [bytes([number]) * (700_000 + number) for number in range(40)]

    async with ProcessWorkers(echo, workers=1, capacity=10) as workers:
        outcomes = await work_off(workers, items)

    assert all(outcome.result() == outcome.item for outcome in outcomes)
    assert len(outcomes) == 40


@pytest.mark.parametrize(
    "item", [bytearray(b"x" * 100_000), b"y" * 100_000, {"a": [1, {2}]}, None, "text", (1, (2, 3))]
)
async def test_an_item_arrives_equal_and_of_its_type(item: object) -> None:
    async with ProcessWorkers(echo, workers=1) as workers:
        (outcome,) = await work_off(workers, [item])

    assert outcome.result() == item
    assert type(outcome.result()) is type(item)


async def test_a_memoryview_arrives_as_bytes() -> None:
    async with ProcessWorkers(echo, workers=1) as workers:
        (outcome,) = await work_off(workers, [memoryview(b"z" * 70_000)])

    assert outcome.result() == b"z" * 70_000


async def test_a_result_that_the_function_changes_later_is_not_changed() -> None:
    """Results wait to travel together; one that can change is pickled at once."""
    async with ProcessWorkers(return_the_same_list, workers=1) as workers:
        outcomes = await work_off(workers, range(50))

    assert [outcome.result() for outcome in outcomes] == [[outcome.item] for outcome in outcomes]


# Bounds, ends and refusals


async def test_a_sender_is_held_back_while_nothing_is_received() -> None:
    async with ProcessWorkers(square, workers=1, capacity=10) as workers:
        with pytest.raises(ChannelTimeout) as caught:
            await workers.send_many(range(100), timeout_s=0.5)

        assert caught.value.sent <= 20
        assert len(workers) == caught.value.sent
        with pytest.raises(WouldBlock):
            workers.try_send(1)


async def test_closing_works_off_what_was_sent() -> None:
    async with ProcessWorkers(square, workers=2) as workers:
        await workers.send_many(range(100))
        workers.close()
        workers.close()

        with pytest.raises(ChannelClosed):
            await workers.send(1)
        assert len([outcome async for outcome in workers]) == 100
        with pytest.raises(EndOfChannel):
            await workers.receive()
        with pytest.raises(EndOfChannel):
            workers.try_receive()


async def test_a_receive_that_is_cancelled_or_times_out_takes_nothing() -> None:
    async with ProcessWorkers(nap, workers=1) as workers:
        receiving = asyncio.create_task(workers.receive())
        await asyncio.sleep(0)
        receiving.cancel()
        await asyncio.gather(receiving, return_exceptions=True)
        with pytest.raises(ChannelTimeout):
            await workers.receive(timeout_s=0.01)
        await workers.send(0.0)

        assert (await workers.receive()).result() == 0.0


async def test_a_send_that_is_cancelled_while_it_waits_is_not_done_twice() -> None:
    async with ProcessWorkers(square, workers=1, capacity=1) as workers:
        sending = asyncio.create_task(workers.send_many(range(50)))
        await asyncio.sleep(0.05)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        workers.close()
        items = [outcome.item async for outcome in workers]

    assert items == list(range(len(items)))
    assert len(items) < 50


async def test_leaving_early_ends_busy_workers_at_once() -> None:
    started = time.perf_counter()

    async with ProcessWorkers(nap, workers=2) as workers:
        await workers.send_many([60.0, 60.0, 60.0])
        await asyncio.sleep(0.05)

    assert time.perf_counter() - started < 5


async def test_statistics_add_up_at_any_moment() -> None:
    async with ProcessWorkers(square, workers=2, capacity=100) as workers:
        feeding = asyncio.create_task(workers.send_many(range(500)))
        for _ in range(500):
            seen = workers.statistics()
            assert seen.sent == seen.waiting + seen.running + seen.finished + seen.received
            await workers.receive()
        await feeding
        last = workers.statistics()

    assert (last.sent, last.received, last.failed, last.redone, last.restarts) == (500, 500, 0, 0, 0)


def _local() -> Any:
    def inside(number: int) -> int:
        return number

    return inside


async def _coroutine(number: int) -> int:
    return number


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda number: number, "exists in this process only; define it with def at the top level"),
        (_local(), "exists in this process only"),
        (partial(square, 1), "has no name to find it by"),
        ([].append, "has no name to find it by|would find something else"),
        (_coroutine, "is a coroutine function"),
    ],
)
def test_a_function_another_process_cannot_find_is_refused_before_anything_starts(function: Any, text: str) -> None:
    with pytest.raises(FunctionNotImportable, match=text):
        ProcessWorkers(function, workers=1)


@pytest.mark.parametrize("options", [{"workers": 0}, {"capacity": 0}])
def test_numbers_that_make_no_sense_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(InvalidCapacity):
        ProcessWorkers(square, **options)  # type: ignore[arg-type]


async def test_a_module_that_does_not_import_there_is_said_at_the_start(tmp_path: Path) -> None:
    module = tmp_path / "only_here_once.py"
    module.write_text("import os\nif os.environ.get('SECOND'): raise RuntimeError('not twice')\ndef f(x): return x\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(tmp_path))
        import only_here_once  # type: ignore[import-not-found]  # noqa: PLC0415 - it was just written

        patch.setenv("SECOND", "1")
        with pytest.raises(WorkerStartFailed, match="RuntimeError: not twice"):
            async with ProcessWorkers(only_here_once.f, workers=2):
                pass
        del sys.modules["only_here_once"]


async def test_workers_ignore_the_terminals_interrupt_and_have_no_input() -> None:
    async with ProcessWorkers(ignores_interrupts, workers=1) as workers:
        (ignored,) = await work_off(workers, [1])
    async with ProcessWorkers(standard_input, workers=1) as workers:
        (text,) = await work_off(workers, [1])

    assert ignored.result() is True
    assert not text.result()
