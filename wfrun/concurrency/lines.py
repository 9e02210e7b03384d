"""The two lines at a channel: senders that wait for room, receivers that wait for an item.

Theory of operation. Senders wait only while the channel is full, receivers only while it is empty, so there is one
line at a time.

- A receiver that waits is handed its items by the sender: they never enter the buffer, so no newcomer can take them.
  It is then *promised* until its task runs. When it is cancelled before that, it gives the items back: each later
  promise moves up by one receiver, and what the last one held goes to the front of the line or of the buffer, so the
  order stays.
- A sender that waits leaves its items here; the receiver that makes room takes them over in order, so no newcomer can
  slip in between.
- While anything is promised, a closed channel has not ended: the promise may come back.

Where items lie is the business of :mod:`wfrun.concurrency.channel`, whose two fast paths look at ``_limit`` and
``_takeable`` alone; this module shuts them while somebody is in line.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from threading import get_ident
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar

from wfrun.concurrency.errors import ChannelClosed, ChannelTimeout, EndOfChannel, ModeViolation, WrongEventLoop
from wfrun.concurrency.parking import (
    Ending,
    Parked,
    ParkedReceiver,
    ParkedSender,
    one_turn,
    runs_here,
    task_names,
    wait,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wfrun.concurrency.channel_facts import ChannelMode
    from wfrun.concurrency.parking import Wait

__all__ = ["NOTHING", "WaitingLines"]

T = TypeVar("T")

NOTHING: Final[deque[Any]] = deque(maxlen=0)
"""What `_takeable` is while a receive must look closer."""


class WaitingLines(Generic[T]):
    """Who waits at a channel, and the hand-overs between them. The channel itself adds the buffer."""

    __slots__ = (
        "__weakref__",
        "_bound",
        "_ceiling",
        "_closed",
        "_elsewhere",
        "_items",
        "_limit",
        "_one_receiver",
        "_promised",
        "_received",
        "_receivers",
        "_recording",
        "_senders",
        "_stirred",
        "_takeable",
        "mode",
        "name",
    )

    _KIND: ClassVar = "channel"

    def __init__(self, mode: ChannelMode, name: str) -> None:
        self.mode: Final = mode
        self.name: Final = name
        self._one_receiver: Final = mode.one_receiver
        self._closed = False
        self._items: deque[T] = deque()
        self._elsewhere = 0  # how many items are buffered outside _items
        # Lists, because few tasks wait at once, and an empty deque is ten times as large as an empty list.
        self._senders: list[ParkedSender] = []
        self._receivers: list[ParkedReceiver] = []
        self._promised: list[ParkedReceiver] = []
        self._stirred = False  # a waiting sender was served and has not run yet
        self._received = 0
        self._recording = True
        self._bound = sys.maxsize
        self._ceiling = self._limit = 0
        self._takeable: deque[T] = NOTHING

    def __len__(self) -> int:
        """Return how many items are buffered now."""
        return len(self._items) + self._elsewhere

    # What the buffer offers.

    def _store(self, item: T) -> bool:
        """Put ``item`` behind the others if it fits; return whether it did."""
        raise NotImplementedError

    def _store_many(self, items: Sequence[T], start: int, *, owned: bool) -> int:
        """Put in as many of ``items[start:]`` as fit; return the index of the first that did not.

        With ``owned`` nobody else holds the list, so that it may be kept.
        """
        raise NotImplementedError

    def _pop_many(self, most: int, *, whole: bool) -> list[T]:
        """Take out up to ``most`` items, at least one; with ``whole`` rather fewer than copy."""
        raise NotImplementedError

    def _put_back(self, items: list[T]) -> None:
        """Put ``items``, which were handed over but never arrived, before all others, whether they fit or not."""
        raise NotImplementedError

    def _retune(self) -> None:
        """Set what the fast paths look at, after anything that they do not do themselves."""
        raise NotImplementedError

    def _record_peak(self) -> None:
        """Take the high-water mark, before the buffer shrinks or a sender waits."""
        raise NotImplementedError

    def _cut(self, items: Sequence[T], start: int, most: int) -> int:
        """Return up to where ``items[start:]`` may be handed to one receiver that takes ``most``; at least one item."""
        return start + min(len(items) - start, most, self._bound)

    # Putting in

    def _put(self, item: T) -> bool:
        """Hand ``item`` over, or put it in if nobody waits to send and there is room; return whether it happened."""
        if self._closed:
            raise self._refusal()
        if self._receivers and self._serve(item):
            return True
        if self._senders and self._anyone(self._senders):
            return False
        return self._store(item)

    def _put_many(self, items: Sequence[T], *, owned: bool) -> int:
        """Do the same for ``items`` as far as possible; return the index of the first that has to wait."""
        if self._closed:
            raise self._refusal()
        start = self._hand_over(items, owned=owned) if self._receivers else 0
        if start == len(items) or (self._senders and self._anyone(self._senders)):
            return start
        return self._store_many(items, start, owned=owned)

    def _serve(self, item: T) -> bool:
        """Hand ``item`` to the receiver that has waited longest; return whether there was one."""
        receivers = self._receivers
        parked = receivers[0]
        future = parked.future
        if future is not None:
            # runs_here() written out, and no question whether the wait has ended: each call would be a twentieth of
            # what handing over costs.
            if getattr(future.get_loop(), "_thread_id", None) != get_ident() and not runs_here(future):
                if not self._anyone(receivers):
                    self._retune()
                    return False
                if receivers[0] is not parked:
                    return self._serve(item)
            try:
                future.set_result(parked)
            except asyncio.InvalidStateError:
                if not self._anyone(receivers):
                    self._retune()
                    return False
                return self._serve(item)
        del receivers[0]
        if not receivers:
            self._limit = self._ceiling
        parked.items = [item]
        parked.ending = parked
        self._promised.append(parked)
        if self._one_receiver:
            self._takeable = NOTHING
        self._received += 1
        return True

    def _hand_over(self, items: Sequence[T], *, owned: bool) -> int:
        """Share ``items`` evenly among the receivers in line; return the index of the first left over."""
        receivers = self._receivers
        total = len(items)
        start = 0
        while start < total and self._anyone(receivers):
            parked = receivers.pop(0)
            share = parked.most if not receivers else min(parked.most, -(-(total - start) // (len(receivers) + 1)))
            end = self._cut(items, start, share)
            piece = items if owned and end - start == total else items[start:end]
            parked.items = piece if type(piece) is list else list(piece)
            parked.end(parked)
            self._promised.append(parked)
            self._received += end - start
            start = end
        self._retune()
        return start

    def _admit(self) -> None:
        """Take over what waiting senders left here, oldest first, as far as it fits."""
        senders = self._senders
        while senders:
            future = senders[0].future
            if future is not None and (future.done() or not runs_here(future)) and not self._anyone(senders):
                break
            parked = senders[0]
            items = parked.items
            if len(items) == 1:
                if not self._store(items[0]):
                    return
            else:
                total = len(items)
                parked.start = self._store_many(items, parked.start, owned=True)
                if parked.start < total:
                    return
            del senders[0]
            self._stirred = True
            parked.ending = parked
            if parked.future is not None:
                parked.future.set_result(parked)
        if not self._recording and not (self._promised and self._one_receiver):
            self._takeable = self._items

    # Waiting

    async def _wait_to_send(self, items: list[T], sent: int, timeout_s: float | None) -> None:
        """Wait until all ``items`` were taken over; ``sent`` others of the same call went before."""
        parked = ParkedSender()
        parked.ending = parked.future = None
        parked.items = items
        self._line_up_sender(parked)
        try:
            if self._promised:
                await one_turn()
            ending = parked.ending
            if ending is None:
                future: Wait = asyncio.Future()
                parked.future = future
                ending = await (future if timeout_s is None else wait(future, timeout_s))
        except BaseException:
            self._leave_line(parked)
            raise
        finally:
            self._stirred = False
        if ending is parked:
            del parked.items  # as in _redeem
            return
        self._leave_line(parked)
        error: ChannelClosed | ChannelTimeout
        if ending is Ending.CLOSED:
            error = ChannelClosed(f"{self._label()} was closed while this send waited for room")
        else:
            error = ChannelTimeout(f"{self._label()} had no room for {timeout_s} s ({len(self)} items buffered)")
        error.sent = sent + parked.start
        raise error

    async def _wait_to_receive(self, most: int, timeout_s: float | None) -> list[T]:
        """Wait until up to ``most`` items are handed over, and return them."""
        parked = self._park_receiver(most)
        try:
            if self._stirred:
                await one_turn()
            ending = parked.ending
            if ending is None:
                future: Wait = asyncio.Future()
                parked.future = future
                ending = await (future if timeout_s is None else wait(future, timeout_s))
        except BaseException:
            self._abandon(parked)
            raise
        if ending is not parked:
            raise self._nothing_came(parked, ending, timeout_s)
        return self._redeem(parked)

    def _park_receiver(self, most: int) -> ParkedReceiver:
        parked = ParkedReceiver()
        parked.ending = parked.future = None
        parked.most = most
        self._line_up_receiver(parked)
        return parked

    def _nothing_came(
        self, parked: ParkedReceiver, ending: Parked | Ending, timeout_s: float | None
    ) -> EndOfChannel | ChannelTimeout:
        self._leave_line(parked)
        if ending is Ending.CLOSED:
            return EndOfChannel(f"{self._label()} is closed and empty")
        return ChannelTimeout(f"{self._label()} had no item for {timeout_s} s")

    def _line_up_sender(self, parked: ParkedSender) -> None:
        if self._senders and self._anyone(self._senders) and self.mode.one_sender:
            raise self._violation(task_names(self._senders), "send")
        parked.start = 0
        self._senders.append(parked)
        if self._recording:
            self._record_peak()
        self._takeable = NOTHING

    def _line_up_receiver(self, parked: ParkedReceiver) -> None:
        if self._receivers:
            self._check_receivers()
        self._receivers.append(parked)
        self._limit = -1

    def _check_receivers(self) -> None:
        if self._anyone(self._receivers) and self._one_receiver:
            raise self._violation(task_names(self._receivers), "receive")

    def _redeem(self, parked: ParkedReceiver) -> list[T]:
        """Return what was handed to a receiver, now that its task runs."""
        promised = self._promised
        if promised[0] is parked:
            del promised[0]
        else:
            promised.remove(parked)
        if self._receivers:
            self._resume()
        elif not self._senders and not self._recording:
            self._takeable = self._items
        if self._closed:
            self._end_receivers()
        items: list[T] = parked.items
        # A wait that went through refers to itself, so what it holds would live until garbage is collected.
        del parked.items
        return items

    def _abandon(self, parked: ParkedReceiver) -> None:
        """Undo a receive that was cancelled; what was handed to it goes to the next one, in the order it was sent."""
        if parked.ending is not parked:
            self._leave_line(parked)
            return
        position = self._promised.index(parked)
        back: list[T] = parked.items
        del parked.items  # as in _redeem
        for later in self._promised[position + 1 :]:
            # A receiver of single items can hold but one; the rest stays with what comes back.
            kept = back[: later.most]
            back = back[later.most :] + later.items
            later.items = kept
        del self._promised[position]
        self._received -= len(back)
        start = self._hand_over(back, owned=True) if self._receivers else 0
        if start < len(back):
            self._put_back(back[start:])
        self._resume()
        if self._closed:
            self._end_receivers()
        self._retune()

    def _resume(self) -> None:
        """Give what is buffered to a receiver that came while an earlier one had yet to take what it was handed."""
        if self._receivers and len(self) and not self._promised and self._anyone(self._receivers):
            parked = self._receivers.pop(0)
            parked.items = self._pop_many(parked.most, whole=False)
            self._received += len(parked.items)
            parked.end(parked)
            self._promised.append(parked)
        self._retune()

    def _leave_line(self, parked: Parked) -> None:
        line: list[Any] = self._senders if isinstance(parked, ParkedSender) else self._receivers
        if parked in line:
            line.remove(parked)
        self._retune()

    def _end_receivers(self) -> None:
        # While an item is promised it may still come back, so the others wait to see whether it does.
        if not self._promised and not len(self):
            for parked in self._receivers:
                parked.close()
            self._receivers.clear()

    def _anyone(self, line: list[ParkedSender] | list[ParkedReceiver]) -> bool:
        """Return whether anybody still waits in line; those whose wait has ended are dropped from its head.

        Raises:
            WrongEventLoop: The one that has waited longest belongs to another event loop.
        """
        while line:
            future = line[0].future
            if future is None:
                return True
            loop = future.get_loop()
            if not future.done() and not loop.is_closed():
                # Without a running loop on either side nobody can be in the other's way.
                if runs_here(future) or (asyncio._get_running_loop() is None and not loop.is_running()):
                    return True
                raise WrongEventLoop(
                    f"{self._label()} has a task of another event loop waiting at it; "
                    "a channel joins tasks of one loop: use process workers or run_coroutine_threadsafe to cross"
                )
            del line[0]
        return False

    # Refusals

    def _refusal(self) -> ChannelClosed:
        return ChannelClosed(f"{self._label()} is closed; it takes no more items")

    def _violation(self, names: tuple[str, ...], verb: str) -> ModeViolation:
        return ModeViolation(
            f"{self._label()} is {self.mode.name} ({self.mode.value}): {', '.join(names)} already waits to {verb}; "
            f"use {'MPSC or MPMC' if verb == 'send' else 'MPMC'}, or one task"
        )

    def _label(self) -> str:
        return f"{self._KIND} {self.name!r}" if self.name else self._KIND
