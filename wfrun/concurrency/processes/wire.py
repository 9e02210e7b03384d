"""Frames through a pipe: what both ends of a process link speak. Knows nothing of event loops; children stay light.

A frame is a kind, a short head, and a body that is one pickle (protocol 5). Small bodies follow in the pipe. A large
one, that is a batch of 64 KiB and more, lies in shared memory and the pipe carries its place: the pickler hands out
large buffers without copying them, so they are copied into the ring once and out of it once.

Pickle is safe here because only processes of one program speak, over pipes that were inherited and have no name.
"""

from __future__ import annotations

import os
import pickle
import select
import struct
from collections import deque
from contextlib import suppress
from enum import Enum, IntEnum
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from wfrun.concurrency.processes.shared_ring import RingFile, SharedRing

__all__ = ["Body", "Frame", "FrameReader", "FrameWriter", "Kind", "Waits", "encode"]

_PREFIX: Final = struct.Struct("<IIQQ")  # bytes of head, kind, bytes of body, end of body in the ring or 0
_ACKNOWLEDGEMENT: Final = struct.Struct("<Q")
LARGE_BYTES: Final = 64 * 1024
READ_BYTES: Final = 256 * 1024


class Kind(IntEnum):
    """What a frame is about."""

    START = 1
    """To the child: what to run."""
    READY = 2
    """From the child: the function was found."""
    REFUSED = 3
    """From the child: it was not; the body says why."""
    ITEMS = 4
    """To a worker: the head has their ids. Through a channel: no head."""
    RESULTS = 5
    """From a worker: the head has nanoseconds taken, then the items' ids."""
    RETURNED = 6
    """From the child, last: what its function returned, as a batch of one."""
    RAISED = 7
    """From the child, last: what its function raised instead."""


class Waits(Enum):
    """What a writer waits for before it can go on."""

    NOTHING = "nothing"
    PIPE = "the pipe to take more"
    RING = "the reader to release shared memory"


class Body(NamedTuple):
    """A value ready to be written."""

    chunks: list[bytes]
    length: int


class Frame(NamedTuple):
    """A frame that was read; its body is still pickled. Each must go to :meth:`FrameReader.load`."""

    kind: Kind
    head: bytes
    body: bytes
    length: int
    end: int


def encode(value: object, *, shares: bool = True) -> Body:
    """Pickle ``value``. Immutable large buffers are referred to, not copied; raises whatever pickling raises.

    Args:
        value: What to pickle.
        shares: Whether an object that is met twice arrives as one. Without, there is nothing to remember, which takes
            less than half the time, but ``value`` must not contain itself.
    """
    chunks: list[bytes] = []
    pickler = pickle.Pickler(SimpleNamespace(write=chunks.append), 5)
    pickler.fast = not shares
    pickler.dump(value)
    return Body(chunks, sum(map(len, chunks)))


class FrameWriter:
    """Writes frames in order, as fast as pipe and ring take them; on a blocking pipe :meth:`push` never waits for PIPE.

    Args:
        data: Descriptor of the pipe that carries frames.
        acknowledgements: Descriptor of the pipe that comes back.
        ring: Where large bodies go.
    """

    def __init__(self, data: int, acknowledgements: int, ring: SharedRing) -> None:
        self.data: Final = data
        self.acknowledgements: Final = acknowledgements
        self._ring = ring
        self._queue: deque[tuple[Kind, bytes, Body]] = deque()
        self._unwritten: deque[memoryview] = deque()

    def put(self, kind: Kind, head: bytes, body: Body) -> None:
        """Queue a frame; :meth:`push` writes it."""
        self._queue.append((kind, head, body))

    def push(self) -> Waits:
        """Write until everything is written or something must be waited for.

        Raises:
            BrokenPipeError: The reader is gone.
        """
        while True:
            while self._unwritten:
                rest = self._unwritten[0]
                try:
                    written = os.write(self.data, rest)
                except BlockingIOError:
                    return Waits.PIPE
                if written == len(rest):
                    self._unwritten.popleft()
                else:
                    self._unwritten[0] = rest[written:]
            if not self._queue:
                return Waits.NOTHING
            if not self._begin(*self._queue[0]):
                return Waits.RING
            self._queue.popleft()

    def push_all(self) -> None:
        """Write everything, waiting as long as it takes; for blocking pipes, in children."""
        while self.push() is not Waits.NOTHING:
            select.select([self.acknowledgements], [], [])

    def forget(self) -> None:
        """Drop what is not written: there is nobody to read it."""
        self._queue.clear()
        self._unwritten.clear()

    def fits_ring(self, body: Body) -> bool:
        """Whether the body can travel in one go; a longer one is written through the pipe piece by piece."""
        return body.length <= self._ring.size_bytes

    def _begin(self, kind: Kind, head: bytes, body: Body) -> bool:
        end = 0
        chunks: list[bytes] = body.chunks
        if body.length >= LARGE_BYTES and self.fits_ring(body):
            end = self._ring.place(chunks, body.length)
            if not end:
                self._read_acknowledgements()
                end = self._ring.place(chunks, body.length)
                if not end:
                    return False
            chunks = []
        prefix = _PREFIX.pack(len(head), kind, body.length, end)
        if body.length < LARGE_BYTES:
            self._unwritten.append(memoryview(b"".join((prefix, head, *chunks))))
        else:
            self._unwritten.append(memoryview(prefix + head))
            self._unwritten.extend(map(memoryview, chunks))
        return True

    def _read_acknowledgements(self) -> None:
        if not select.select([self.acknowledgements], [], [], 0)[0]:
            return
        # Each is written whole, and the reads are a multiple of their size, so the last eight bytes are the newest.
        seen = os.read(self.acknowledgements, _ACKNOWLEDGEMENT.size * 512)
        if not seen:
            raise BrokenPipeError("the reading process is gone")
        self._ring.release(_ACKNOWLEDGEMENT.unpack(seen[-_ACKNOWLEDGEMENT.size :])[0])


class FrameReader:
    """Reads frames from a pipe, blocking or not.

    Args:
        data: Descriptor of the pipe that carries frames.
        acknowledgements: Descriptor of the pipe that goes back.
        ring: Where large bodies lie.
    """

    def __init__(self, data: int, acknowledgements: int, ring: SharedRing) -> None:
        self.data: Final = data
        self.ended = False
        """Whether the writer is gone; a frame it had not finished is dropped."""
        self._acknowledgements = acknowledgements
        self._ring = ring
        self._buffer = bytearray(READ_BYTES)
        self._filled = 0
        self._large_before = False

    def read(self) -> list[Frame]:
        """Read once and return the frames that are whole now, perhaps none.

        Raises:
            BlockingIOError: The pipe does not block, and there is nothing to read.
        """
        with memoryview(self._buffer) as view, view[self._filled :] as free:
            count = os.readv(self.data, [free])
        self.ended = not count
        self._filled += count
        return self._parse() if count else []

    def load(self, frame: Frame) -> Any:  # noqa: ANN401 - whatever was sent
        """Return the body of ``frame`` as a new object, and release its memory; raises whatever unpickling raises."""
        if not frame.end:
            return pickle.loads(frame.body)  # noqa: S301 - only between our own processes
        if not self._large_before:
            # Freeing one large block teaches the C library to keep blocks of that size for the next item, rather than
            # give them back to the system and fetch them page by page again: that was most of a large item's cost.
            self._large_before = True
            bytearray(self._ring.size_bytes)
        try:
            with self._ring.at(frame.end, frame.length) as view:
                return pickle.Unpickler(RingFile(view)).load()  # noqa: S301 - as above
        finally:
            # At most as many are unread as bodies fit the ring: far fewer than the pipe takes, so this never waits.
            with suppress(BrokenPipeError):
                os.write(self._acknowledgements, _ACKNOWLEDGEMENT.pack(frame.end))

    def _parse(self) -> list[Frame]:
        frames: list[Frame] = []
        at = 0
        needed = 0
        with memoryview(self._buffer) as view:
            while self._filled - at >= _PREFIX.size:
                head_bytes, kind, length, end = _PREFIX.unpack_from(view, at)
                body_at = at + _PREFIX.size + head_bytes
                following = body_at + (0 if end else length)
                if following > self._filled:
                    needed = following - at
                    break
                head = bytes(view[at + _PREFIX.size : body_at])
                frames.append(Frame(Kind(kind), head, bytes(view[body_at:following]), length, end))
                at = following
            rest = bytes(view[at : self._filled]) if at else b""
        if at:
            self._buffer[: len(rest)] = rest
            self._filled -= at
        # Room for a whole long body at once, and back to the usual size after it.
        wanted = max(READ_BYTES, needed)
        if len(self._buffer) < wanted:
            self._buffer.extend(bytes(wanted - len(self._buffer)))
        elif len(self._buffer) > wanted and self._filled <= READ_BYTES:
            del self._buffer[max(wanted, self._filled) :]
        return frames
