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
        self._files = (_file(OUT), _file(ERR))
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
        if (_file(OUT), _file(ERR)) != self._files:
            # A case that closed even the copies has closed the way to the parent too, and is found out by that.
            with contextlib.suppress(OSError):
                for kept, descriptor, file in zip(self._kept, (OUT, ERR), self._files, strict=True):
                    if _file(descriptor) != file:
                        os.dup2(kept, descriptor)
        out, err = self._streams
        if out.closed or err.closed:
            self._streams = (_opened(out, OUT), _opened(err, ERR))
        sys.stdout, sys.stderr = self._streams


def _file(descriptor: int) -> tuple[int, int] | None:
    """Return what tells the open file from every other; ``None`` where there is none."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return found.st_dev, found.st_ino


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
