"""The asynchronous ends of a channel between two processes: one producer, one consumer, one direction.

An end is an ordinary channel with a task that carries batches between it and the pipe: as many items as have gathered
while the pipe was busy, without waiting for more. So batches grow while the reader lags, and a lone item goes at once.

Bounded are the items at each end, by ``capacity``, and the bytes between: the pipe (256 KiB) and the shared memory for
large items (4 MiB). Items are pickled, only between this process and its own child.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from wfrun.concurrency.channel import DEFAULT_BATCH, Channel, ChannelMode
from wfrun.concurrency.errors import ChannelClosed, EndOfChannel, InvalidCapacity, WouldBlock
from wfrun.concurrency.processes.errors import ChildFailed
from wfrun.concurrency.processes.items import PLAIN, Batch, all_sealed_unless_plain, sealed_unless_plain
from wfrun.concurrency.processes.loop import LoopReader, settle
from wfrun.concurrency.processes.wire import Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from wfrun.concurrency.errors import ChannelError
    from wfrun.concurrency.processes.loop import LoopWriter
    from wfrun.concurrency.processes.wire import Frame, FrameReader

__all__ = ["AsyncReceiver", "AsyncSender"]

T = TypeVar("T")


class AsyncSender(Generic[T]):
    """The sending end of a process channel.

    An item is pickled before ``send`` returns, or cannot change: what is done to it later does not travel. A
    ``memoryview`` arrives as ``bytes``.
    """

    def __init__(self, capacity: int | None, name: str) -> None:
        self._channel: Final[Channel[Any]] = Channel(capacity, mode=ChannelMode.SPSC, name=name)
        self._carrier: asyncio.Task[None] | None = None
        self._failure: ChannelError | None = None
        self._may_hold_sealed = False

    async def send(self, item: T, timeout_s: float | None = None) -> None:
        """Put ``item`` in, waiting while there is no room, as :meth:`Channel.send`.

        Raises:
            ItemNotPicklable: The item cannot travel; it was not sent, and the channel goes on.
            ChildFailed: The other process is gone; what was sent and not read is lost.
            ChannelClosed: Closed here; or the other end ended while this waited, and ``result`` says how.
            ChannelTimeout: There was no room within ``timeout_s`` seconds.
            ModeViolation: Another task is waiting to send.
        """
        # This asks by itself what _prepared would, and looks into the channel as its own send would: for a small item
        # each further call costs as much as a sixth of all the rest, in both processes. Of tuples only pairs, a key
        # and a value, are worth it.
        entry: Any = item
        kind = type(item)
        if kind is tuple:
            if len(entry) == 2:
                first, second = entry
                if type(first) not in PLAIN or type(second) not in PLAIN:
                    entry = self._prepared(item)
            else:
                entry = self._prepared(item)
        elif kind not in PLAIN:
            entry = self._prepared(item)
        channel = self._channel
        items = channel._items
        if len(items) < channel._limit:
            items.append(entry)
            return
        if self._failure is not None:
            raise self._failure
        await channel.send(entry, timeout_s)

    def try_send(self, item: T) -> None:
        """Put ``item`` in without waiting.

        Raises:
            WouldBlock: There is no room.
            ItemNotPicklable, ChildFailed, ChannelClosed: As for :meth:`send`.
        """
        try:
            self._channel.try_send(self._prepared(item))
        except ChannelClosed as closed:
            raise self._failure or closed from None

    async def send_many(self, items: Sequence[T], *, timeout_s: float | None = None) -> None:
        """Put all ``items`` in, in order, waiting as often as needed; as :meth:`Channel.send_many`.

        Raises:
            ItemNotPicklable: An item cannot travel; none of them was sent, and the channel goes on.
            ChildFailed, ChannelClosed, ChannelTimeout: As for :meth:`send`.
        """
        prepared = all_sealed_unless_plain(items)
        self._may_hold_sealed = True
        try:
            await self._channel.send_many(prepared, timeout_s=timeout_s)
        except ChannelClosed as closed:
            raise self._failure or closed from None

    def close(self) -> None:
        """Send nothing more. What was sent is carried over, then the other end's loop ends."""
        self._channel.close()

    @property
    def closed(self) -> bool:
        """Whether nothing more can be sent."""
        return self._channel.closed

    def __len__(self) -> int:
        """Return how many items wait at this end."""
        return len(self._channel)

    def __bool__(self) -> bool:
        """Return True: an empty channel is still a channel."""
        return True

    # For those who join the end to a process

    def write_to(self, writer: LoopWriter) -> asyncio.Task[None]:
        """Begin to carry items to ``writer``; the task ends when everything is written after :meth:`close`."""
        self._carrier = asyncio.create_task(self._carry(writer), name=f"carrying {self._channel.name}")
        return self._carrier

    async def stop(self) -> None:
        """Drop what is not written; the descriptors can be closed."""
        self._channel.close()
        if self._carrier is not None:
            self._carrier.cancel()
            await asyncio.gather(self._carrier, return_exceptions=True)

    def fail(self, failure: ChannelError | None) -> None:
        """End the channel from the other side; senders learn ``failure``, or that it is closed."""
        self._failure = failure
        self._channel.close()

    def _prepared(self, item: object) -> object:
        entry = sealed_unless_plain(item)
        if entry is not item:
            self._may_hold_sealed = True
        return entry

    async def _carry(self, writer: LoopWriter) -> None:
        try:
            while not writer.broken:
                items = await self._channel.receive_many(DEFAULT_BATCH)
                batch = Batch.of_prepared(items) if self._may_hold_sealed else Batch(items)
                if not len(self._channel):
                    self._may_hold_sealed = False
                for _, _, body in batch.pieces():
                    writer.put(Kind.ITEMS, b"", body)
                    await writer.flushed()
        except EndOfChannel:
            await writer.flushed()
        finally:
            writer.stop()
            self._channel.close()


class AsyncReceiver(Generic[T]):
    """The receiving end of a process channel."""

    def __init__(self, capacity: int | None, name: str) -> None:
        # One receiver at a time: so what it took from the channel can lie here, at hand.
        self._channel: Final[Channel[T]] = Channel(capacity, mode=ChannelMode.SPSC, name=name)
        self._items: Final[deque[T]] = deque()
        self._paused: asyncio.Future[None] | None = None
        self._carrier: asyncio.Task[None] | None = None
        self._failure: ChannelError | None = None

    async def receive(self, *, timeout_s: float | None = None) -> T:
        """Return the oldest item, waiting until there is one. A cancelled receive has taken nothing.

        Raises:
            EndOfChannel: The sender closed the channel, and everything was received.
            ChildFailed: The other process did not come to its end; everything it sent before was received.
            ChannelTimeout: Nothing came within ``timeout_s`` seconds.
            ModeViolation: Another task is waiting to receive.
        """
        if not self._items:
            await self._fill(timeout_s)
        return self._items.popleft()

    def try_receive(self) -> T:
        """Return the oldest item without waiting.

        Raises:
            WouldBlock: There is none now.
            EndOfChannel, ChildFailed: As for :meth:`receive`.
        """
        if self._items:
            return self._items.popleft()
        try:
            return self._channel.try_receive()
        except EndOfChannel as end:
            raise self._failure or end from None
        except WouldBlock:
            self._ask()
            raise

    async def receive_many(self, max_items: int = DEFAULT_BATCH, *, timeout_s: float | None = None) -> list[T]:
        """Return what is there, at least one item and at most ``max_items``, waiting only while there is none.

        Raises:
            EndOfChannel, ChildFailed, ChannelTimeout, ModeViolation: As for :meth:`receive`.
        """
        if max_items < 1:
            raise InvalidCapacity(f"a batch of at most {max_items} items would hold nothing; give at least 1")
        items = self._items
        if not items:
            await self._fill(timeout_s)
        if len(items) > max_items:
            return [items.popleft() for _ in range(max_items)]
        batch = list(items)
        items.clear()
        return batch

    async def batches(self, max_items: int = DEFAULT_BATCH) -> AsyncIterator[list[T]]:
        """Iterate over what :meth:`receive_many` returns until the end."""
        while True:
            try:
                batch = await self.receive_many(max_items)
            except EndOfChannel:
                return
            yield batch

    def __aiter__(self) -> Self:
        """Iterate over the items until the end."""
        return self

    async def __anext__(self) -> T:
        if not self._items:
            try:
                await self._fill(None)
            except EndOfChannel:
                raise StopAsyncIteration from None
        return self._items.popleft()

    @property
    def closed(self) -> bool:
        """Whether nothing more will come than what is here."""
        return self._channel.closed

    def __len__(self) -> int:
        """Return how many items have come and were not received."""
        return len(self._items) + len(self._channel)

    def __bool__(self) -> bool:
        """Return True: an empty channel is still a channel."""
        return True

    # For those who join the end to a process

    def listen_to(self, reader: FrameReader, frames: list[Frame]) -> None:
        """Begin to carry items from ``reader``, after those in ``frames``, which were read before."""
        self._carrier = asyncio.create_task(self._carry(reader, frames), name=f"carrying {self._channel.name}")

    async def stop(self) -> None:
        """Drop what was not received; the descriptors can be closed."""
        if self._carrier is not None:
            self._carrier.cancel()
            await asyncio.gather(self._carrier, return_exceptions=True)
        self._channel.close()

    async def deliver(self, reader: FrameReader, frame: Frame) -> None:
        """Put in the items of a frame, waiting for room; of a large frame, until everything before it is taken.

        So large items wait in the shared memory, where there is a bound in bytes, not in ever new memory here.

        Raises:
            ChildFailed: An item cannot be unpickled here; those before it were put in.
        """
        if frame.end and len(self):
            self._paused = asyncio.get_running_loop().create_future()
            try:
                await self._paused
            finally:
                self._paused = None
        batch = Batch.opened(reader.load(frame))
        bad = min(batch.failures, default=None)
        await self._channel.send_many(batch.values[:bad])
        if bad is not None:
            failure = batch.failures[bad]
            raise ChildFailed(
                f"an item cannot be read here: {failure.error_type}: {failure.message}", failure.traceback_text
            )

    def finish(self, failure: ChannelError | None) -> None:
        """End the channel after what is in it, with ``failure`` if it is not the proper end."""
        self._failure = failure
        self._channel.close()

    async def _fill(self, timeout_s: float | None) -> None:
        self._ask()
        try:
            batch = await self._channel.receive_many(timeout_s=timeout_s)
        except EndOfChannel as end:
            raise self._failure or end from None
        self._items.extend(batch)
        # What waited may hold the list until the next garbage collection; it must not hold large items that long.
        batch.clear()

    def _ask(self) -> None:
        if self._paused is not None and not len(self):
            settle(self._paused)

    async def _carry(self, reader: FrameReader, frames: list[Frame]) -> None:
        waiting = LoopReader(reader)
        try:
            while True:
                for frame in frames:
                    await self.deliver(reader, frame)
                if reader.ended:
                    break
                frames = await waiting.frames()
        except ChildFailed as failure:
            self.finish(failure)
        else:
            self.finish(None)
