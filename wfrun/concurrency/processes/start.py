"""Starting a child process that is joined to this one by a pair of links, and seeing it end.

A child is a fresh interpreter (never a fork: a copy of a process with threads or a running loop may hang), so it
costs about 50 ms of processor time to start. It dies with its parent: on Linux the kernel kills it when the thread
that started it ends, elsewhere it ends at the end of its pipe. Ctrl-C in the terminal is left to the parent. Its
standard input is empty; what it prints appears where the parent prints.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wfrun.concurrency.processes.errors import ItemNotPicklable, shortened
from wfrun.concurrency.processes.importable import MainModule
from wfrun.concurrency.processes.loop import settle
from wfrun.concurrency.processes.role import Role, Start
from wfrun.concurrency.processes.shared_ring import SharedRing, create_shared_memory
from wfrun.concurrency.processes.wire import FrameReader, FrameWriter, Kind, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wfrun.concurrency.processes.importable import FunctionReference


RING_BYTES: Final = 4 * 1024 * 1024
"""Four items of 1 MB. More would only add memory to touch first, and leave the processor's cache."""
PIPE_BYTES: Final = 256 * 1024
_SET_PIPE_SIZE: Final = 1031  # F_SETPIPE_SZ, which Linux alone has
_BOOT: Final = "import sys; sys.path.insert(0, {root!r}); from wfrun.concurrency.processes.child import main; main()"


@dataclass(slots=True)
class _Link:
    """The descriptors of one direction: data forth, acknowledgements back, and the memory."""

    read_data: int
    write_data: int
    read_acknowledgements: int
    write_acknowledgements: int
    memory: int

    @classmethod
    def open(cls) -> _Link:
        opened: list[int] = []
        try:
            opened.extend(os.pipe())
            opened.extend(os.pipe())
            opened.append(create_shared_memory(RING_BYTES))
        except OSError:
            for descriptor in opened:
                os.close(descriptor)
            raise
        _widen(opened[1])
        return cls(*opened)

    def writer_ends(self) -> tuple[int, int, int]:
        return (self.write_data, self.read_acknowledgements, self.memory)

    def reader_ends(self) -> tuple[int, int, int]:
        return (self.read_data, self.write_acknowledgements, self.memory)

    def all(self) -> Iterator[int]:
        yield from {*self.writer_ends(), *self.reader_ends()}


class ChildProcess:
    """A started child and this process's ends of the two links to it.

    Close it, always: that ends the child whatever it does, and gives back every descriptor and all memory.
    """

    def __init__(self) -> None:
        down = _Link.open()
        try:
            up = _Link.open()
        except OSError:
            _close_all(down.all())
            raise
        theirs = (*down.reader_ends(), *up.writer_ends())
        try:
            self._process: Final = _spawn(theirs)
        except OSError:
            _close_all((*down.all(), *up.all()))
            raise
        self.pid: Final = self._process.pid
        self.notice: int | None = None
        """A descriptor that becomes readable when the process has ended; None where the system has no such thing."""
        with suppress(AttributeError, OSError):
            self.notice = os.pidfd_open(self.pid)
        self._down_ring: Final = SharedRing(down.memory, RING_BYTES)
        self.ring: Final = SharedRing(up.memory, RING_BYTES)
        """The memory the child writes to; its note says what the child is at."""
        self.writer: Final = FrameWriter(down.write_data, down.read_acknowledgements, self._down_ring)
        self.reader: Final = FrameReader(up.read_data, up.write_acknowledgements, self.ring)
        self._open = {down.write_data, down.read_acknowledgements, up.read_data, up.write_acknowledgements}
        # Mappings keep the memory; its descriptors and the child's ends are the child's now.
        _close_all({*theirs, down.memory, up.memory})
        os.set_blocking(down.write_data, False)
        os.set_blocking(up.read_data, False)

    def end_input(self) -> None:
        """Tell the child that nothing more comes: a well-behaved one finishes and ends."""
        if self.writer.data in self._open:
            self._open.remove(self.writer.data)
            os.close(self.writer.data)

    def ending(self) -> str | None:
        """Return how the process ended in words, or None while it runs."""
        code = self._process.poll()
        if code is None:
            return None
        if code >= 0:
            return f"exit code {code}"
        with suppress(ValueError):
            return f"signal {signal.Signals(-code).name}"
        return f"signal {-code}"

    def kill(self) -> None:
        """End the process now, if it runs."""
        self._process.kill()

    async def ended(self) -> None:
        """Wait until the process has ended and is reaped."""
        loop = asyncio.get_running_loop()
        if self.notice is None:
            while self._process.poll() is None:  # noqa: ASYNC110 - without a notice there is no event to wait for
                await asyncio.sleep(0.002)
            return
        done: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self.notice, settle, done)
        try:
            await done
        finally:
            loop.remove_reader(self.notice)
        self._process.wait()

    def close(self) -> None:
        """Kill and reap the process and give everything back; closing twice is fine.

        Nothing may watch its descriptors any more.
        """
        self._process.kill()
        self._process.wait()
        _close_all(self._open)
        self._open.clear()
        if self.notice is not None:
            os.close(self.notice)
            self.notice = None
        self._down_ring.close()
        self.ring.close()


def start_child(
    function: FunctionReference, role: Role, *, arguments: tuple[object, ...] = (), capacity: int = 1
) -> ChildProcess:
    """Start a child that runs ``function`` in ``role``; its first frame back is READY or REFUSED.

    Raises:
        FunctionNotImportable: The main module starts children whenever it is imported.
        ItemNotPicklable: The arguments cannot travel.
        OSError: The system gives no more processes, descriptors or memory.
    """
    MainModule.refuse_while_loading()
    start = Start(list(sys.path), MainModule.here(), function, role, arguments, capacity)
    try:
        body = encode(start)
    except Exception as error:
        raise ItemNotPicklable(f"{shortened(arguments)} cannot be sent to another process: {error}") from error
    child = ChildProcess()
    child.writer.put(Kind.START, b"", body)
    return child


def _spawn(theirs: tuple[int, ...]) -> subprocess.Popen[bytes]:
    root = str(Path(__file__).resolve().parents[2])
    numbers = ",".join(map(str, (*theirs, RING_BYTES, os.getpid())))
    # The mask is inherited: Ctrl-C cannot hit the child before it has said that it ignores it.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT.format(root=root), numbers],
            stdin=subprocess.DEVNULL,
            pass_fds=theirs,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _close_all(descriptors: Iterable[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _widen(pipe: int) -> None:
    if sys.platform == "linux":
        import fcntl  # noqa: PLC0415 - only where it is of use

        # The system may refuse more than its usual size to a user with many pipes; then batches are smaller.
        with suppress(OSError):
            fcntl.fcntl(pipe, _SET_PIPE_SIZE, PIPE_BYTES)
