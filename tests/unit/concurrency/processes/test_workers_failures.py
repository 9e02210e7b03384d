from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil  # type: ignore[import-untyped]
import pytest

from wfrun.concurrency.errors import ChannelClosed
from wfrun.concurrency.processes.errors import WorkerItemFailed
from wfrun.concurrency.processes.workers import Outcome, ProcessWorkers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


# What the workers run: another process imports this file for it.


def square(number: int) -> int:
    return number * number


def nap(duration_s: float) -> float:
    time.sleep(duration_s)
    return duration_s


def echo(item: Any) -> Any:
    return item


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


async def until(is_so: Callable[[], bool]) -> None:
    """Other processes tell no event loop what they did, so this looks again and again."""
    while not is_so():  # noqa: ASYNC110 - as said
        await asyncio.sleep(0.005)


def pids_in(path: Path) -> list[int]:
    return [int(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


# Failures are outcomes


async def test_an_exception_is_its_items_outcome_and_ends_nothing() -> None:
    async with ProcessWorkers(refuse_odd, workers=2, ordered=True) as workers:
        outcomes = await work_off(workers, range(4))

    assert [outcome.error is None for outcome in outcomes] == [True, False, True, False]
    with pytest.raises(WorkerItemFailed, match=r"item 3 \(3\): builtins.ValueError: 3 is odd") as caught:
        outcomes[3].result()
    assert caught.value.error_type == "builtins.ValueError"
    assert 'raise ValueError(f"{number} is odd")' in caught.value.traceback_text
    assert "processes/child" not in caught.value.traceback_text


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


async def test_results_that_came_before_the_death_count_and_are_not_redone() -> None:
    """The end of the process may be noticed before its last results are read."""
    async with ProcessWorkers(nap, workers=1) as workers:
        await workers.send(0.1)
        await until(lambda: workers.statistics().running == 1)
        (worker,) = workers._crew._workers
        block_until(lambda: not worker.child.ring.note[0])
        worker.child.kill()
        workers._crew._on_end(worker)

        assert workers.try_receive().result() == 0.1
        assert workers.statistics().redone == 0


def block_until(is_so: Callable[[], bool]) -> None:
    """Keep the event loop blind meanwhile."""
    while not is_so():
        time.sleep(0.001)
