"""What a child's function holds of a channel to its parent: the ends that wait by blocking, and who runs the function.

A plain function gets the blocking ends of this module. A coroutine function gets the same asynchronous ends that the
parent has, on an event loop of its own.
"""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from wfrun.concurrency.errors import EndOfChannel
from wfrun.concurrency.processes.errors import ItemNotPicklable
from wfrun.concurrency.processes.importable import is_coroutine_function
from wfrun.concurrency.processes.items import Batch, Failure, all_sealed_unless_plain, sealed_unless_plain
from wfrun.concurrency.processes.role import Role, Start
from wfrun.concurrency.processes.wire import Frame, FrameReader, FrameWriter, Kind, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["PipeReceiver", "PipeSender", "run_channel_end"]

T = TypeVar("T")

_AT_ONCE: Final = 1024


class PipeReceiver(Generic[T]):
    """The receiving end in a child's plain function; every wait blocks the process.

    An item that cannot be unpickled here raises :class:`ItemNotPicklable` in its place; the next call goes on after it.
    """

    def __init__(self, reader: FrameReader, frames: list[Frame]) -> None:
        self._reader: Final = reader
        self._frames: Final = deque(frames)
        self._segments: Final[deque[list[T] | Failure]] = deque()
        self._items: Final[deque[T]] = deque()

    def receive(self) -> T:
        """Return the oldest item, waiting until there is one.

        Raises:
            EndOfChannel: The parent closed the channel, and everything was received.
        """
        if not self._items:
            self._items.extend(self.receive_many())
        return self._items.popleft()

    def receive_many(self) -> list[T]:
        """Return the items that have come, at least one, waiting only while there is none.

        Raises:
            EndOfChannel: As for :meth:`receive`.
        """
        if self._items:
            batch = list(self._items)
            self._items.clear()
            return batch
        while not self._segments:
            self._read()
        segment = self._segments.popleft()
        if isinstance(segment, Failure):
            raise ItemNotPicklable(f"an item cannot be read here: {segment.error_type}: {segment.message}")
        return segment

    def __iter__(self) -> Iterator[T]:
        """Iterate over the items until the channel ends."""
        while True:
            try:
                batch = self.receive_many()
            except EndOfChannel:
                return
            yield from batch

    def _read(self) -> None:
        while not self._frames:
            if self._reader.ended:
                raise EndOfChannel("the parent closed the channel, and everything was received")
            self._frames.extend(self._reader.read())
        batch = Batch.opened(self._reader.load(self._frames.popleft()))
        start = 0
        for index in sorted(batch.failures):
            if index > start:
                self._segments.append(batch.values[start:index])
            self._segments.append(batch.failures[index])
            start = index + 1
        if start < len(batch.values):
            self._segments.append(batch.values[start:] if start else batch.values)


class PipeSender(Generic[T]):
    """The sending end in a child's plain function. A call returns when its items are in the pipe, not before.

    So one item at a time costs a system call each; :meth:`send_many` and coroutine functions send batches.
    """

    def __init__(self, writer: FrameWriter) -> None:
        self._writer: Final = writer

    def send(self, item: T) -> None:
        """Send ``item``, waiting while the pipe is full.

        Raises:
            ItemNotPicklable: The item cannot travel; it was not sent, and the channel goes on.
        """
        self._write([sealed_unless_plain(item)])

    def send_many(self, items: Sequence[T]) -> None:
        """Send all ``items`` in order, waiting as often as needed.

        Raises:
            ItemNotPicklable: An item cannot travel; none of them was sent, and the channel goes on.
        """
        prepared = all_sealed_unless_plain(items)
        for start in range(0, len(prepared), _AT_ONCE):
            self._write(prepared[start : start + _AT_ONCE])

    def _write(self, prepared: list[object]) -> None:
        for _, _, body in Batch.of_prepared(prepared).pieces():
            self._writer.put(Kind.ITEMS, b"", body)
        self._writer.push_all()


def run_channel_end(
    start: Start, function: Callable[..., Any], reader: FrameReader, writer: FrameWriter, frames: list[Frame]
) -> None:
    """Call ``function`` with its end of the channel, and report what it returned or raised."""
    try:
        if is_coroutine_function(function):
            value = _run_coroutine(start, function, reader, writer, frames)
        elif start.role is Role.CONSUME:
            value = function(PipeReceiver[Any](reader, frames), *start.arguments)
        else:
            value = function(PipeSender[Any](writer), *start.arguments)
        result = Batch.of([value])
        for failure in result.failures.values():
            raise ItemNotPicklable(failure.message)  # noqa: TRY301 - reported like everything the function raises
        for _, _, body in result.pieces():
            writer.put(Kind.RETURNED, b"", body)
    except BrokenPipeError:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever ends the function is told to the parent
        writer.put(Kind.RAISED, b"", encode(Failure.of(error)))
    writer.push_all()


def _run_coroutine(
    start: Start, function: Callable[..., Any], reader: FrameReader, writer: FrameWriter, frames: list[Frame]
) -> object:
    import asyncio  # noqa: PLC0415 - plain functions are spared its import

    from wfrun.concurrency.processes.channel import AsyncReceiver, AsyncSender  # noqa: PLC0415 - as above
    from wfrun.concurrency.processes.loop import LoopWriter  # noqa: PLC0415 - as above

    async def consume() -> object:
        receiver = AsyncReceiver[Any](start.capacity, "from the parent")
        receiver.listen_to(reader, frames)
        try:
            return await function(receiver, *start.arguments)
        finally:
            await receiver.stop()

    async def produce() -> object:
        sender = AsyncSender[Any](start.capacity, "to the parent")
        carrier = sender.write_to(LoopWriter(writer))
        try:
            value = await function(sender, *start.arguments)
            sender.close()
            await carrier
        finally:
            await sender.stop()
        return value

    for descriptor in (reader.data, writer.data):
        os.set_blocking(descriptor, False)
    try:
        return asyncio.run(consume() if start.role is Role.CONSUME else produce())
    finally:
        for descriptor in (reader.data, writer.data):
            os.set_blocking(descriptor, True)
