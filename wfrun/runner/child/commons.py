"""What the cases of one process share, and one of them may have spoilt: both outputs."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import Final, TextIO

__all__ = ["Commons"]

OUT: Final = 1
ERR: Final = 2


class Commons:
    """Makes both streams write line by line, and remembers what a case must find as it starts."""

    def __init__(self) -> None:
        self._streams = (sys.stdout, sys.stderr)
        # Copies of the outputs that a case does not know of.
        self._kept = (os.dup(OUT), os.dup(ERR))
        _prepare(self._streams)

    def mark(self, mark: bytes) -> None:
        """Write ``mark`` into the output, behind the parent's end of everything printed so far."""
        if not mark:
            return
        # As in restore.
        with contextlib.suppress(OSError):
            os.write(self._kept[0], mark)

    def restore(self) -> None:
        """Bring back what an earlier case closed, replaced or left."""
        # A case that closed even the copies has closed the way to the parent too, and is found out by that.
        with contextlib.suppress(OSError):
            for kept, descriptor in zip(self._kept, (OUT, ERR), strict=True):
                if not _same(kept, descriptor):
                    os.dup2(kept, descriptor)
        self._streams = (_opened(self._streams[0], OUT), _opened(self._streams[1], ERR))
        sys.stdout, sys.stderr = self._streams


def _same(kept: int, descriptor: int) -> bool:
    try:
        return os.path.sameopenfile(kept, descriptor)
    except OSError:
        return False


def _opened(stream: TextIO, descriptor: int) -> TextIO:
    if not stream.closed:
        return stream
    again = open(descriptor, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - lives as long as the process
    _prepare((again,))
    return again


def _prepare(streams: tuple[TextIO, ...]) -> None:
    # Line by line, so that a crash loses at most half a line and both streams keep their order.
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
