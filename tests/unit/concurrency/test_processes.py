from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil  # type: ignore[import-untyped]
import pytest

from wfrun.concurrency.errors import ChannelClosed, ChannelTimeout, EndOfChannel, InvalidCapacity, WouldBlock
from wfrun.concurrency.process_errors import FunctionNotImportable, WorkerItemFailed, WorkerStartFailed
from wfrun.concurrency.processes import Outcome, ProcessWorkers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


# What the workers run: another process imports this file for it.


def square(number: int) -> int:
    return number * number


def nap(duration_s: float) -> float:
    time.sleep(duration_s)
    return duration_s


def report_pid_and_nap(notes: tuple[str, float]) -> int:
    path, duration_s = notes
    with Path(path).open("a", encoding="utf-8") as stream:
        stream.write(f"{os.getpid()}\n")
    time.sleep(duration_s)
    return os.getpid()


def die_once(notes: tuple[str, int]) -> int:
    path, number = notes
    if number == 7 and not Path(path).exists():
        Path(path).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def leave_at_seven(number: int) -> int:
    if number == 7:
        os._exit(3)
    return number


def always_leave(_: int) -> None:
    os._exit(5)


def refuse_odd(number: int) -> int:
    if number % 2:
        raise ValueError(f"{number} is odd")
    return number


def exit_politely(_: int) -> None:
    sys.exit("enough")


def return_a_lock(_: int) -> object:
    return threading.Lock()


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


class BadToRead:
    """Travels, but cannot be unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (refuse_odd, (1,))


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Every test here gives back its descriptors, children and shared memory, whatever it does to them."""
    before = _possessions()
    yield
    assert _possessions() == before


def _possessions() -> tuple[int, list[int], list[str]]:
    children = [child.pid for child in psutil.Process().children(recursive=True)]
    shared = Path("/dev/shm")  # noqa: S108 - looked at, not written to
    memory = sorted(path.name for path in shared.iterdir()) if shared.exists() else []
    return psutil.Process().num_fds(), children, memory


async def work_off(workers: ProcessWorkers[Any, Any], items: Sequence[Any]) -> list[Outcome[Any, Any]]:
    async def feed() -> None:
        await workers.send_many(items)
        workers.close()

    feeding = asyncio.create_task(feed())
    outcomes = [outcome async for outcome in workers]
    await feeding
    return outcomes


async def until(is_so: Callable[[], bool]) -> None:
    """Other processes tell no event loop what they did, so this looks again and again."""
    while not is_so():  # noqa: ASYNC110 - as said
        await asyncio.sleep(0.005)


def pids_in(path: Path) -> list[int]:
    return [int(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


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


# Failures are outcomes


async def test_an_exception_is_its_items_outcome_and_ends_nothing() -> None:
    async with ProcessWorkers(refuse_odd, workers=2, ordered=True) as workers:
        outcomes = await work_off(workers, range(4))

    assert [outcome.error is None for outcome in outcomes] == [True, False, True, False]
    with pytest.raises(WorkerItemFailed, match=r"item 3 \(3\): builtins.ValueError: 3 is odd") as caught:
        outcomes[3].result()
    assert caught.value.error_type == "builtins.ValueError"
    assert 'raise ValueError(f"{number} is odd")' in caught.value.traceback_text
    assert "process_child" not in caught.value.traceback_text


async def test_sys_exit_in_the_function_is_an_exception_like_others() -> None:
    async with ProcessWorkers(exit_politely, workers=1) as workers:
        (outcome,) = await work_off(workers, [1])
        restarts = workers.statistics().restarts

    assert outcome.error is not None
    assert outcome.error.error_type == "builtins.SystemExit"
    assert restarts == 0


async def test_an_item_that_cannot_be_pickled_fails_alone() -> None:
    lock = threading.Lock()

    async with ProcessWorkers(echo, workers=1, ordered=True) as workers:
        first, second, third = await work_off(workers, [1, lock, 3])

    assert (first.result(), third.result()) == (1, 3)
    assert second.item is lock
    with pytest.raises(WorkerItemFailed, match=r"unlocked _thread.lock.*cannot be sent to another process"):
        second.result()


async def test_an_item_that_cannot_be_unpickled_fails_alone() -> None:
    async with ProcessWorkers(echo, workers=1, ordered=True) as workers:
        first, second, third = await work_off(workers, [1, BadToRead(), 3])

    assert (first.result(), third.result()) == (1, 3)
    with pytest.raises(WorkerItemFailed, match="1 is odd"):
        second.result()


async def test_a_result_that_cannot_be_pickled_fails_alone() -> None:
    async with ProcessWorkers(return_a_lock, workers=1) as workers:
        (outcome,) = await work_off(workers, [1])

    with pytest.raises(WorkerItemFailed, match="cannot be sent to another process"):
        outcome.result()


# Deaths


async def test_items_of_a_killed_worker_are_redone_by_another(tmp_path: Path) -> None:
    notes = tmp_path / "pids"

    async with ProcessWorkers(report_pid_and_nap, workers=2) as workers:
        await workers.send((str(notes), 0.3))
        await until(lambda: bool(pids_in(notes)))
        (victim,) = pids_in(notes)
        os.kill(victim, signal.SIGKILL)
        outcome = await workers.receive()
        statistics = workers.statistics()

    assert outcome.result() != victim
    assert outcome.deaths == 1
    assert (statistics.redone, statistics.restarts, statistics.received) == (1, 1, 1)


async def test_killing_workers_all_the_time_loses_nothing_and_doubles_nothing() -> None:
    """Real SIGKILLs at arbitrary moments: while reading, working, and writing results."""
    async with ProcessWorkers(square, workers=2, capacity=200, most_deaths=100, most_restarts=100) as workers:
        killed = 0

        async def kill_now_and_then() -> None:
            nonlocal killed
            while killed < 12:
                await asyncio.sleep(0.02)
                for pid in workers.statistics().processes[:1]:
                    os.kill(pid, signal.SIGKILL)
                    killed += 1

        async def feed_until_killed() -> int:
            sent = 0
            while killed < 12:
                await workers.send_many(range(sent, sent + 100))
                sent += 100
            workers.close()
            return sent

        killing = asyncio.create_task(kill_now_and_then())
        feeding = asyncio.create_task(feed_until_killed())
        seen = [outcome.item async for outcome in workers if outcome.result() == outcome.item**2]
        sent = await feeding
        await killing
        statistics = workers.statistics()

    assert sorted(seen) == list(range(sent))
    assert statistics.sent == statistics.received == sent
    assert statistics.restarts >= 10


async def test_a_death_in_the_middle_is_blamed_on_one_item(tmp_path: Path) -> None:
    notes = str(tmp_path / "died")

    async with ProcessWorkers(die_once, workers=1, ordered=True) as workers:
        outcomes = await work_off(workers, [(notes, number) for number in range(20)])

    assert [outcome.result() for outcome in outcomes] == list(range(20))
    assert [outcome.item_id for outcome in outcomes if outcome.deaths] == [7]


async def test_an_item_that_kills_every_worker_is_given_up_and_the_others_are_not() -> None:
    async with ProcessWorkers(leave_at_seven, workers=2, ordered=True, most_deaths=2) as workers:
        outcomes = await work_off(workers, range(20))

    assert [outcome.item for outcome in outcomes if outcome.error is None] == [*range(7), *range(8, 20)]
    with pytest.raises(
        WorkerItemFailed, match=r"item 7 \(7\): its worker died by exit code 3 while it was at this item"
    ):
        outcomes[7].result()


async def test_when_workers_only_die_every_item_still_has_an_outcome() -> None:
    async with ProcessWorkers(always_leave, workers=1, most_deaths=100, most_restarts=2) as workers:
        await workers.send_many(range(30))
        outcomes = [outcome async for outcome in workers]

        assert sorted(outcome.item for outcome in outcomes) == list(range(30))
        assert all("3 workers in a row died" in str(outcome.error) for outcome in outcomes)
        with pytest.raises(ChannelClosed):
            await workers.send(1)


async def test_workers_are_kept_at_their_number_when_an_idle_one_is_killed() -> None:
    async with ProcessWorkers(square, workers=2) as workers:
        before = workers.statistics().processes
        os.kill(before[0], signal.SIGKILL)
        await until(lambda: workers.statistics().restarts == 1)
        after = workers.statistics()

    assert len(after.processes) == 2
    assert before[1] in after.processes
    assert after.redone == 0


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
