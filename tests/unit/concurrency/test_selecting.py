from __future__ import annotations

import asyncio
from typing import Any

import pytest

from wfrun.concurrency import select as lazily_loaded
from wfrun.concurrency.byte_channel import ByteChannel
from wfrun.concurrency.channel import Channel, ChannelMode
from wfrun.concurrency.errors import (
    ChannelClosed,
    ChannelTimeout,
    EndOfChannel,
    InvalidMeasure,
    ModeViolation,
    WrongEventLoop,
)
from wfrun.concurrency.priority import PriorityChannel
from wfrun.concurrency.selecting import Selected, select
from wfrun.errors import UsageError


async def turns(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def waiting(*arms: Any, timeout_s: float | None = None) -> asyncio.Task[Selected[Any]]:
    task = asyncio.create_task(select(*arms, timeout_s=timeout_s), name="selecting")
    await turns()
    assert not task.done()
    return task


def untouched(channel: Channel[Any]) -> bool:
    statistics = channel.statistics()
    return (
        not statistics.waiting_senders
        and not statistics.waiting_receivers
        and not (channel._senders or channel._receivers or channel._promised)
    )


async def test_a_channel_that_has_an_item_is_received_from() -> None:
    empty, full = Channel[str](1), Channel[str](1)
    await full.send("here")

    chosen = await select(empty.receiving(), full.receiving())

    assert chosen == Selected(1, full, "here")
    assert untouched(empty)


async def test_a_channel_that_has_room_is_sent_to() -> None:
    full, roomy = Channel[str](1), Channel[str](1)
    await full.send("in the way")

    chosen = await select(full.sending("a"), roomy.sending("b"))

    assert chosen == Selected(1, roomy, "b")
    assert (len(full), len(roomy)) == (1, 1)


async def test_the_first_channel_to_get_an_item_ends_the_wait() -> None:
    one, other = Channel[str](1), Channel[str](1)
    task = await waiting(one.receiving(), other.receiving())

    await other.send("first")
    await one.send("second")

    assert await task == Selected(1, other, "first")
    assert await one.receive() == "second"


async def test_the_first_channel_to_get_room_ends_the_wait() -> None:
    one, other = Channel[str](1), Channel[str](1)
    await one.send("x")
    await other.send("y")
    task = await waiting(one.sending("a"), other.sending("b"))

    assert await other.receive() == "y"
    assert await one.receive() == "x"

    assert await task == Selected(1, other, "b")
    assert (len(one), await other.receive()) == (0, "b")


async def test_exactly_one_operation_happens_when_all_become_possible_at_once() -> None:
    source, sink = Channel[str](1), Channel[str](1)
    await sink.send("full")
    task = await waiting(source.receiving(), sink.sending("sent"))

    source.try_send("received")
    sink.try_receive()

    assert (await task).item == "received"
    assert len(sink) == 0
    assert untouched(source)
    assert untouched(sink)


async def test_no_arm_starves_another() -> None:
    one, other = Channel[int](None), Channel[int](None)
    for number in range(200):
        one.try_send(number)
        other.try_send(number)

    chosen = [(await select(one.receiving(), other.receiving())).index for _ in range(100)]

    assert 45 <= sum(chosen) <= 55


async def test_no_arm_starves_another_where_selects_are_nested() -> None:
    """The inner select must not make the outer one start at the same arm each time."""
    one, other, inner = Channel[int](None), Channel[int](None), Channel[int](None)
    for number in range(200):
        for channel in (one, other, inner):
            channel.try_send(number)

    chosen = []
    for _ in range(100):
        chosen.append((await select(one.receiving(), other.receiving())).index)
        await select(inner.receiving(), inner.receiving())

    assert 45 <= sum(chosen) <= 55


async def test_an_ended_channel_is_passed_over() -> None:
    ended, live = Channel[str](1), Channel[str](1)
    ended.close()
    task = await waiting(ended.receiving(), live.receiving())

    await live.send("still here")

    assert (await task).index == 1


async def test_a_closed_channel_is_received_from_until_it_is_empty() -> None:
    closed = Channel[str](1)
    await closed.send("last")
    closed.close()

    assert (await select(closed.receiving())).item == "last"
    with pytest.raises(EndOfChannel):
        await select(closed.receiving())


async def test_a_channel_that_ends_meanwhile_is_passed_over() -> None:
    ending, live = Channel[str](1), Channel[str](1)
    task = await waiting(ending.receiving(), live.receiving())

    ending.close()
    await turns()
    assert not task.done()
    await live.send("still here")

    assert (await task).index == 1


async def test_when_the_last_channel_ends_the_wait_ends() -> None:
    one, other = Channel[str](1), Channel[str](1)
    task = await waiting(one.receiving(), other.receiving())

    one.close()
    other.close()

    with pytest.raises(EndOfChannel, match="every channel of this select is closed and empty"):
        await task


async def test_a_sending_arm_of_a_closed_channel_is_refused_and_nothing_is_done() -> None:
    ready, closed = Channel[str](1), Channel[str](1, name="orders")
    await ready.send("stays")
    closed.close()

    for _ in range(3):
        with pytest.raises(ChannelClosed, match="'orders' is closed"):
            await select(ready.receiving(), closed.sending("x"))

    assert len(ready) == 1


async def test_a_sending_arm_whose_channel_closes_meanwhile_is_refused() -> None:
    quiet, full = Channel[str](1), Channel[str](1, name="orders")
    await full.send("x")
    task = await waiting(quiet.receiving(), full.sending("y"))

    full.close()

    with pytest.raises(ChannelClosed, match="'orders' is closed"):
        await task
    assert untouched(quiet)
    assert full.drain() == ["x"]


async def test_a_time_out_leaves_all_channels_as_they_were() -> None:
    source, sink = Channel[str](1), Channel[str](1)
    await sink.send("x")

    with pytest.raises(ChannelTimeout, match=r"none of 2 arms became possible within 0\.001 s"):
        await select(source.receiving(), sink.sending("y"), timeout_s=0.001)

    assert untouched(source)
    assert untouched(sink)
    assert sink.drain() == ["x"]


async def test_cancelling_leaves_all_channels_as_they_were() -> None:
    source, sink = Channel[str](1), Channel[str](1)
    await sink.send("x")
    task = await waiting(source.receiving(), sink.sending("y"))

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert untouched(source)
    assert untouched(sink)
    assert sink.drain() == ["x"]


async def test_an_item_handed_to_a_select_that_is_cancelled_goes_to_the_next() -> None:
    one, other = Channel[str](1), Channel[str](1)
    task = await waiting(one.receiving(), other.receiving())
    next_in_line = asyncio.create_task(one.receive())
    await turns()
    one.try_send("precious")

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await next_in_line == "precious"
    assert untouched(other)


async def test_a_select_waits_in_line_like_everybody() -> None:
    channel, other = Channel[str](5), Channel[str](5)
    before = asyncio.create_task(channel.receive())
    await turns()
    task = await waiting(channel.receiving(), other.receiving())
    after = asyncio.create_task(channel.receive())
    await turns()

    for item in "abc":
        await channel.send(item)

    assert (await before, (await task).item, await after) == ("a", "b", "c")


async def test_two_selects_can_meet() -> None:
    channel, other = Channel[str](1), Channel[str](1)
    receiving = await waiting(channel.receiving(), other.receiving())

    sent = await select(channel.sending("met"))

    assert sent == Selected(0, channel, "met")
    assert await receiving == Selected(0, channel, "met")


async def test_places_at_a_quiet_channel_do_not_pile_up() -> None:
    quiet, busy = Channel[int](1), Channel[int](1)

    for number in range(50):
        task = await waiting(quiet.receiving(), busy.receiving())
        await busy.send(number)
        assert (await task).item == number

    assert untouched(quiet)


async def test_a_served_select_no_longer_stops_senders_of_its_other_channels() -> None:
    one, other = Channel[int](2), Channel[int](2)
    task = await waiting(one.receiving(), other.receiving())
    one.try_send(1)

    other.try_send(2)

    assert len(other) == 1
    assert (await task).item == 1


@pytest.mark.parametrize("kind", [ByteChannel(100), PriorityChannel(2, priority=len)])
async def test_other_kinds_of_channels_take_part(kind: Channel[bytes]) -> None:
    plain = Channel[bytes](1)
    task = await waiting(plain.receiving(), kind.receiving())

    assert (await select(kind.sending(b"abc"))).item == b"abc"
    assert (await task).item == b"abc"
    await kind.send(b"buffered")

    assert (await select(kind.receiving())).item == b"buffered"


async def test_an_item_that_cannot_be_measured_fails_where_the_arm_is_made() -> None:
    channel = ByteChannel[object](10, weigh=lambda _: -1)

    with pytest.raises(InvalidMeasure):
        channel.sending("x")


async def test_a_mode_is_kept_by_select_too() -> None:
    channel, other = Channel[int](1, mode=ChannelMode.SPSC, name="orders"), Channel[int](1)
    task = await waiting(other.receiving(), channel.receiving())

    with pytest.raises(ModeViolation, match=r"'orders' is SPSC .*selecting already waits to receive"):
        await select(other.receiving(), channel.receiving())

    assert len(other._receivers) == 1
    await other.send(1)
    await task


def test_another_event_loop_is_refused() -> None:
    channel, other = Channel[int](1), Channel[int](1)
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
    task = first.create_task(select(channel.receiving(), other.receiving()))
    first.run_until_complete(turns())

    with pytest.raises(WrongEventLoop):
        second.run_until_complete(select(other.receiving(), channel.receiving()))

    task.cancel()
    first.run_until_complete(asyncio.gather(task, return_exceptions=True))
    assert untouched(channel)
    assert untouched(other)
    first.close()
    second.close()


async def test_a_select_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="at least one arm"):
        await select()


async def test_unbounded_sends_by_select_let_others_run() -> None:
    channel = Channel[int](None)
    others_ran = asyncio.Event()
    asyncio.get_running_loop().call_soon(others_ran.set)

    for number in range(10):
        await select(channel.sending(number))

    assert others_ran.is_set()


def test_the_function_is_not_hidden_by_its_module() -> None:
    assert lazily_loaded is select
