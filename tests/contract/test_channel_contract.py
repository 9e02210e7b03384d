"""What every channel promises, whatever its order and its measure: the traps of channels, each as a test."""

from __future__ import annotations

import asyncio
import gc
import threading
import tracemalloc
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from wfrun.concurrency.byte_channel import ByteChannel
from wfrun.concurrency.channel import Channel, ChannelMode
from wfrun.concurrency.errors import (
    ChannelClosed,
    ChannelTimeout,
    EndOfChannel,
    InvalidCapacity,
    ModeViolation,
    WouldBlock,
    WrongEventLoop,
)
from wfrun.concurrency.priority import PriorityChannel

Make = Callable[..., Channel[Any]]


def make_channel(capacity: int | None, **options: Any) -> Channel[Any]:
    return Channel(capacity, **options)


def make_byte_channel(capacity: int, **options: Any) -> Channel[Any]:
    return ByteChannel(capacity, weigh=lambda _: 1, **options)


def make_priority_channel(capacity: int | None, **options: Any) -> Channel[Any]:
    return PriorityChannel(capacity, priority=lambda _: 0, **options)


@pytest.fixture(params=[make_channel, make_byte_channel, make_priority_channel])
def make(request: pytest.FixtureRequest) -> Make:
    """Each kind of channel, set up so that it holds ``capacity`` items, first in, first out."""
    maker: Make = request.param
    return maker


def start(coroutine: Any) -> asyncio.Task[Any]:
    return asyncio.ensure_future(coroutine)


async def turns(count: int = 3) -> None:
    """Let every ready task run: a wait takes two turns to settle."""
    for _ in range(count):
        await asyncio.sleep(0)


async def waiting(coroutine: Any) -> asyncio.Task[Any]:
    """Start an operation and see it wait."""
    task = start(coroutine)
    await turns()
    assert not task.done()
    return task


async def cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def everything(channel: Channel[Any]) -> list[Any]:
    channel.close()
    return [item async for item in channel]


# Order and bounds


async def test_items_come_out_in_the_order_they_went_in(make: Make) -> None:
    channel = make(10)

    for number in range(10):
        await channel.send(number)

    assert [await channel.receive() for _ in range(10)] == list(range(10))


async def test_none_is_an_ordinary_item(make: Make) -> None:
    channel = make(3)

    await channel.send_many([None, None])
    await channel.send(None)

    assert await everything(channel) == [None, None, None]


async def test_a_full_channel_makes_its_senders_wait(make: Make) -> None:
    channel = make(2)
    await channel.send_many([1, 2])

    sending = await waiting(channel.send(3))
    assert len(channel) == 2
    assert await channel.receive() == 1
    await sending

    assert await everything(channel) == [2, 3]


async def test_an_empty_channel_makes_its_receivers_wait(make: Make) -> None:
    channel = make(2)

    receiving = await waiting(channel.receive())
    await channel.send("late")

    assert await receiving == "late"


async def test_an_empty_channel_is_still_true(make: Make) -> None:
    assert make(1)


async def test_one_slow_receiver_gets_all_of_a_fast_sender(make: Make) -> None:
    channel = make(1)

    async def produce() -> None:
        for number in range(100):
            await channel.send(number)
        channel.close()

    task = start(produce())
    received = []
    async for number in channel:
        received.append(number)
        await asyncio.sleep(0)

    await task
    assert received == list(range(100))


# Trap 1 and 2: cancelled receivers


async def test_an_item_handed_to_a_receiver_that_is_cancelled_is_not_lost(make: Make) -> None:
    channel = make(2)
    receiving = await waiting(channel.receive())
    channel.try_send("precious")

    await cancelled(receiving)

    assert await channel.receive() == "precious"
    assert channel.statistics().received == 1


async def test_an_item_handed_to_a_receiver_that_is_cancelled_goes_to_the_next(make: Make) -> None:
    channel = make(2)
    first = await waiting(channel.receive())
    second = await waiting(channel.receive())
    channel.try_send("precious")

    await cancelled(first)

    assert await second == "precious"
    assert len(channel) == 0


async def test_a_cancelled_receiver_keeps_the_order_of_what_it_gives_back(make: Make) -> None:
    """Two receivers were served; when the first is cancelled, the second has the older item."""
    channel = make(3)
    first = await waiting(channel.receive())
    second = await waiting(channel.receive())
    for item in ("oldest", "older", "new"):
        channel.try_send(item)

    await cancelled(first)

    assert await second == "oldest"
    assert await everything(channel) == ["older", "new"]


async def test_a_cancelled_batch_gives_back_all_its_items_in_order(make: Make) -> None:
    channel = make(50)
    receiving = await waiting(channel.receive_many(40))
    await channel.send_many(list(range(40)))
    channel.try_send(40)

    await cancelled(receiving)

    assert await everything(channel) == list(range(41))


async def test_a_batch_that_comes_back_is_shared_with_a_receiver_of_single_items(make: Make) -> None:
    channel = make(50)
    first = await waiting(channel.receive_many(40))
    second = start(channel.receive())  # Its turn comes after the batch was handed over, and before that of the first.
    await channel.send_many(list(range(20)))

    await cancelled(first)

    assert await second == 0
    assert await everything(channel) == list(range(1, 20))


async def test_several_receivers_cancelled_at_once_lose_nothing(make: Make) -> None:
    channel = make(10)
    receivers = [await waiting(channel.receive()) for _ in range(4)]
    for number in range(4):
        channel.try_send(number)

    for receiver in receivers:
        receiver.cancel()
    await asyncio.gather(*receivers, return_exceptions=True)

    assert await everything(channel) == [0, 1, 2, 3]


async def test_a_receiver_cancelled_before_anything_came_leaves_no_trace(make: Make) -> None:
    channel = make(1)
    receiving = await waiting(channel.receive())

    await cancelled(receiving)
    await channel.send("kept")

    assert len(channel) == 1
    assert channel.statistics().waiting_receivers == ()


async def test_a_receiver_that_is_thrown_away_gives_its_item_back(make: Make) -> None:
    """A coroutine that nobody runs to its end is closed, not cancelled."""
    channel = make(2)
    receiving = channel.receive()
    receiving.send(None)
    channel.try_send("precious")

    receiving.close()

    assert channel.try_receive() == "precious"


async def test_cancelling_in_the_turn_of_the_wait_itself_loses_nothing(make: Make) -> None:
    """A receiver that has just served a waiting sender waits one turn without a future."""
    channel = make(1)
    await channel.send(0)
    sending = start(producer := send_all(channel, range(1, 30)))
    received: list[int] = []
    for _ in range(60):
        receiving = start(channel.receive())
        await turns(1)
        receiving.cancel()
        try:
            received.append(await receiving)
        except asyncio.CancelledError:
            continue
        if len(received) == 30:
            break
    received += [await channel.receive() for _ in range(30 - len(received))]

    await sending
    producer.close()
    assert received == list(range(30))


async def send_all(channel: Channel[Any], items: Any) -> None:
    for item in items:
        await channel.send(item)


# Trap 3: nobody overtakes


async def test_waiting_senders_are_served_in_the_order_of_their_arrival(make: Make) -> None:
    channel = make(1)
    await channel.send("buffered")
    senders = [await waiting(channel.send(number)) for number in range(3)]

    received = [await channel.receive() for _ in range(4)]

    assert received == ["buffered", 0, 1, 2]
    await asyncio.gather(*senders)


async def test_a_new_sender_does_not_overtake_a_waiting_one(make: Make) -> None:
    channel = make(1)
    await channel.send("buffered")
    sender = await waiting(channel.send("patient"))

    assert await channel.receive() == "buffered"
    with pytest.raises(WouldBlock):
        channel.try_send("pushy")

    assert await channel.receive() == "patient"
    await sender


async def test_waiting_receivers_are_served_in_the_order_of_their_arrival(make: Make) -> None:
    channel = make(5)
    receivers = [await waiting(channel.receive()) for _ in range(3)]

    for number in range(3):
        await channel.send(number)

    assert await asyncio.gather(*receivers) == [0, 1, 2]


async def test_a_new_receiver_does_not_overtake_one_that_was_served(make: Make) -> None:
    channel = make(5)
    patient = await waiting(channel.receive())
    channel.try_send("first")
    channel.try_send("second")

    assert channel.try_receive() == "second"
    assert await patient == "first"


async def test_a_receiver_that_comes_back_does_not_overtake_those_that_wait(make: Make) -> None:
    channel = make(5)
    received: list[tuple[str, int]] = []

    async def consume(name: str) -> None:
        while True:
            received.append((name, await channel.receive()))

    consumers = [await waiting(consume(name)) for name in "abc"]
    for number in range(6):
        await channel.send(number)
        await turns()

    assert [name for name, _ in received] == list("abcabc")
    for consumer in consumers:
        await cancelled(consumer)


async def test_a_cancelled_sender_does_not_hold_up_those_behind_it(make: Make) -> None:
    channel = make(1)
    await channel.send("buffered")
    first = await waiting(channel.send("gone"))
    second = await waiting(channel.send("stays"))

    await cancelled(first)

    assert [await channel.receive(), await channel.receive()] == ["buffered", "stays"]
    await second


# Trap 4: cancelled senders


async def test_a_sender_cancelled_while_the_channel_is_full_has_not_sent(make: Make) -> None:
    channel = make(1)
    await channel.send("buffered")
    sending = await waiting(channel.send("withdrawn"))

    await cancelled(sending)

    assert await everything(channel) == ["buffered"]


async def test_a_sender_cancelled_after_its_item_was_taken_has_sent_it_once(make: Make) -> None:
    channel = make(1)
    await channel.send("buffered")
    sending = await waiting(channel.send("taken"))

    assert channel.try_receive() == "buffered"
    await cancelled(sending)

    assert await everything(channel) == ["taken"]


async def test_a_cancelled_send_many_has_sent_a_first_part(make: Make) -> None:
    channel = make(3)
    sending = await waiting(channel.send_many(list(range(10))))
    assert [await channel.receive() for _ in range(2)] == [0, 1]

    await cancelled(sending)

    assert await everything(channel) == [2, 3, 4]


# Trap 5: closing


async def test_closing_keeps_buffered_items(make: Make) -> None:
    """Producers may close as soon as they are done; nothing sent is lost."""
    channel = make(2)
    await channel.send("last")

    channel.close()

    assert await channel.receive() == "last"
    with pytest.raises(EndOfChannel, match="is closed and empty"):
        await channel.receive()


async def test_closing_ends_every_waiting_receiver(make: Make) -> None:
    channel = make(2)
    receivers = [await waiting(channel.receive()) for _ in range(3)]

    channel.close()
    ends = await asyncio.gather(*receivers, return_exceptions=True)

    assert [type(end) for end in ends] == [EndOfChannel] * 3


async def test_closing_refuses_every_waiting_sender_and_sends_nothing_of_theirs(make: Make) -> None:
    channel = make(1)
    await channel.send("sent")
    senders = [await waiting(channel.send(number)) for number in range(3)]

    channel.close()
    refusals = await asyncio.gather(*senders, return_exceptions=True)

    assert [type(refusal) for refusal in refusals] == [ChannelClosed] * 3
    assert "was closed while this send waited" in str(refusals[0])
    assert [item async for item in channel] == ["sent"]


async def test_a_send_many_that_is_closed_upon_says_how_many_were_sent(make: Make) -> None:
    channel = make(3)
    sending = await waiting(channel.send_many(list(range(10))))
    assert await channel.receive() == 0

    channel.close()

    with pytest.raises(ChannelClosed) as refused:
        await sending
    assert refused.value.sent == 4
    assert [item async for item in channel] == [1, 2, 3]


async def test_closing_twice_is_fine(make: Make) -> None:
    channel = make(1)

    channel.close()
    channel.close()

    assert channel.closed


async def test_an_item_given_back_after_closing_reaches_the_receiver_that_still_waits(make: Make) -> None:
    """Nothing is in limbo: a closed channel has not ended while an item may still come back."""
    channel = make(1)
    first = await waiting(channel.receive())
    second = await waiting(channel.receive())
    channel.try_send("held")
    channel.close()

    await cancelled(first)

    assert await second == "held"


async def test_a_receiver_that_comes_after_closing_waits_for_an_item_that_may_come_back(make: Make) -> None:
    channel = make(1)
    first = await waiting(channel.receive())
    second = start(channel.receive())  # Its turn comes after the closing, and before that of the first.
    channel.try_send("held")
    channel.close()

    await cancelled(first)

    assert await second == "held"


async def test_the_others_end_once_the_last_promised_item_has_arrived(make: Make) -> None:
    channel = make(1)
    first = await waiting(channel.receive())
    second = await waiting(channel.receive())
    channel.try_send("held")
    channel.close()

    assert await first == "held"
    with pytest.raises(EndOfChannel):
        await second


async def test_a_send_after_closing_is_refused(make: Make) -> None:
    channel = make(1, name="orders")
    channel.close()

    for send in (channel.send(1), channel.send_many([1])):
        with pytest.raises(ChannelClosed, match="'orders' is closed; it takes no more items"):
            await send
    with pytest.raises(ChannelClosed, match="'orders' is closed"):
        channel.try_send(1)


async def test_draining_a_closed_channel_takes_the_rest(make: Make) -> None:
    channel = make(40)
    await channel.send_many(list(range(30)))
    await channel.send(30)
    channel.close()

    assert channel.drain() == list(range(31))
    assert channel.drain() == []


# Trap 6: time-outs


async def test_a_receive_that_times_out_has_taken_nothing(make: Make) -> None:
    channel = make(1, name="orders")

    with pytest.raises(ChannelTimeout, match=r"'orders' had no item for 0\.001 s"):
        await channel.receive(timeout_s=0.001)
    await channel.send("kept")

    assert len(channel) == 1


async def test_a_send_that_times_out_has_not_sent(make: Make) -> None:
    channel = make(1)
    await channel.send("buffered")

    with pytest.raises(ChannelTimeout, match=r"had no room for 0\.001 s"):
        await channel.send("late", timeout_s=0.001)

    assert await everything(channel) == ["buffered"]


async def test_a_send_many_that_times_out_says_how_many_were_sent(make: Make) -> None:
    channel = make(3)

    with pytest.raises(ChannelTimeout) as late:
        await channel.send_many(range(5), timeout_s=0.001)

    assert late.value.sent == 3
    assert await everything(channel) == [0, 1, 2]


async def test_a_time_out_that_is_not_needed_leaves_no_timer(make: Make) -> None:
    channel = make(1)
    receiving = await waiting(channel.receive(timeout_s=1000))

    await channel.send(1)

    assert await receiving == 1
    assert not [timer for timer in asyncio.get_running_loop()._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]


async def test_a_channel_time_out_is_a_time_out(make: Make) -> None:
    with pytest.raises(TimeoutError):
        await make(1).receive(timeout_s=0)


async def test_asyncio_timeout_around_a_receive_takes_nothing(make: Make) -> None:
    channel = make(1)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await channel.receive()
    channel.try_send("kept")

    assert await channel.receive() == "kept"


async def test_wait_for_around_a_send_either_sends_or_not(make: Make) -> None:
    channel = make(1)
    await channel.send("buffered")

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(channel.send("late"), 0.001)

    assert await everything(channel) == ["buffered"]


# Trap 6 again: two event loops


def test_a_second_event_loop_is_refused_while_a_task_of_the_first_waits(make: Make) -> None:
    channel = make(1, name="orders")
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
    receiving = first.create_task(channel.receive())
    first.run_until_complete(turns())

    for operation in (channel.send(1), channel.send_many([1]), channel.receive(), closing(channel)):
        with pytest.raises(WrongEventLoop, match="'orders' has a task of another event loop waiting"):
            second.run_until_complete(operation)

    receiving.cancel()
    first.run_until_complete(asyncio.gather(receiving, return_exceptions=True))
    first.close()
    second.close()


def test_a_second_event_loop_may_not_make_room_for_a_sender_of_the_first(make: Make) -> None:
    channel = make(1)
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
    sending = first.create_task(channel.send_many([1, 2]))
    first.run_until_complete(turns())

    for operation in (channel.send(1), channel.receive()):
        with pytest.raises(WrongEventLoop):
            second.run_until_complete(operation)

    sending.cancel()
    first.run_until_complete(asyncio.gather(sending, return_exceptions=True))
    first.close()
    second.close()


def test_another_thread_is_refused_while_a_task_waits(make: Make) -> None:
    channel = make(1)
    refusals: list[Exception] = []

    def send_from_elsewhere() -> None:
        try:
            channel.try_send(1)
        except WrongEventLoop as error:
            refusals.append(error)

    async def main() -> None:
        receiving = await waiting(channel.receive())
        thread = threading.Thread(target=send_from_elsewhere)
        thread.start()
        await asyncio.to_thread(thread.join)
        await cancelled(receiving)

    asyncio.run(main())
    assert len(refusals) == 1


def test_event_loops_may_take_turns(make: Make) -> None:
    channel = make(5)

    asyncio.run(channel.send_many([1, 2]))

    assert asyncio.run(channel.receive()) == 1
    assert asyncio.run(everything(channel)) == [2]


def test_a_task_of_a_loop_that_is_closed_no_longer_counts(make: Make) -> None:
    channel = make(1)
    first = asyncio.new_event_loop()
    first.set_exception_handler(lambda *_: None)
    receiving = first.create_task(channel.receive())
    first.run_until_complete(turns())
    first.close()

    asyncio.run(channel.send("for somebody alive"))

    assert asyncio.run(channel.receive()) == "for somebody alive"
    receiving._log_destroy_pending = False  # type: ignore[attr-defined]
    receiving.get_coro().close()


async def closing(channel: Channel[Any]) -> None:
    channel.close()


# Trap 8: modes


async def test_a_second_sender_at_once_is_refused_and_nothing_is_corrupted(make: Make) -> None:
    channel = make(1, mode=ChannelMode.SPSC, name="orders")
    await channel.send(1)
    first = asyncio.create_task(channel.send(2), name="first sender")
    await turns()

    with pytest.raises(ModeViolation, match=r"'orders' is SPSC .*first sender already waits to send; use MPSC or MPMC"):
        await channel.send(3)

    assert [await channel.receive(), await channel.receive()] == [1, 2]
    await first


@pytest.mark.parametrize("mode", [ChannelMode.SPSC, ChannelMode.MPSC])
async def test_a_second_receiver_at_once_is_refused_and_nothing_is_corrupted(make: Make, mode: ChannelMode) -> None:
    channel = make(1, mode=mode, name="orders")
    first = asyncio.create_task(channel.receive(), name="first receiver")
    await turns()

    with pytest.raises(ModeViolation, match=r"'orders' is .*first receiver already waits to receive; use MPMC, or one"):
        await channel.receive()
    channel.try_send("for the first")

    assert await first == "for the first"


@pytest.mark.parametrize("mode", [ChannelMode.SPSC, ChannelMode.MPSC])
async def test_with_one_receiver_a_newcomer_waits_for_what_was_handed_over_before(
    make: Make, mode: ChannelMode
) -> None:
    channel = make(5, mode=mode)
    first = await waiting(channel.receive())
    for number in range(3):
        channel.try_send(number)

    second = await channel.receive()

    assert (await first, second) == (0, 1)
    with pytest.raises(WouldBlock):
        _ = [channel.try_receive() for _ in range(2)]


@pytest.mark.parametrize("mode", [ChannelMode.SPSC, ChannelMode.MPSC])
@pytest.mark.parametrize("count", [2, 40])
async def test_with_one_receiver_a_receive_that_is_given_up_late_reorders_nothing(
    make: Make, mode: ChannelMode, count: int
) -> None:
    """Giving up and asking again in one breath is what every loop over several waits does."""
    channel = make(100, mode=mode)
    given_up = await waiting(channel.receive())
    await channel.send_many(list(range(count)))

    given_up.cancel()
    received = [await channel.receive()]
    received += await channel.receive_many(1)

    channel.close()
    assert received + [item async for item in channel] == list(range(count))


async def test_tasks_may_take_turns_in_any_mode(make: Make) -> None:
    channel = make(3, mode=ChannelMode.SPSC)

    async with asyncio.TaskGroup() as tasks:
        for number in range(3):
            tasks.create_task(channel.send(number))

    assert await everything(channel) == [0, 1, 2]


@pytest.mark.parametrize("senders", [1, 4])
async def test_several_senders_in_mpsc_all_get_through(make: Make, senders: int) -> None:
    channel = make(2, mode=ChannelMode.MPSC)
    tasks = [start(send_all(channel, [(sender, number) for number in range(20)])) for sender in range(senders)]

    received = [await channel.receive() for _ in range(20 * senders)]

    await asyncio.gather(*tasks)
    for sender in range(senders):
        assert [number for who, number in received if who == sender] == list(range(20))


# Batches


async def test_a_batch_is_at_most_what_was_asked_for(make: Make) -> None:
    channel = make(100)
    await channel.send_many(list(range(50)))

    assert [len(await channel.receive_many(20)) for _ in range(3)] == [20, 20, 10]


async def test_receive_many_takes_all_that_is_there(make: Make) -> None:
    channel = make(100)
    await channel.send(0)
    await channel.send_many(list(range(1, 40)))
    await channel.send(40)
    await channel.send_many([41, 42])

    assert await channel.receive_many() == list(range(43))


async def test_a_batch_larger_than_the_capacity_passes_in_parts(make: Make) -> None:
    channel = make(7)
    sending = start(channel.send_many(range(100)))

    received: list[int] = []
    while len(received) < 100:
        received += await channel.receive_many()

    assert received == list(range(100))
    assert channel.statistics().high_water_mark == 7
    await sending


async def test_batches_end_with_the_channel(make: Make) -> None:
    channel = make(100)
    await channel.send_many(list(range(90)))
    channel.close()

    assert [item async for batch in channel.batches(40) for item in batch] == list(range(90))


async def test_a_list_that_the_sender_goes_on_using_is_copied(make: Make) -> None:
    channel = make(100)
    mine = list(range(50))

    await channel.send_many(mine)
    mine.clear()

    assert await channel.receive_many() == list(range(50))


async def test_a_list_that_the_sender_changes_while_it_waits_is_copied(make: Make) -> None:
    channel = make(10)
    mine = list(range(50))
    sending = await waiting(channel.send_many(mine))

    mine.clear()
    received = [item async for item in first_items(channel, 50)]

    assert received == list(range(50))
    await sending


async def first_items(channel: Channel[Any], count: int) -> AsyncIterator[Any]:
    for _ in range(count):
        yield await channel.receive()


@pytest.mark.parametrize("items", [(1, 2, 3), range(1, 4), "abc", [], ()])
async def test_any_sequence_may_be_sent(make: Make, items: Any) -> None:
    channel = make(5)

    await channel.send_many(items)

    assert await everything(channel) == list(items)


async def test_receivers_that_wait_together_share_a_batch_evenly(make: Make) -> None:
    channel = make(100)
    receivers = [await waiting(channel.receive_many(100)) for _ in range(4)]

    await channel.send_many(list(range(40)))

    assert [len(batch) for batch in await asyncio.gather(*receivers)] == [10, 10, 10, 10]


async def test_a_waiting_batch_is_handed_no_more_than_the_capacity(make: Make) -> None:
    channel = make(10)
    receiving = await waiting(channel.receive_many(1000))
    sending = await waiting(channel.send_many(list(range(35))))

    assert len(channel) == 10
    batch = await receiving
    assert batch[:10] == list(range(10))

    sending.cancel()


async def test_single_items_and_batches_keep_their_order(make: Make) -> None:
    channel = make(200)
    for first in (0, 40, 80):
        await channel.send(first)
        await channel.send_many(list(range(first + 1, first + 39)))
        await channel.send(first + 39)

    received = [await channel.receive()]
    received += await channel.receive_many(60)
    received += [await channel.receive(), await channel.receive()]
    received += await everything(channel)

    assert received == list(range(120))


@pytest.mark.parametrize("most", [0, -1])
async def test_a_batch_of_nothing_is_refused(make: Make, most: int) -> None:
    channel = make(1)

    with pytest.raises(InvalidCapacity, match=f"a batch of at most {most} items would hold nothing; give at least 1"):
        await channel.receive_many(most)
    with pytest.raises(InvalidCapacity):
        channel.batches(most)


# Without waiting


async def test_try_receive_from_an_empty_channel_would_block(make: Make) -> None:
    with pytest.raises(WouldBlock, match="'orders' is empty"):
        make(1, name="orders").try_receive()


async def test_try_send_into_a_full_channel_would_block(make: Make) -> None:
    channel = make(1, name="orders")
    channel.try_send(1)

    with pytest.raises(WouldBlock, match="'orders' is full with 1 items"):
        channel.try_send(2)


async def test_try_receive_from_an_ended_channel_ends(make: Make) -> None:
    channel = make(1)
    channel.close()

    with pytest.raises(EndOfChannel):
        channel.try_receive()


# Statistics


async def test_statistics_count_what_went_through(make: Make) -> None:
    channel = make(30)
    await channel.send(1)
    await channel.send_many(list(range(20)))
    await channel.receive()
    await channel.receive_many(5)
    channel.try_receive()

    statistics = channel.statistics()

    assert (statistics.sent, statistics.received, statistics.buffered) == (21, 7, 14)
    assert statistics.high_water_mark == 21
    assert not statistics.closed


async def test_statistics_name_the_tasks_that_wait_the_longest_first(make: Make) -> None:
    channel = make(1)
    receivers = [asyncio.create_task(channel.receive(), name=f"receiver {number}") for number in range(2)]
    await turns()

    assert channel.statistics().waiting_receivers == ("receiver 0", "receiver 1")
    assert channel.statistics().waiting_senders == ()

    await channel.send_many([1, 2])
    await asyncio.gather(*receivers)
    assert channel.statistics().waiting_receivers == ()


async def test_statistics_name_waiting_senders_also_under_a_time_out(make: Make) -> None:
    channel = make(1)
    await channel.send(1)
    sender = asyncio.create_task(channel.send(2, timeout_s=100), name="slow")
    await turns()

    assert channel.statistics().waiting_senders == ("slow",)

    await channel.receive()
    await sender


@pytest.mark.parametrize("capacity", [0, -1])
def test_a_capacity_below_one_is_refused(make: Make, capacity: int) -> None:
    with pytest.raises(InvalidCapacity, match=f"{capacity} would let nothing through; give at least 1"):
        make(capacity)


def test_the_text_of_a_channel_says_its_name_mode_and_fill(make: Make) -> None:
    channel = make(5, mode=ChannelMode.MPSC, name="orders")
    channel.try_send(1)

    assert repr(channel).startswith("<")
    assert "'orders' MPSC open 1/5" in repr(channel)


# Memory


async def test_a_channel_in_use_takes_little_memory(make: Make) -> None:
    """All that waiting and batches need is there; only what is buffered comes on top."""
    channels = [make(20) for _ in range(100)]
    await use(channels[0])
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        used = [make(20) for _ in range(100)]
        for channel in used:
            await use(channel)
        gc.collect()
        each = (tracemalloc.get_traced_memory()[0] - before) / len(used)
    finally:
        tracemalloc.stop()

    assert each <= 2400


async def use(channel: Channel[Any]) -> None:
    """Send, receive and wait in every way, and leave the channel empty."""
    receiving = await waiting(channel.receive())
    await channel.send(1)
    await receiving
    await channel.send_many([None] * 20)
    sending = await waiting(channel.send(1))
    assert len(await channel.receive_many(20)) == 20
    await sending
    await channel.receive()


async def test_a_thousand_waits_that_end_leave_nothing_behind(make: Make) -> None:
    channel = make(1)

    for _ in range(1000):
        with pytest.raises(ChannelTimeout):
            await channel.receive(timeout_s=0)

    assert channel._receivers == []
    assert channel._promised == []


# Any loop


def test_the_channel_works_on_uvloop(make: Make) -> None:
    uvloop = pytest.importorskip("uvloop")

    async def main() -> None:
        channel = make(2, mode=ChannelMode.SPSC)
        task = start(send_all(channel, range(100)))
        assert [await channel.receive() for _ in range(100)] == list(range(100))
        await task
        receiving = await waiting(channel.receive())
        channel.try_send("precious")
        await cancelled(receiving)
        assert await channel.receive(timeout_s=1) == "precious"
        with pytest.raises(ChannelTimeout):
            await channel.receive(timeout_s=0.001)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def test_a_second_loop_is_refused_on_uvloop_too(make: Make) -> None:
    uvloop = pytest.importorskip("uvloop")
    channel = make(1)
    first, second = uvloop.new_event_loop(), uvloop.new_event_loop()
    receiving = first.create_task(channel.receive())
    first.run_until_complete(turns())

    with pytest.raises(WrongEventLoop):
        second.run_until_complete(channel.send(1))

    receiving.cancel()
    first.run_until_complete(asyncio.gather(receiving, return_exceptions=True))
    first.close()
    second.close()
