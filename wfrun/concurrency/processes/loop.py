"""The two ends of a pipe joined to the running event loop: no thread, no task, only readiness."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from wfrun.concurrency.processes.wire import Waits

if TYPE_CHECKING:
    from wfrun.concurrency.processes.wire import Body, Frame, FrameReader, FrameWriter, Kind

__all__ = ["LoopReader", "LoopWriter", "settle"]


class LoopWriter:
    """Writes frames whenever the pipe takes them. Its pipe does not block.

    When the reader is gone, what is unwritten is dropped; whoever watches that process deals with the loss.
    """

    def __init__(self, writer: FrameWriter) -> None:
        self._writer: Final = writer
        self._loop: Final = asyncio.get_running_loop()
        self._waits = Waits.NOTHING
        self._flushed: asyncio.Future[None] | None = None
        self.broken = False
        """Whether the reader was found gone."""
        # The writer may come with a frame in it: what the child is to run.
        self._push()

    def put(self, kind: Kind, head: bytes, body: Body) -> None:
        """Write a frame now as far as possible, the rest by and by."""
        if not self.broken:
            self._writer.put(kind, head, body)
            if self._waits is Waits.NOTHING:
                self._push()

    async def flushed(self) -> None:
        """Wait until everything is in the pipe, or will never be. One task at a time may wait."""
        if self._waits is not Waits.NOTHING:
            self._flushed = self._loop.create_future()
            try:
                await self._flushed
            finally:
                self._flushed = None

    def stop(self) -> None:
        """Watch nothing any more and drop what is unwritten; the descriptors can be closed."""
        self.broken = True
        self._writer.forget()
        self._watch(Waits.NOTHING)

    def _push(self) -> None:
        try:
            waits = self._writer.push()
        except BrokenPipeError:
            self.stop()
            return
        self._watch(waits)

    def _watch(self, waits: Waits) -> None:
        if waits is self._waits:
            return
        if self._waits is Waits.PIPE:
            self._loop.remove_writer(self._writer.data)
        elif self._waits is Waits.RING:
            self._loop.remove_reader(self._writer.acknowledgements)
        self._waits = waits
        if waits is Waits.PIPE:
            self._loop.add_writer(self._writer.data, self._push)
        elif waits is Waits.RING:
            self._loop.add_reader(self._writer.acknowledgements, self._push)
        elif self._flushed is not None and not self._flushed.done():
            self._flushed.set_result(None)


class LoopReader:
    """Reads frames for one task, which waits while there are none. Its pipe does not block."""

    def __init__(self, reader: FrameReader) -> None:
        self._reader: Final = reader
        self._loop: Final = asyncio.get_running_loop()

    async def frames(self) -> list[Frame]:
        """Return the frames that have come, perhaps none yet; look at the reader's ``ended`` for the end."""
        try:
            return self._reader.read()
        except BlockingIOError:
            readable: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(self._reader.data, settle, readable)
        try:
            await readable
        finally:
            self._loop.remove_reader(self._reader.data)
        return []


def settle(future: asyncio.Future[None]) -> None:
    """End the wait for ``future`` if nothing else did; for callbacks that may come more than once."""
    if not future.done():
        future.set_result(None)
