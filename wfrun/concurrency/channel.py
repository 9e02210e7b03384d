"""A bounded first-in, first-out queue between tasks of one event loop.

Theory of operation. A send that need not wait is one length check and one append; a receive that need not wait is one
test, one count and one popleft. Everything rare is encoded in what these look at:

- ``_limit`` is -1 while the channel is closed, a receiver is in line or segments are buffered;
- ``_takeable`` is an ever-empty deque, in place of ``_items``, while a sender is in line or a peak is recorded.

Who waits, and how items pass between those who do, is in :mod:`wfrun.concurrency.lines`.

``send_many`` appends a list, a *segment*, behind the single items, and ``batches`` takes segments whole: a batch costs
about a nanosecond an item, and still every item counts against the capacity.

The high-water mark is exact without a test for each item. Between a send that exceeds it and the next receive the
buffer only grows; so that send opens the limit up to the capacity and shuts ``_takeable``, and the next receive reads
the peak off. Segments, being few, keep the mark themselves.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from wfrun.concurrency.arms import Arm
from wfrun.concurrency.channel_facts import ChannelMode, ChannelStatistics
from wfrun.concurrency.errors import EndOfChannel, InvalidCapacity, WouldBlock
from wfrun.concurrency.lines import NOTHING, WaitingLines
from wfrun.concurrency.parking import ParkedReceiver, task_names

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from wfrun.concurrency.parking import Wait

__all__ = ["DEFAULT_BATCH", "Channel", "ChannelMode", "ChannelStatistics"]

T = TypeVar("T")

YIELD_EVERY: Final = 1000
"""An unbounded send never waits; after this many the sender lets others run, or it would starve them."""

DEFAULT_BATCH: Final = 1024

SMALL_BATCH: Final = 16
"""Below this a batch is cheaper as single items, or behind another small batch, than as a segment of its own."""


class Channel(WaitingLines[T]):
    """A bounded first-in, first-out queue between tasks of one event loop.

    ``send`` waits while ``capacity`` items are buffered; that wait is the backpressure. Waiting senders and receivers
    are served in the order of their arrival, and nobody overtakes them. An item handed to a waiting receiver counts as
    received; when that receiver is cancelled before it runs, the item comes back to the front, and the buffer may then
    hold more than its capacity until the next receive. In the modes with one receiver whoever receives next waits for
    that, so the order always stands; among several receivers, another may have passed the item by then. ``None`` is an
    ordinary item.

    Args:
        capacity: Most items buffered at once, at least 1; ``None`` for no bound.
        mode: How many tasks may send and receive at once.
        name: Shown in errors and diagnoses.

    Raises:
        InvalidCapacity: ``capacity`` is 0 or negative.
    """

    __slots__ = ("_capacity", "_high_water_mark", "_segments")

    def __init__(self, capacity: int | None = 100, *, mode: ChannelMode = ChannelMode.MPMC, name: str = "") -> None:
        if capacity is not None and capacity < 1:
            raise InvalidCapacity(
                f"capacity {capacity} would let nothing through; give at least 1, or None for no bound"
            )
        super().__init__(mode, name)
        self._capacity: Final = capacity
        self._segments: deque[list[T]] | None = None
        self._high_water_mark = 0
        self._retune()

    # Sending

    async def send(self, item: T, timeout_s: float | None = None) -> None:
        """Put ``item`` in, waiting while the channel is full.

        A cancelled send has either not happened, or its item was already taken over and will be received, once; which
        of the two the caller cannot tell, as with any message whose acknowledgement is lost.

        Raises:
            ChannelClosed: The channel is closed, or was closed while this waited; the item was not sent.
            ChannelTimeout: There was no room within ``timeout_s`` seconds; the item was not sent.
            ModeViolation: Another task is waiting to send, and the mode allows one sender.
            WrongEventLoop: A task of another event loop is waiting at this channel.
        """
        items = self._items
        if len(items) < self._limit:
            items.append(item)
            return
        if self._receivers and not self._closed and self._serve(item):
            return
        if not self._put(item):
            await self._wait_to_send([item], 0, timeout_s)
        elif self._capacity is None and len(self) and len(self) % YIELD_EVERY == 0:
            await asyncio.sleep(0)

    def try_send(self, item: T) -> None:
        """Put ``item`` in without waiting.

        Raises:
            WouldBlock: The channel is full, or others wait to send.
            ChannelClosed: The channel is closed.
            WrongEventLoop: A task of another event loop is waiting at this channel.
        """
        if not self._put(item):
            raise WouldBlock(f"{self._label()} is full with {len(self)} items")

    async def send_many(self, items: Sequence[T], timeout_s: float | None = None) -> None:
        """Put all ``items`` in, in order, waiting for room as often as needed.

        Items of other senders may come between them, never before an item of this call that came first. When this
        ends early, by an error or by being cancelled, a first part of the items was sent; the error's ``sent`` says
        how many. The sequence is copied, unless it is a list that nobody else holds: that one is moved.

        Raises:
            ChannelClosed: The channel is closed, or was closed while this waited.
            ChannelTimeout: There was not enough room within ``timeout_s`` seconds.
            ModeViolation: Another task is waiting to send, and the mode allows one sender.
            WrongEventLoop: A task of another event loop is waiting at this channel.
        """
        total = len(items)
        owned = type(items) is list and _references(items) <= _UNSHARED
        segments = self._segments
        if segments and owned and total >= SMALL_BATCH and not self._senders and not self._closed:
            # The common case of _store_many: while segments are buffered no receiver is in line.
            count = len(self._items) + self._elsewhere + total
            if count <= self._bound:
                segments.append(items)  # type: ignore[arg-type]  # owned: it is a list
                self._elsewhere += total
                if count > self._high_water_mark:  # noqa: PLR1730 - a call of max() would cost as much as the rest
                    self._high_water_mark = count
                return
        sent = self._put_many(items, owned=owned)
        if sent < total:
            await self._wait_to_send(items if owned and not sent else list(items[sent:]), sent, timeout_s)  # type: ignore[arg-type]  # as above
        elif self._capacity is None and len(self) >= YIELD_EVERY:
            await asyncio.sleep(0)

    # Receiving

    async def receive(self, timeout_s: float | None = None) -> T:
        """Return the oldest item, waiting until there is one. A cancelled receive has taken nothing.

        Raises:
            EndOfChannel: The channel is closed and empty. This is the normal end; ``async for`` turns it into the end
                of the loop.
            ChannelTimeout: Nothing came within ``timeout_s`` seconds.
            ModeViolation: Another task is waiting to receive, and the mode allows one receiver.
            WrongEventLoop: A task of another event loop is waiting at this channel.
        """
        items = self._takeable
        if items:
            self._received += 1
            return items.popleft()
        if (self._items or self._elsewhere or self._closed) and self._ready():
            return self._take()
        if timeout_s is not None or self._stirred:
            return (await self._wait_to_receive(1, timeout_s))[0]
        # The same, written out for most hand-overs: a coroutine less to make and to pass through.
        parked = ParkedReceiver()
        parked.ending = None
        parked.most = 1
        if self._receivers:
            self._check_receivers()
        self._receivers.append(parked)
        self._limit = -1
        future: Wait = asyncio.Future()
        parked.future = future
        try:
            ending = await future
        except BaseException:
            self._abandon(parked)
            raise
        if ending is not parked:
            raise self._nothing_came(parked, ending, None)
        promised = self._promised
        if len(promised) > 1 or self._receivers or self._closed:
            return self._redeem(parked)[0]
        # And what is left of _redeem where nobody else is concerned.
        promised.clear()
        if not self._senders and not self._recording:
            self._takeable = self._items
        item: T = parked.items[0]
        del parked.items
        return item

    def try_receive(self) -> T:
        """Return the oldest item without waiting.

        Raises:
            WouldBlock: There is none.
            EndOfChannel: The channel is closed and empty.
            WrongEventLoop: A task of another event loop is waiting at this channel.
        """
        if not self._ready():
            raise WouldBlock(f"{self._label()} is empty")
        return self._take()

    async def receive_many(self, max_items: int = DEFAULT_BATCH, timeout_s: float | None = None) -> list[T]:
        """Return what is there, at least one item and at most ``max_items``, waiting only while there is none.

        Receivers that wait together share what comes evenly.

        Raises:
            EndOfChannel, ChannelTimeout, ModeViolation, WrongEventLoop: As for :meth:`receive`.
            InvalidCapacity: ``max_items`` is less than 1.
        """
        _check_batch(max_items)
        if self._ready():
            return self._take_many(max_items)
        batch = await self._wait_to_receive(max_items, timeout_s)
        if len(batch) < max_items and len(self):
            batch += self._take_many(max_items - len(batch))
        return batch

    def batches(self, max_items: int = DEFAULT_BATCH) -> AsyncIterator[list[T]]:
        """Iterate over lists of what is there, each of 1 to ``max_items`` items, until the channel ends.

        The lists are cut where it is cheapest: one that ``send_many`` put in comes out whole and uncopied where it can.

        Raises:
            ModeViolation, WrongEventLoop: As for :meth:`receive`.
            InvalidCapacity: ``max_items`` is less than 1.
        """
        _check_batch(max_items)
        return _Batches(self, max_items)

    def drain(self) -> list[T]:
        """Take out everything that is buffered, without waiting; often after :meth:`close`."""
        return self._take_many(sys.maxsize, share=False) if len(self) else []

    def __aiter__(self) -> AsyncIterator[T]:
        """Iterate over the items until the channel is closed and empty."""
        return self

    async def __anext__(self) -> T:
        items = self._takeable
        if items:
            self._received += 1
            return items.popleft()
        try:
            if (self._items or self._elsewhere or self._closed) and self._ready():
                return self._take()
            return (await self._wait_to_receive(1, None))[0]
        except EndOfChannel:
            raise StopAsyncIteration from None

    # Choosing

    def receiving(self) -> Arm[T]:
        """Return the operation "receive from here" for :func:`wfrun.concurrency.select`; nothing happens yet."""
        return Arm(self)

    def sending(self, item: T) -> Arm[T]:
        """Return the operation "send this item" for :func:`wfrun.concurrency.select`; nothing happens yet."""
        return Arm(self, sends=True, item=item, entry=self._enter(item))

    # State

    def close(self) -> None:
        """Accept nothing more. Buffered items can still be received, then receivers end. Closing twice is fine.

        Senders that wait get :class:`ChannelClosed`, their items are not sent.

        Raises:
            WrongEventLoop: A task of another event loop is waiting at this channel.
        """
        self._anyone(self._senders)
        self._anyone(self._receivers)
        self._closed = True
        for parked in self._senders:
            parked.close()
        self._senders.clear()
        self._end_receivers()
        self._retune()

    @property
    def capacity(self) -> int | None:
        """Most items buffered at once; ``None`` for no bound."""
        return self._capacity

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed

    def __bool__(self) -> bool:
        """Return True: an empty channel is still a channel."""
        return True

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open"
        return f"<{self._label()} {self.mode.name} {state} {len(self)}/{self._capacity or 'unbounded'}>"

    def statistics(self) -> ChannelStatistics:
        """Return counts since the channel was made, and the names of the tasks that wait."""
        buffered = len(self)
        return ChannelStatistics(
            sent=self._received + buffered,
            received=self._received,
            buffered=buffered,
            high_water_mark=max(self._high_water_mark, buffered),
            waiting_senders=task_names(self._senders),
            waiting_receivers=task_names(self._receivers),
            closed=self._closed,
        )

    # Between items and what lies in the buffer; here they are the same.

    def _enter(self, item: T) -> Any:  # noqa: ANN401 - some channels lay an item in something
        return item

    def _leave(self, entry: Any) -> T:  # noqa: ANN401 - as above
        return cast("T", entry)

    # Taking

    def _ready(self) -> bool:
        """Return whether there is an item to take now.

        Raises:
            EndOfChannel: There will never be one.
        """
        if self._items or self._elsewhere:
            return not self._promised or not self._one_receiver
        if self._closed and self._ended():
            raise EndOfChannel(f"{self._label()} is closed and empty")
        return False

    def _ended(self) -> bool:
        # While an item is promised, it may still come back.
        return self._closed and not self._promised and not len(self)

    def _take(self) -> T:
        if self._recording:
            self._record_peak()
        item = self._pop()
        self._received += 1
        if self._senders:
            self._admit()
        return item

    def _take_many(self, most: int, *, share: bool = True, whole: bool = False) -> list[T]:
        if self._recording:
            self._record_peak()
        if share and self._promised:
            # Those who were served together run one after the other: the first leaves the others their part.
            most = min(most, -(-len(self) // (len(self._promised) + 1)))
        batch = self._pop_many(most, whole=whole)
        self._received += len(batch)
        if self._senders:
            self._admit()
        return batch

    # The buffer: what a channel of another order or measure replaces.

    def _store(self, item: T) -> bool:
        count = len(self._items) + self._elsewhere
        if self._capacity is not None and count >= self._capacity:
            return False
        if self._segments:
            self._segments[-1].append(item)
            self._elsewhere += 1
            self._high_water_mark = max(self._high_water_mark, count + 1)
        else:
            self._items.append(item)
            if self._capacity is None or (count >= self._high_water_mark and not self._recording):
                self._recording = True
                self._retune()
        return True

    def _store_many(self, items: Sequence[T], start: int, *, owned: bool) -> int:
        total = end = len(items)
        count = len(self._items) + self._elsewhere
        if self._capacity is not None and total - start > self._capacity - count:
            end = start + max(0, self._capacity - count)
        size = end - start
        if size <= 0:
            return start
        piece = items if owned and size == total else items[start:end]
        if size < SMALL_BATCH and not self._segments:
            self._items.extend(piece)
        else:
            self._append_segment(piece if type(piece) is list else list(piece))
        self._high_water_mark = max(self._high_water_mark, count + size)
        self._retune()
        return end

    def _append_segment(self, segment: list[T]) -> None:
        segments = self._segments
        if segments is None:
            segments = self._segments = deque()
        if len(segment) < SMALL_BATCH and segments and len(segments[-1]) < SMALL_BATCH:
            segments[-1].extend(segment)
        else:
            segments.append(segment)
        self._elsewhere += len(segment)

    def _pop(self) -> T:
        if not self._items:
            self._unpack_segment()
        return self._items.popleft()

    def _pop_many(self, most: int, *, whole: bool) -> list[T]:
        """Take out up to ``most`` items; with ``whole`` rather fewer than copy a segment that is not small."""
        items = self._items
        segments = self._segments
        if not items and segments and len(segments[0]) > most:
            self._unpack_segment()
        if len(items) > most:
            return [items.popleft() for _ in range(most)]
        if items:
            batch = list(items)
            items.clear()
        else:
            batch = segments.popleft() if segments else []
            self._elsewhere -= len(batch)
        enough = min(SMALL_BATCH, most) if whole else most
        while segments and len(batch) < enough:
            if len(batch) + len(segments[0]) <= most:
                more = segments.popleft()
                self._elsewhere -= len(more)
                batch += more
            elif whole:
                break
            else:
                self._unpack_segment()
                batch += [items.popleft() for _ in range(most - len(batch))]
        self._retune()
        return batch

    def _unpack_segment(self) -> None:
        if self._segments:
            segment = self._segments.popleft()
            self._items.extend(segment)
            self._elsewhere -= len(segment)
            self._retune()

    def _put_back(self, items: list[T]) -> None:
        self._items.extendleft(reversed(items))
        self._high_water_mark = max(self._high_water_mark, len(self))

    def _record_peak(self) -> None:
        self._high_water_mark = max(self._high_water_mark, len(self))
        self._recording = False
        self._retune()

    def _retune(self) -> None:
        if self._capacity is None:
            self._bound = ceiling = len(self) // YIELD_EVERY * YIELD_EVERY + YIELD_EVERY - 1
        else:
            self._bound = ceiling = self._capacity
        self._ceiling = ceiling if self._recording or self._high_water_mark > ceiling else self._high_water_mark
        self._limit = -1 if self._closed or self._receivers or self._segments else self._ceiling
        shut = self._senders or self._recording or (self._one_receiver and self._promised)
        self._takeable = NOTHING if shut else self._items


class _Batches(Generic[T]):
    """What :meth:`Channel.batches` returns. An async generator would cost as much again as the batch itself."""

    __slots__ = ("_channel", "_most")

    def __init__(self, channel: Channel[T], most: int) -> None:
        self._channel = channel
        self._most = most

    def __aiter__(self) -> _Batches[T]:
        return self

    async def __anext__(self) -> list[T]:
        channel = self._channel
        most = self._most
        segments = None if channel._promised and channel._one_receiver else channel._segments
        if segments and not channel._items and not channel._senders and SMALL_BATCH <= len(segments[0]) <= most:
            # The common case of _take_many; the high-water mark needs no look, because segments keep it themselves.
            batch = segments.popleft()
            size = len(batch)
            channel._elsewhere -= size
            channel._received += size
            if not segments:
                channel._retune()
            return batch
        try:
            if channel._ready():
                return channel._take_many(most, whole=True)
            batch = await channel._wait_to_receive(most, None)
        except EndOfChannel:
            raise StopAsyncIteration from None
        if len(batch) < SMALL_BATCH and len(batch) < most and len(channel):
            batch += channel._take_many(most - len(batch))
        return batch


def _check_batch(max_items: int) -> None:
    if max_items < 1:
        raise InvalidCapacity(f"a batch of at most {max_items} items would hold nothing; give at least 1")


# How many references a list has that nobody but a coroutine's own argument holds, as the coroutine sees it. Measured
# rather than written down, because interpreters differ in what they count; one that counts nothing shares every list.
_references: Final = getattr(sys, "getrefcount", lambda _: sys.maxsize)


async def _count_references(items: list[Any]) -> int:
    return cast("int", _references(items))


def _unshared() -> int:
    probe = _count_references([])
    try:
        probe.send(None)
    except StopIteration as counted:
        count = cast("int", counted.value)
    return 0 if count == sys.maxsize else count


_UNSHARED: Final = _unshared()
