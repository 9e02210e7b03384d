"""What runs in a child process: it makes itself die with its parent, finds the function, and works until the pipe ends.

Nothing heavy is imported here, not even asyncio: what a child imports, every child pays for at its start.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from array import array
from typing import TYPE_CHECKING, Any, Final

from wfrun.concurrency.processes.items import Batch, Failure
from wfrun.concurrency.processes.role import Role, Start
from wfrun.concurrency.processes.shared_ring import SharedRing
from wfrun.concurrency.processes.wire import Frame, FrameReader, FrameWriter, Kind, encode

if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = ["main"]

FLUSH_AFTER_NS: Final = 2_000_000
"""Results wait at most this long for others to travel with, plus one item's time."""


def main() -> None:
    """Run a child whose last argument holds the numbers of its descriptors, the ring's size, and its parent."""
    *descriptors, ring_bytes, parent = map(int, sys.argv[-1].split(","))
    _die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    for descriptor in descriptors:
        # What the function starts must not keep these pipes open.
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - the call has no keyword
    down, up = SharedRing(descriptors[2], ring_bytes), SharedRing(descriptors[5], ring_bytes)
    reader = FrameReader(descriptors[0], descriptors[1], down)
    writer = FrameWriter(descriptors[3], descriptors[4], up)
    try:
        _run(reader, writer, up)
    except BrokenPipeError:
        # The parent is gone or wants nothing more; there is nobody to tell.
        os._exit(0)


def _run(reader: FrameReader, writer: FrameWriter, up: SharedRing) -> None:
    frames: list[Frame] = []
    while not frames:
        frames = reader.read()
        if reader.ended:
            return
    try:
        start, function = _prepare(reader, frames.pop(0))
    except BaseException as error:  # noqa: BLE001 - an import may raise anything, SystemExit too
        writer.put(Kind.REFUSED, b"", encode(Failure.of(error, own_frames=2)))
        writer.push_all()
        return
    writer.put(Kind.READY, b"", encode(None))
    writer.push_all()
    if start.role is Role.WORK:
        _Worker(function, reader, writer, up).run(frames)
        return
    from wfrun.concurrency.processes.ends import run_channel_end  # noqa: PLC0415 - only these children need it

    run_channel_end(start, function, reader, writer, frames)


def _prepare(reader: FrameReader, frame: Frame) -> tuple[Start, Any]:
    start: Start = reader.load(frame)
    sys.path[:] = start.path
    start.main.load_when_asked()
    function = start.function.load()
    if not callable(function):
        raise TypeError(f"{start.function.module}.{start.function.name} is {function!r} here, not a function")
    return start, function


class _Worker:
    """Calls the function with each item and sends what came of it."""

    def __init__(
        self, function: Callable[[Any], object], reader: FrameReader, writer: FrameWriter, up: SharedRing
    ) -> None:
        self._function = function
        self._reader = reader
        self._writer = writer
        # The parent reads here which item a dead worker was at.
        self._at = up.note

    def run(self, frames: list[Frame]) -> None:
        """Work until the parent closes the pipe."""
        while not self._reader.ended:
            for frame in frames:
                ids = array("Q")
                ids.frombytes(frame.head)
                self._work(ids, Batch.opened(self._reader.load(frame)))
            frames = self._reader.read()

    def _work(self, ids: array[int], items: Batch) -> None:
        function = self._function
        at = self._at
        clock = time.perf_counter_ns
        results = Batch()
        first = 0
        flushed = clock()
        for index, item in enumerate(items.values):
            at[0] = ids[index] + 1
            if index in items.failures:
                results.fail(items.failures[index])
            else:
                try:
                    results.add(function(item))
                except BaseException as error:  # noqa: BLE001 - whatever it raises is the item's outcome
                    results.fail(Failure.of(error))
            now = clock()
            if now - flushed > FLUSH_AFTER_NS:
                self._flush(ids[first : index + 1], now - flushed, results)
                first, results, flushed = index + 1, Batch(), clock()
        if results.values:
            self._flush(ids[first:], clock() - flushed, results)
        at[0] = 0

    def _flush(self, ids: array[int], took_ns: int, results: Batch) -> None:
        for start, stop, body in results.pieces():
            took = array("Q", (took_ns * (stop - start) // len(ids),))
            self._writer.put(Kind.RESULTS, (took + ids[start:stop]).tobytes(), body)
        self._writer.push_all()


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - no other system has this call

        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(0)
