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

from wfrun.concurrency.errors import ChannelClosed, ChannelTimeout, EndOfChannel, ModeViolation, WouldBlock
from wfrun.concurrency.processes.errors import ChildFailed, FunctionNotImportable, ItemNotPicklable, WorkerStartFailed
from wfrun.concurrency.processes.pair import ProcessReceiver, ProcessSender

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wfrun.concurrency.processes.channel import AsyncReceiver, AsyncSender
    from wfrun.concurrency.processes.ends import PipeReceiver, PipeSender


# What the children run.


def keep_all(receiver: PipeReceiver[Any]) -> list[Any]:
    return list(receiver)


def keep_what_can_be_read(receiver: PipeReceiver[Any]) -> list[Any]:
    kept: list[Any] = []
    while True:
        try:
            kept.append(receiver.receive())
        except ItemNotPicklable as error:
            kept.append(str(error))
        except EndOfChannel:
            return kept


async def keep_all_async(receiver: AsyncReceiver[Any]) -> list[Any]:
    return [item async for item in receiver]


def take_one(receiver: PipeReceiver[Any]) -> Any:
    return receiver.receive()


def never_read(_: PipeReceiver[Any]) -> None:
    signal.pause()


def fail_at_three(receiver: PipeReceiver[int]) -> None:
    for number in receiver:
        if number == 3:
            raise ValueError("three is too many")


def count_up(sender: PipeSender[int], most: int) -> str:
    for number in range(most):
        sender.send(number)
    return "counted"


def send_all(sender: PipeSender[Any], items: list[Any]) -> None:
    sender.send_many(items)


async def count_up_async(sender: AsyncSender[int], most: int) -> str:
    for number in range(most):
        await sender.send(number)
    return "counted"


def send_large(sender: PipeSender[bytes], count: int) -> None:
    for number in range(count):
        sender.send(bytes([number]) * 1_000_000)


def send_then_die(sender: PipeSender[int]) -> None:
    sender.send_many([1, 2])
    os.kill(os.getpid(), signal.SIGKILL)


def send_a_lock_between(sender: PipeSender[Any]) -> str:
    sender.send(1)
    try:
        sender.send(threading.Lock())
    except ItemNotPicklable as error:
        sender.send(str(error))
    sender.send(3)
    return "went on"


def send_forever(sender: PipeSender[int]) -> None:
    while True:
        sender.send(1)


class OnlyReadableThere:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.kill, (os.getpid(), "not a signal"))


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    before = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0  # noqa: PTH208 - names alone
    children = psutil.Process().children(recursive=True)
    yield
    after = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0  # noqa: PTH208 - names alone
    assert after == before
    assert psutil.Process().children(recursive=True) == children


# Into a child


async def test_everything_sent_arrives_in_order() -> None:
    async with ProcessSender[Any](keep_all) as channel:
        for number in range(2500):
            await channel.send(number)
        await channel.send_many(["a", (1, "b"), None, [1, {2: 3}], b"c" * 100_000])
        channel.close()

        assert await channel.result() == [*range(2500), "a", (1, "b"), None, [1, {2: 3}], b"c" * 100_000]


async def test_a_coroutine_function_gets_an_asynchronous_end() -> None:
    async with ProcessSender[Any](keep_all_async) as channel:
        await channel.send_many([*range(2000), b"x" * 3_000_000, b"y" * 3_000_000, bytearray(b"z")])
        channel.close()

        assert await channel.result() == [*range(2000), b"x" * 3_000_000, b"y" * 3_000_000, bytearray(b"z")]


async def test_what_is_changed_after_sending_arrives_as_it_was_sent() -> None:
    """multiprocessing.Queue pickles later, in a thread, and sends the change too."""
    item = [1]

    async with ProcessSender[list[int]](keep_all) as channel:
        await channel.send(item)
        item.append(2)
        await channel.send_many([item])
        item.append(3)
        channel.close()

        assert await channel.result() == [[1], [1, 2]]


async def test_items_that_share_an_object_do_not_share_it_there() -> None:
    shared = [1]

    async with ProcessSender[Any](keep_all) as channel:
        await channel.send_many([(shared,), (shared,)])
        channel.close()
        first, second = await channel.result()

    assert first == second
    assert first[0] is not second[0]


async def test_an_item_that_cannot_be_pickled_is_refused_by_name_and_the_channel_goes_on() -> None:
    async with ProcessSender[Any](keep_all) as channel:
        await channel.send(1)
        with pytest.raises(ItemNotPicklable, match=r"unlocked _thread.lock.*cannot be sent to another process"):
            await channel.send(threading.Lock())
        with pytest.raises(ItemNotPicklable):
            await channel.send_many([2, threading.Lock()])
        with pytest.raises(ItemNotPicklable):
            channel.try_send(threading.Lock())
        await channel.send(3)
        channel.close()

        assert await channel.result() == [1, 3]


async def test_an_item_that_cannot_be_unpickled_there_is_said_in_its_place() -> None:
    async with ProcessSender[Any](keep_what_can_be_read) as channel:
        await channel.send_many([1, OnlyReadableThere(), 3])
        channel.close()
        first, second, third = await channel.result()

    assert (first, third) == (1, 3)
    assert "an item cannot be read here: builtins.TypeError" in second


async def test_a_child_that_does_not_read_holds_the_sender_back() -> None:
    async with ProcessSender[bytes](never_read, capacity=4) as channel:
        with pytest.raises(ChannelTimeout) as caught:
            await channel.send_many([b"x" * 1_000_000 for _ in range(100)], timeout_s=0.3)

        assert 4 <= caught.value.sent <= 20
        with pytest.raises(WouldBlock):
            channel.try_send(b"")


async def test_a_send_that_is_cancelled_while_it_waits_was_not_done() -> None:
    async with ProcessSender[bytes](never_read, capacity=1) as channel:
        with pytest.raises(ChannelTimeout):
            await channel.send_many([b"x" * 1_000_000 for _ in range(100)], timeout_s=0.2)
        before = len(channel)
        sending = asyncio.ensure_future(channel.send(b"more"))
        await asyncio.sleep(0.01)
        sending.cancel()

        assert isinstance((await asyncio.gather(sending, return_exceptions=True))[0], asyncio.CancelledError)
        assert len(channel) == before


async def test_a_child_that_is_killed_ends_the_channel_with_an_error() -> None:
    async with ProcessSender[int](never_read) as channel:
        assert channel.pid is not None
        os.kill(channel.pid, signal.SIGKILL)

        with pytest.raises(ChildFailed, match=r"never_read did not return: its process ended by signal SIGKILL"):
            await channel.result()
        with pytest.raises(ChildFailed):
            await channel.send(1)


async def test_what_the_function_raises_arrives_with_its_traceback() -> None:
    async with ProcessSender[int](fail_at_three) as channel:
        await channel.send_many([1, 2, 3])

        with pytest.raises(ChildFailed, match=r"raised builtins\.ValueError: three is too many") as caught:
            await channel.result()
        assert 'raise ValueError("three is too many")' in caught.value.traceback_text


async def test_a_child_that_returns_early_closes_the_channel() -> None:
    async with ProcessSender[int](take_one) as channel:
        await channel.send(7)

        assert await channel.result() == 7
        with pytest.raises(ChannelClosed):
            await channel.send(8)


# Out of a child


@pytest.mark.parametrize("produce", [count_up, count_up_async])
async def test_everything_a_child_sends_arrives_in_order(produce: Any) -> None:
    async with ProcessReceiver[int](produce, arguments=(3000,), capacity=100) as channel:
        numbers = [number async for number in channel]

        assert await channel.result() == "counted"
        with pytest.raises(EndOfChannel):
            await channel.receive()
    assert numbers == list(range(3000))


async def test_large_items_wait_in_shared_memory_not_here() -> None:
    """However large the capacity: what was read and not taken is one item."""
    async with ProcessReceiver[bytes](send_large, arguments=(30,), capacity=1000) as channel:
        first = await channel.receive()
        await asyncio.sleep(0.1)
        waiting = len(channel)
        rest = [len(item) async for item in channel]

    assert first == bytes(1_000_000)
    assert waiting <= 1
    assert rest == [1_000_000] * 29


async def test_batches_hold_no_more_than_asked_for() -> None:
    async with ProcessReceiver[int](send_all, arguments=(list(range(500)),)) as channel:
        batches = [batch async for batch in channel.batches(64)]

    assert [number for batch in batches for number in batch] == list(range(500))
    assert max(map(len, batches)) == 64


async def test_a_childs_death_is_an_error_after_the_last_item_that_came() -> None:
    async with ProcessReceiver[int](send_then_die) as channel:
        assert [await channel.receive(), await channel.receive()] == [1, 2]
        with pytest.raises(ChildFailed, match="SIGKILL"):
            await anext(channel)
        with pytest.raises(ChildFailed):
            channel.try_receive()


async def test_a_child_may_go_on_after_an_item_that_cannot_be_pickled() -> None:
    async with ProcessReceiver[Any](send_a_lock_between) as channel:
        items = [item async for item in channel]

        assert await channel.result() == "went on"
    assert items[0::2] == [1, 3]
    assert "cannot be sent to another process" in items[1]


async def test_a_receive_that_is_cancelled_or_times_out_takes_nothing(tmp_path: Path) -> None:
    go = tmp_path / "go"

    async with ProcessReceiver[int](wait_then_count, arguments=(str(go),)) as channel:
        receiving = asyncio.create_task(channel.receive())
        await asyncio.sleep(0.01)
        receiving.cancel()
        await asyncio.gather(receiving, return_exceptions=True)
        with pytest.raises(ChannelTimeout):
            await channel.receive(timeout_s=0.01)
        with pytest.raises(WouldBlock):
            channel.try_receive()
        go.touch()

        assert [number async for number in channel] == list(range(10))


def wait_then_count(sender: PipeSender[int], path: str) -> None:
    while not Path(path).exists():
        time.sleep(0.005)
    count_up(sender, 10)


async def test_two_receivers_at_once_are_refused(tmp_path: Path) -> None:
    async with ProcessReceiver[int](wait_then_count, arguments=(str(tmp_path / "never"),)) as channel:
        first = asyncio.create_task(channel.receive())
        await asyncio.sleep(0)

        with pytest.raises(ModeViolation):
            await channel.receive()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)


async def test_leaving_early_ends_a_child_that_never_would() -> None:
    started = time.perf_counter()

    async with ProcessReceiver[int](send_forever, capacity=10) as channel:
        await channel.receive()

    assert time.perf_counter() - started < 5
    assert channel.pid is None


# Starting


async def test_a_function_that_exists_here_only_is_refused() -> None:
    with pytest.raises(FunctionNotImportable, match="exists in this process only"):
        ProcessSender[int](lambda receiver: receiver.receive())


async def test_arguments_that_cannot_travel_are_refused_and_nothing_starts() -> None:
    with pytest.raises(ItemNotPicklable, match="lock"):
        async with ProcessReceiver[int](count_up, arguments=(threading.Lock(),)):
            pass


async def test_a_channel_starts_once() -> None:
    channel = ProcessSender[int](keep_all)
    async with channel:
        channel.close()

    with pytest.raises(WorkerStartFailed, match="was started before"):
        await channel.__aenter__()
