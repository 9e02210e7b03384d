"""Waiting for one of several channel operations, and doing exactly that one.

Theory of operation. First every arm is tried without waiting. When none can go, the task stands in line at every
channel with one shared future: whoever serves one of its places ends the future and has thereby committed that arm;
the other places count as left from that moment, and are taken away when the task runs.

The file is not called like its function, or importing it would hide the function in the package.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from wfrun.concurrency.errors import ChannelTimeout, EndOfChannel
from wfrun.concurrency.parking import Ending, Parked, ParkedReceiver, ParkedSender, one_turn, wait
from wfrun.errors import UsageError

if TYPE_CHECKING:
    from wfrun.concurrency.arms import Arm
    from wfrun.concurrency.channel import Channel
    from wfrun.concurrency.parking import Wait

__all__ = ["Selected", "select"]

T = TypeVar("T")

_GOLDEN_RATIO: Final = 0.6180339887498949
_turns: Final = itertools.count()


@dataclass(frozen=True, slots=True)
class Selected(Generic[T]):
    """What a ``select`` did."""

    index: int
    """Which of the arms, counted from 0."""
    channel: Channel[T]
    item: T
    """The item received, or the one sent."""


async def select(*arms: Arm[Any], timeout_s: float | None = None) -> Selected[Any]:
    """Do exactly one of several operations, waiting until one is possible.

    Arms are made by :meth:`Channel.receiving` and :meth:`Channel.sending`. Where several are possible, no arm is
    preferred for long. Receiving arms of channels that have ended are passed over, also while waiting. Cancelling or
    a time-out leaves all channels as they were, except that, as with ``send``, a sending arm may have been served in
    the moment of the cancellation.

    Raises:
        EndOfChannel: Every arm receives, and every channel is closed and empty.
        ChannelClosed: The channel of a sending arm is closed, or was closed meanwhile; nothing was done.
        ChannelTimeout: No arm became possible within ``timeout_s`` seconds.
        ModeViolation, WrongEventLoop: As for ``send`` and ``receive``; nothing was done.
        UsageError: No arm was given.
    """
    if not arms:
        raise UsageError("select needs at least one arm, such as channel.receiving()")
    done, open_arms = _try_each(arms)
    if done is not None:
        if arms[done.index].sends and done.channel.capacity is None:
            await one_turn()  # Such a send never waits, and a loop of them would starve the others.
        return done
    if not open_arms:
        raise EndOfChannel("every channel of this select is closed and empty")
    return await _wait_for_one(arms, open_arms, timeout_s)


def _try_each(arms: tuple[Arm[Any], ...]) -> tuple[Selected[Any] | None, list[int]]:
    """Do the first operation that need not wait; else return the indices of those that may still become possible."""
    for arm in arms:
        if arm.sends and arm.channel.closed:
            raise arm.channel._refusal()
    open_arms: list[int] = []
    # Multiples of the golden ratio are spread evenly, and stay so for whoever sees only every second or third of them.
    first = int(next(_turns) * _GOLDEN_RATIO % 1 * len(arms))
    for index in (*range(first, len(arms)), *range(first)):
        arm = arms[index]
        channel = arm.channel
        if arm.sends:
            if channel._put(arm.entry):
                return Selected(index, channel, arm.item), []
        elif len(channel):
            return Selected(index, channel, channel._leave(channel._take())), []
        elif channel._ended():
            continue
        open_arms.append(index)
    return None, open_arms


async def _wait_for_one(arms: tuple[Arm[Any], ...], open_arms: list[int], timeout_s: float | None) -> Selected[Any]:
    future: Wait = asyncio.Future()
    places: dict[int, Parked] = {}
    try:
        group = _Group(sum(not arms[index].sends for index in open_arms), any(arms[index].sends for index in open_arms))
        for index in open_arms:
            places[index] = _line_up(arms[index], future, group)
        ending = await wait(future, timeout_s)
    except BaseException:
        for index, parked in places.items():
            _undo(arms[index].channel, parked)
        raise
    chosen: Selected[Any] | None = None
    for index, parked in places.items():
        channel = arms[index].channel
        if parked is not ending:
            channel._leave_line(parked)
        elif isinstance(parked, ParkedReceiver):
            chosen = Selected(index, channel, channel._leave(channel._redeem(parked)[0]))
        else:
            channel._stirred = False
            chosen = Selected(index, channel, arms[index].item)
    if chosen is not None:
        return chosen
    if ending is Ending.EXPIRED:
        raise ChannelTimeout(f"none of {len(arms)} arms became possible within {timeout_s} s")
    for index in open_arms:
        if arms[index].sends and arms[index].channel.closed:
            raise arms[index].channel._refusal()
    raise EndOfChannel("every channel of this select is closed and empty")


@dataclass(slots=True)
class _Group:
    """How many receiving arms of one select are left, and whether there are sending ones."""

    receiving: int
    sends: bool


class _ReceivingArm(ParkedReceiver):
    """A place of a select. The end of its channel ends the select only when no other arm is left."""

    __slots__ = ("group",)

    group: _Group

    def close(self) -> None:
        self.group.receiving -= 1
        if not self.group.receiving and not self.group.sends:
            super().close()


def _line_up(arm: Arm[Any], future: Wait, group: _Group) -> Parked:
    parked: ParkedSender | ParkedReceiver
    if arm.sends:
        parked = ParkedSender()
        parked.ending, parked.future, parked.items = None, future, [arm.entry]
        arm.channel._line_up_sender(parked)
    else:
        parked = _ReceivingArm()
        parked.ending, parked.future, parked.most, parked.group = None, future, 1, group
        arm.channel._line_up_receiver(parked)
    return parked


def _undo(channel: Channel[Any], parked: Parked) -> None:
    if isinstance(parked, ParkedReceiver):
        channel._abandon(parked)
    else:
        channel._leave_line(parked)
