"""What a child printed: all of a little, both ends of a flood."""

from __future__ import annotations

from collections import deque
from typing import Final

__all__ = ["MarkedOutput", "OutputTail"]

NOTHING: Final = ("", 0)
"""What is taken of a case that printed nothing: always this one value."""


class OutputTail:
    """Keeps the first and last bytes of a stream within a bound, and counts what fell out between them."""

    def __init__(self, most_bytes: int) -> None:
        self._half = max(1, most_bytes // 2)
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    def feed(self, data: bytes) -> None:
        """Take in what was printed next."""
        room = self._half - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        if len(data) > self._half:
            self._dropped += len(data) - self._half
            data = data[-self._half :]
        self._tail += data
        # Cut only now and then: cutting at every feed would move the whole tail each time.
        if len(self._tail) > 2 * self._half:
            self._cut()

    def take(self) -> tuple[str, int]:
        """Return the text so far and how many bytes are missing in its middle, and start anew."""
        if not (self._head or self._tail):
            return NOTHING
        self._cut()
        dropped = self._dropped
        gap = f"\n… {dropped} bytes dropped …\n".encode() if dropped else b""
        text = (bytes(self._head) + gap + bytes(self._tail)).decode("utf-8", "replace")
        self._head.clear()
        self._tail.clear()
        self._dropped = 0
        return text, dropped

    def _cut(self) -> None:
        excess = len(self._tail) - self._half
        if excess > 0:
            self._dropped += excess
            del self._tail[:excess]


class MarkedOutput:
    """A stream of several cases, cut where a mark stands: what each of them printed, as :class:`OutputTail` keeps it.

    A child that runs ahead of its parent writes the mark after each case, so that no case is given another's output.
    """

    def __init__(self, most_bytes: int, mark: bytes) -> None:
        self._mark = mark
        self._held = b""
        self._tail = OutputTail(most_bytes)
        self._taken: deque[tuple[str, int]] = deque()

    def feed(self, data: bytes) -> None:
        """Take in what was printed next."""
        *whole, rest = (self._held + data).split(self._mark)
        for piece in whole:
            if piece:
                self._tail.feed(piece)
            self._taken.append(self._tail.take())
        # The end may be the beginning of a mark: then it waits for the rest.
        longest = min(len(rest), len(self._mark) - 1)
        held = next((n for n in range(longest, 0, -1) if self._mark.startswith(rest[-n:])), 0)
        self._held = rest[len(rest) - held :]
        self._tail.feed(rest[: len(rest) - held])

    @property
    def ready(self) -> bool:
        """Whether what was printed up to a mark can be taken."""
        return bool(self._taken)

    def take(self) -> tuple[str, int]:
        """Return what was printed up to the next mark, or so far, and how many bytes are missing in its middle."""
        if self._taken:
            return self._taken.popleft()
        self._tail.feed(self._held)
        self._held = b""
        return self._tail.take()
