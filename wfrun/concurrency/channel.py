"""A bounded first-in, first-out queue between tasks of one event loop.

Theory of operation. Sending and receiving that need not wait are one length check, one deque operation and one test
for somebody parked; everything rare is encoded in ``_limit`` so that the check covers it: a closed channel, or one
whose newest items lie in segments, has limit -1.

- A receiver that waits is *woken*, not handed an item: the item stays in the buffer, promised. Cancelling the receiver
  in that moment loses nothing, the promise goes to the next one. Until it runs, the limit is one higher: its item is
  as good as gone, so a sender need not wait for it. Newcomers stand behind promises.
- A sender that waits leaves its items at the channel; the receiver that makes room takes them over in order, so no
  newcomer can slip in between.
- ``send_many`` appends a copied slice, a *segment*, behind the single items, and ``batches`` takes segments whole: a
  batch costs about a nanosecond an item, and still every item counts against the capacity.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from wfrun.concurrency.errors import (
    ChannelClosed,
    ChannelTimeout,
    EndOfChannel,
    InvalidCapacity,
    ModeViolation,
    WouldBlock,
    WrongEventLoop,
)
from wfrun.concurrency.parking import Ending, Parked, expire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

__all__ = ["Channel", "ChannelMode", "ChannelStatistics"]

T = TypeVar("T")

YIELD_EVERY: Final = 1000
"""An unbounded send never waits; after this many the sender lets others run, or it would starve them."""

DEFAULT_BATCH: Final = 1024


class ChannelMode(Enum):
    """How many tasks may send and receive at once. The channel refuses more; tasks may take turns."""

    SPSC = "single producer, single consumer"
    MPSC = "multiple producers, single consumer"
    MPMC = "multiple producers, multiple consumers"

    @property
    def one_sender(self) -> bool:
        """Whether a second sender at once is refused."""
        return self is ChannelMode.SPSC

    @property
    def one_receiver(self) -> bool:
        """Whether a second receiver at once is refused."""
        return self is not ChannelMode.MPMC


@dataclass(frozen=True, slots=True)
class ChannelStatistics:
    """What went through a channel so far, and who waits at it now."""

    sent: int
    """Items the channel accepted."""
    received: int
    """Items taken out."""
    buffered: int
    """Items inside now; always ``sent - received``."""
    high_water_mark: int
    """The most items that were inside at once."""
    waiting_senders: tuple[str, ...]
    """Names of the tasks that wait for room, longest first."""
    waiting_receivers: tuple[str, ...]
    """Names of the tasks that wait for an item, longest first."""
    closed: bool


class Channel(Generic[T]):
    """A bounded first-in, first-out queue between tasks of one event loop.

    ``send`` waits while ``capacity`` items are buffered; that wait is the backpressure. Waiting senders and receivers
    are served in the order of their arrival, and nobody overtakes them. A receiver that was woken and has not run yet
    counts as having taken its item; when it is cancelled in that moment the item stays, and the buffer may hold one
    item more than its capacity until the next receive. ``None`` is an ordinary item.

    Args:
        capacity: Most items buffered at once, at least 1; ``None`` for no bound.
        mode: How many tasks may send and receive at once.
        name: Shown in errors and diagnoses.

    Raises:
        InvalidCapacity: ``capacity`` is 0 or negative.
    """

    __slots__ = (
        "__weakref__",
        "_capacity",
        "_closed",
        "_high_water_mark",
        "_items",
        "_limit",
        "_received",
        "_receivers",
        "_segmented",
        "_segments",
        "_senders",
        "_woken",
        "mode",
        "name",
    )

    def __init__(self, capacity: int | None = 100, *, mode: ChannelMode = ChannelMode.MPMC, name: str = "") -> None:
        if capacity is not None and capacity < 1:
            raise InvalidCapacity(
                f"capacity {capacity} would let nothing through; give at least 1, or None for no bound"
            )
        self.mode: Final = mode
        self.name: Final = name
        self._capacity: Final = capacity
        self._limit = YIELD_EVERY if capacity is None else capacity
        self._closed = False
        self._items: deque[T] = deque()
        self._segments: deque[list[T]] | None = None
        self._segmented = 0
        self._senders: deque[Parked] | None = None
        self._receivers: deque[Parked] | None = None
        self._woken = 0
        self._received = 0
        self._high_water_mark = 0

    # Sending

    async def send(self, item: T, *, timeout_s: float | None = None) -> None:
        """Put ``item`` in, waiting while the channel is full.

        A cancelled send has either not happened, or its item was already taken over and will be received, once; which
        of the two the caller cannot tell, as with any message whose acknowledgement is lost.

        Raises:
            ChannelClosed: The channel is closed, or was closed while this waited; the item was not sent.
            ChannelTimeout: There was no room within ``timeout_s`` seconds; the item was not sent.
            ModeViolation: Another task is waiting to send, and the mode allows one sender.
        """
        items = self._items
        if len(items) < self._limit:
            if self._receivers:
                self._wake_receiver()
            items.append(item)
            return
        await self._send_slowly(item, timeout_s)

    def try_send(self, item: T) -> None:
        """Put ``item`` in without waiting.

        Raises:
            WouldBlock: The channel is full.
            ChannelClosed: The channel is closed.
        """
        self._check_open()
        if self._has_parked(self._senders) or not self._fits(item):
            raise WouldBlock(f"{self._label()} is full with {self._count()} items")
        self._put(item)

    async def send_many(self, items: Sequence[T], *, timeout_s: float | None = None) -> None:
        """Put all ``items`` in, in order, waiting for room as often as needed.

        Items of other senders may come between them, never before an item of this call that came first. When this
        ends early, by an error or by being cancelled, a first part of the items was sent; the error's ``sent`` says
        how many.

        Raises:
            ChannelClosed: The channel is closed, or was closed while this waited.
            ChannelTimeout: There was not enough room within ``timeout_s`` seconds.
            ModeViolation: Another task is waiting to send, and the mode allows one sender.
        """
        self._check_open()
        total = len(items)
        start = 0 if self._has_parked(self._senders) else self._put_some(items, 0)
        if start < total:
            await self._park_sender(items, start, timeout_s)
        elif self._capacity is None and total >= YIELD_EVERY:
            await asyncio.sleep(0)

    # Receiving

    async def receive(self, *, timeout_s: float | None = None) -> T:
        """Return the oldest item, waiting until there is one. A cancelled receive has taken nothing.

        Raises:
            EndOfChannel: The channel is closed and empty. This is the normal end; ``async for`` turns it into the end
                of the loop.
            ChannelTimeout: Nothing came within ``timeout_s`` seconds.
            ModeViolation: Another task is waiting to receive, and the mode allows one receiver.
        """
        items = self._items
        if items and not self._woken:
            if len(items) > self._high_water_mark:
                self._high_water_mark = len(items)
            self._received += 1
            item = items.popleft()
            if self._senders:
                self._admit()
            return item
        if not self._ready():
            await self._park_receiver(timeout_s)
        return self._take()

    def try_receive(self) -> T:
        """Return the oldest item without waiting.

        Raises:
            WouldBlock: There is none, or those there are promised to tasks that waited before.
            EndOfChannel: The channel is closed and empty.
        """
        if not self._ready():
            raise WouldBlock(f"{self._label()} is empty")
        return self._take()

    async def receive_many(self, max_items: int = DEFAULT_BATCH, *, timeout_s: float | None = None) -> list[T]:
        """Return what is there, at least one item and at most ``max_items``, waiting only while there is none.

        Receivers that are woken together share what is there evenly.

        Raises:
            EndOfChannel, ChannelTimeout, ModeViolation: As for :meth:`receive`.
        """
        if max_items < 1:
            raise InvalidCapacity(f"a batch of at most {max_items} items would hold nothing; give at least 1")
        if not self._ready():
            await self._park_receiver(timeout_s)
        batch = self._pop_many(min(max_items, -(-self._count() // (self._woken + 1))))
        self._received += len(batch)
        self._after_taking()
        return batch

    async def batches(self, max_items: int = DEFAULT_BATCH) -> AsyncIterator[list[T]]:
        """Iterate over what :meth:`receive_many` returns until the channel ends."""
        while True:
            try:
                batch = await self.receive_many(max_items)
            except EndOfChannel:
                return
            yield batch

    def drain(self) -> list[T]:
        """Take out everything that is not promised to a waiting receiver, without waiting; often after :meth:`close`."""
        batch = self._pop_many(max(0, self._count() - self._woken))
        self._received += len(batch)
        self._after_taking()
        return batch

    def __aiter__(self) -> Channel[T]:
        """Iterate over the items until the channel is closed and empty."""
        return self

    async def __anext__(self) -> T:
        items = self._items
        if items and not self._woken:
            if len(items) > self._high_water_mark:
                self._high_water_mark = len(items)
            self._received += 1
            item = items.popleft()
            if self._senders:
                self._admit()
            return item
        try:
            if not self._ready():
                await self._park_receiver(None)
        except EndOfChannel:
            raise StopAsyncIteration from None
        return self._take()

    # State

    def close(self) -> None:
        """Accept nothing more. Buffered items can still be received, then receivers end. Closing twice is fine.

        Senders that wait get :class:`ChannelClosed`, their items are not sent.
        """
        self._closed = True
        self._relimit()
        for parked in self._senders or ():
            if not parked.future.done():
                parked.future.set_result(Ending.CLOSED)
        self._senders = None
        self._end_receivers_if_empty()

    @property
    def capacity(self) -> int | None:
        """Most items buffered at once; ``None`` for no bound."""
        return self._capacity

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed

    def __len__(self) -> int:
        """Return how many items are buffered now."""
        return self._count()

    def __bool__(self) -> bool:
        """Return True: an empty channel is still a channel."""
        return True

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open"
        return f"<{self._label()} {self.mode.name} {state} {self._count()}/{self._capacity or 'unbounded'}>"

    def statistics(self) -> ChannelStatistics:
        """Return counts since the channel was made, and the names of the tasks that wait."""
        buffered = self._count()
        return ChannelStatistics(
            sent=self._received + buffered,
            received=self._received,
            buffered=buffered,
            high_water_mark=max(self._high_water_mark, buffered),
            waiting_senders=_names(self._senders),
            waiting_receivers=_names(self._receivers),
            closed=self._closed,
        )

    # What a channel of another order or measure replaces: where items lie, and how many fit.

    def _count(self) -> int:
        return len(self._items) + self._segmented

    def _fits(self, item: T) -> bool:  # noqa: ARG002 - a byte channel weighs it
        return self._capacity is None or self._count() < self._capacity + self._woken

    def _put_last(self, item: T) -> None:
        if self._segments:
            self._segments[-1].append(item)
            self._segmented += 1
        else:
            self._items.append(item)
            self._relimit()

    def _put_some(self, items: Sequence[T], start: int) -> int:
        """Put in as many of ``items[start:]`` as fit; return the index of the first that did not."""
        room = len(items) if self._capacity is None else self._capacity + self._woken - self._count()
        if room <= 0:
            return start
        segment = list(items[start : start + room])
        if not segment:
            return start
        if self._segments is None:
            self._segments = deque()
        if self._receivers:
            self._wake_receivers(len(segment))
        self._segments.append(segment)
        self._segmented += len(segment)
        self._limit = -1
        self._high_water_mark = max(self._high_water_mark, self._count())
        return start + len(segment)

    def _pop(self) -> T:
        if not self._items:
            self._unpack_segment()
        return self._items.popleft()

    def _pop_many(self, most: int) -> list[T]:
        items = self._items
        if items:
            self._high_water_mark = max(self._high_water_mark, self._count())
            if len(items) > most:
                return [items.popleft() for _ in range(most)]
            batch = list(items)
            items.clear()
        else:
            batch = []
        segments = self._segments
        while segments and len(batch) < most:
            segment = segments.popleft()
            room = most - len(batch)
            if len(segment) > room:
                segments.appendleft(segment[room:])
                del segment[room:]
            self._segmented -= len(segment)
            batch = batch + segment if batch else segment
        if not segments:
            self._relimit()
        return batch

    # Helpers

    async def _send_slowly(self, item: T, timeout_s: float | None) -> None:
        self._check_open()
        if self._has_parked(self._senders) or not self._fits(item):
            await self._park_sender((item,), 0, timeout_s)
            return
        self._put(item)
        if self._capacity is None and self._count() % YIELD_EVERY == 0:
            await asyncio.sleep(0)

    def _put(self, item: T) -> None:
        if self._receivers:
            self._wake_receiver()
        self._put_last(item)

    def _take(self) -> T:
        count = self._count()
        if count > self._high_water_mark:
            self._high_water_mark = count
        self._received += 1
        item = self._pop()
        self._after_taking()
        return item

    def _ready(self) -> bool:
        """Return whether a newcomer may take an item now.

        Raises:
            EndOfChannel: There will never be one.
        """
        if self._woken or self._has_parked(self._receivers):
            return False
        if self._count():
            return True
        if self._closed:
            raise EndOfChannel(f"{self._label()} is closed and empty")
        return False

    def _after_taking(self) -> None:
        if self._senders:
            self._admit()
        if self._closed:
            self._end_receivers_if_empty()

    def _admit(self) -> None:
        """Take over what waiting senders left here, oldest first, as far as it fits."""
        senders = self._senders
        while senders:
            parked = senders[0]
            if not parked.future.done():
                self._check_loop(parked)
                if len(parked.items) == 1:
                    if not self._fits(parked.items[0]):
                        return
                    self._put(parked.items[0])
                else:
                    parked.start = self._put_some(parked.items, parked.start)
                    if parked.start < len(parked.items):
                        return
                parked.future.set_result(parked)
            senders.popleft()

    def _wake_receiver(self) -> None:
        """Promise an item that is about to be put in to the receiver that has waited longest."""
        receivers = self._receivers
        while receivers:
            parked = receivers[0]
            if not parked.future.done():
                self._check_loop(parked)
                receivers.popleft()
                parked.future.set_result(parked)
                self._woken += 1
                if self._limit >= 0:
                    self._limit += 1
                return
            receivers.popleft()

    def _wake_receivers(self, most: int) -> None:
        while most > 0 and self._receivers:
            self._wake_receiver()
            most -= 1

    async def _park_sender(self, items: Sequence[T], start: int, timeout_s: float | None) -> None:
        self._check_one(self._senders, refused=self.mode.one_sender, verb="send")
        parked = self._parked_here(items)
        parked.start = start
        if self._senders is None:
            self._senders = deque()
        self._senders.append(parked)
        try:
            ending = await _wait(parked.future, timeout_s)
        except asyncio.CancelledError:
            self._forget(self._senders, parked)
            raise
        if ending is parked:
            return
        self._forget(self._senders, parked)
        error: ChannelClosed | ChannelTimeout
        if ending is Ending.CLOSED:
            error = ChannelClosed(f"{self._label()} was closed while this send waited for room")
        else:
            error = ChannelTimeout(f"{self._label()} had no room for {timeout_s} s ({self._count()} items buffered)")
        error.sent = parked.start
        raise error

    async def _park_receiver(self, timeout_s: float | None) -> None:
        """Wait until an item is promised to this task; on return the promise is redeemed and the caller must take it."""
        self._check_one(self._receivers, refused=self.mode.one_receiver, verb="receive", woken=self._woken)
        parked = self._parked_here(())
        if self._receivers is None:
            self._receivers = deque()
        self._receivers.append(parked)
        if self._count() > self._woken:
            self._wake_receiver()
        try:
            ending = await _wait(parked.future, timeout_s)
        except asyncio.CancelledError:
            self._unpark_receiver(parked)
            raise
        if ending is parked:
            self._redeem()
            return
        self._forget(self._receivers, parked)
        if ending is Ending.CLOSED:
            raise EndOfChannel(f"{self._label()} is closed and empty")
        raise ChannelTimeout(f"{self._label()} had no item for {timeout_s} s")

    def _redeem(self) -> None:
        self._woken -= 1
        if self._limit >= 0:
            self._limit -= 1

    def _unpark_receiver(self, parked: Parked) -> None:
        """Undo a wait that was cancelled; an item promised to it is promised to the next one."""
        future = parked.future
        if future.done() and not future.cancelled() and future.result() is parked:
            self._redeem()
            if self._receivers and self._count() > self._woken:
                self._wake_receiver()
            if self._closed:
                self._end_receivers_if_empty()
        else:
            self._forget(self._receivers, parked)

    @staticmethod
    def _parked_here(items: Sequence[T]) -> Parked:
        return Parked(asyncio.get_running_loop().create_future(), items)

    @staticmethod
    def _forget(waiting: deque[Parked] | None, parked: Parked) -> None:
        if waiting and parked in waiting:
            waiting.remove(parked)

    @staticmethod
    def _has_parked(waiting: deque[Parked] | None) -> bool:
        return bool(waiting) and any(not parked.future.done() for parked in waiting or ())

    def _end_receivers_if_empty(self) -> None:
        if self._woken or self._count():
            return
        for parked in self._receivers or ():
            if not parked.future.done():
                parked.future.set_result(Ending.CLOSED)
        self._receivers = None

    def _unpack_segment(self) -> None:
        if self._segments:
            segment = self._segments.popleft()
            self._items.extend(segment)
            self._segmented -= len(segment)
            self._relimit()

    def _relimit(self) -> None:
        if self._closed or self._segments:
            self._limit = -1
        elif self._capacity is None:
            self._limit = len(self._items) // YIELD_EVERY * YIELD_EVERY + YIELD_EVERY - 1
        else:
            self._limit = self._capacity + self._woken

    def _check_open(self) -> None:
        if self._closed:
            raise ChannelClosed(f"{self._label()} is closed; it takes no more items")

    def _check_one(self, waiting: deque[Parked] | None, *, refused: bool, verb: str, woken: int = 0) -> None:
        if refused and (woken or self._has_parked(waiting)):
            names = ", ".join(_names(waiting)) or "a task that was just woken"
            raise ModeViolation(
                f"{self._label()} is {self.mode.name} ({self.mode.value}): {names} already waits to {verb}; "
                f"use {'MPSC or MPMC' if verb == 'send' else 'MPMC'}, or one task"
            )

    def _check_loop(self, parked: Parked) -> None:
        if parked.future.get_loop() is not asyncio.get_running_loop():
            raise WrongEventLoop(
                f"{self._label()} has a task of another event loop waiting at it; "
                "a channel joins tasks of one loop: use process workers or run_coroutine_threadsafe to cross"
            )

    def _label(self) -> str:
        return f"{type(self).__name__.lower()} {self.name!r}" if self.name else type(self).__name__.lower()


async def _wait(future: asyncio.Future[Parked | Ending], timeout_s: float | None) -> Parked | Ending:
    if timeout_s is None:
        return await future
    timer = future.get_loop().call_later(max(0.0, timeout_s), expire, future)
    try:
        return await future
    finally:
        timer.cancel()


def _names(waiting: deque[Parked] | None) -> tuple[str, ...]:
    alive = [parked.task for parked in waiting or () if not parked.future.done()]
    return tuple("a callback" if task is None else task.get_name() for task in alive)
