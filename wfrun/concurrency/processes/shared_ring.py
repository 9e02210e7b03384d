"""Memory that two processes share, for what is too large to push through a pipe.

The memory has no name: it is a descriptor that the child inherits, so nothing is left behind whoever dies first, and
no tracker process is needed. The writer places bodies one behind the other and starts again at the front; the reader
says through a pipe how far it has read. Positions only grow, their place in memory is the position modulo the size.
"""

from __future__ import annotations

import mmap
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["RingFile", "SharedRing", "create_shared_memory"]

HEADER_BYTES: Final = 64
"""The front of the memory; its first eight bytes are the note that :attr:`SharedRing.note` gives access to."""


def create_shared_memory(size_bytes: int) -> int:
    """Return a descriptor of nameless memory for a ring of ``size_bytes``; pages are taken when first touched."""
    if sys.platform == "linux":
        descriptor = os.memfd_create("wfrun-ring", os.MFD_CLOEXEC)
    else:
        import tempfile  # noqa: PLC0415 - only where there is nothing better

        with tempfile.TemporaryFile() as unlinked:
            descriptor = os.dup(unlinked.fileno())
    os.ftruncate(descriptor, HEADER_BYTES + size_bytes)
    return descriptor


class SharedRing:
    """One end of a ring: one process places bodies, the other looks at them in the same order.

    Args:
        descriptor: From :func:`create_shared_memory`; stays the caller's to close.
        size_bytes: As it was created with.
    """

    def __init__(self, descriptor: int, size_bytes: int) -> None:
        self.size_bytes: Final = size_bytes
        self._map = mmap.mmap(descriptor, HEADER_BYTES + size_bytes)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            # Where the system has huge pages for shared memory, touching it first costs a hundredth.
            with suppress(OSError):
                self._map.madvise(mmap.MADV_HUGEPAGE)
        self._memory = memoryview(self._map)
        self.note: Final = self._memory[:8].cast("Q")
        """One number that both processes see at once; written by one of them."""
        self._placed = 0
        self._released = 0

    def place(self, chunks: Iterable[bytes], length: int) -> int:
        """Copy ``chunks``, ``length`` bytes together, to one place; return the position of their end, 0 for no room.

        A body no longer than the ring always finds room once everything before it is released.
        """
        start = self._placed
        at = start % self.size_bytes
        if at + length > self.size_bytes:
            start += self.size_bytes - at
        oldest = start if self._released == self._placed else self._released
        if start + length - oldest > self.size_bytes:
            return 0
        at = HEADER_BYTES + start % self.size_bytes
        for chunk in chunks:
            self._memory[at : at + len(chunk)] = chunk
            at += len(chunk)
        self._placed = start + length
        return self._placed

    def release(self, position: int) -> None:
        """Take over from the reader that everything up to ``position`` was read."""
        self._released = position

    def at(self, end: int, length: int) -> memoryview:
        """Return the body of ``length`` bytes whose :meth:`place` returned ``end``; release the view before closing."""
        start = HEADER_BYTES + (end - length) % self.size_bytes
        return self._memory[start : start + length]

    def close(self) -> None:
        """Give the mapping back; closing twice is fine."""
        self.note.release()
        self._memory.release()
        self._map.close()


class RingFile:
    """A body in the ring as the file an unpickler reads, so that large buffers are copied once, into their object."""

    __slots__ = ("_at", "_view")

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self._at = 0

    def read(self, count: int = -1) -> bytes:
        """Return the next ``count`` bytes, fewer at the end."""
        start = self._at
        self._at = len(self._view) if count < 0 else min(start + count, len(self._view))
        return bytes(self._view[start : self._at])

    def readinto(self, target: bytearray | memoryview) -> int:
        """Fill ``target`` and return how many bytes that took."""
        count = min(len(target), len(self._view) - self._at)
        target[:count] = self._view[self._at : self._at + count]
        self._at += count
        return count

    def readline(self) -> bytes:
        """Return the bytes up to a line's end; only opcodes of old protocols ask for it."""
        rest = bytes(self._view[self._at :])
        line = rest[: rest.find(b"\n") + 1] or rest
        self._at += len(line)
        return line
