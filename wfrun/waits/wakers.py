"""What could still wake an event loop on which nothing is ready.

A loop is woken by a timer, by a descriptor it watches, by a signal handler, or by another thread, which may be one that
waits for a process. Where none of these is there, nothing can come any more. What cannot be told apart is taken for
something that could wake it: a thread may sleep for ever, but nobody can know.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from concurrent.futures import thread as thread_pools
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wfrun.waits.chain import in_library, place_of

if TYPE_CHECKING:
    import asyncio
    import types
    from collections.abc import Collection

__all__ = ["Waker", "children_text", "descriptors", "find_wakers", "foreign_threads", "has_children", "timers"]

_RUNNER: Final = f"{__name__.partition('.')[0]}.runner."
_TASKS: Final = Path("/proc/self/task")

OWN_THREADS: Final = "wfrun "
"""How the names of threads begin that the runner starts in the process of a case."""


@dataclass(frozen=True, slots=True)
class Waker:
    """Something that could wake the loop."""

    kind: str
    """``timer``, ``descriptor``, ``thread``, ``process`` or ``signal``."""
    text: str
    """It by name, for a person."""

    @property
    def real(self) -> bool:
        """Whether it belongs to the world outside the loop."""
        return self.kind != "timer"


def find_wakers(loop: asyncio.AbstractEventLoop) -> list[Waker]:
    """Return all that could wake ``loop``, which waits in this thread; the runner's own threads and handlers will not.

    Args:
        loop: One of asyncio's own; of any other kind the timers and descriptors cannot be seen.
    """
    wakers = [*timers(loop), *descriptors(loop), *foreign_threads()]
    if (native := _native_threads() - len(sys._current_frames())) > 0:
        wakers.append(Waker("thread", f"{native} of a library's own threads"))
    if has_children():
        wakers.append(Waker("process", children_text()))
    return wakers + _signal_handlers()


def timers(loop: asyncio.AbstractEventLoop) -> list[Waker]:
    """Return the loop's next timer, if there is one."""
    due = [handle.when() for handle in getattr(loop, "_scheduled", ()) if not handle.cancelled()]
    if not due:
        return []
    return [
        Waker("timer", f"{len(due)} timer{'s' if len(due) > 1 else ''}, the next in {min(due) - loop.time():.3g} s")
    ]


def descriptors(loop: asyncio.AbstractEventLoop) -> list[Waker]:
    """Return what the loop watches beside the pipe that it wakes itself by."""
    selector = getattr(loop, "_selector", None)
    own = getattr(loop, "_ssock", None)
    if selector is None or own is None:
        return []
    watched = [descriptor for descriptor in selector.get_map() if descriptor != own.fileno()]
    return [Waker("descriptor", _descriptor_text(descriptor)) for descriptor in watched]


def foreign_threads(but: Collection[int] = ()) -> list[Waker]:
    """Return the threads that run Python code beside this one, without the runner's own and idle ones of executors.

    Args:
        but: Ids of threads that do not count.
    """
    frames = sys._current_frames()
    # A frame that holds itself would live, with all that it holds, until garbage is collected.
    frames.pop(threading.get_ident(), None)
    names = {thread.ident: thread for thread in threading.enumerate()}
    return [
        Waker("thread", _thread_text(names.get(ident), frame))
        for ident, frame in frames.items()
        if ident not in but and not _is_own(names.get(ident)) and not _idle(names.get(ident), frame)
    ]


def has_children() -> bool:
    """Return whether this process has child processes, ended ones that nobody collected included, or may have."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    except (OSError, AttributeError):  # macOS before Python 3.13 has no waitid
        return True
    return True


def children_text() -> str:
    """Return the child processes by id and command, the first three of them."""
    texts = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):  # it may be gone by now
            # The parent's id is the second field behind the command, which stands in brackets and may hold any.
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid():
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                texts.append(f"process {folder.name} ({command.strip()[:60]})")
    return ", ".join(texts[:3]) or "a child process"


def _signal_handlers() -> list[Waker]:
    wakers = []
    for number in signal.valid_signals():
        handler = signal.getsignal(number)
        # Not callable are the system's own reactions, and what was not installed from Python.
        if callable(handler) and handler is not signal.default_int_handler and not _of_runner(handler):
            with suppress(ValueError):
                wakers.append(Waker("signal", f"a handler of {signal.Signals(number).name}"))
    return wakers


def _descriptor_text(descriptor: int) -> str:
    with suppress(OSError):
        name = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        return f"{_socket_text(descriptor) if name.startswith('socket:') else name} (descriptor {descriptor})"
    return f"descriptor {descriptor}"


def _socket_text(descriptor: int) -> str:
    import socket  # noqa: PLC0415 - asyncio has loaded it, but nothing else here needs it

    number = os.dup(descriptor)
    try:
        copy = socket.socket(fileno=number)
    except OSError:
        os.close(number)
        raise
    with copy:
        ends = []
        for end in (copy.getsockname, copy.getpeername):
            with suppress(OSError):
                address = end()
                ends.append(f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address or "unnamed"))
    return f"socket {' to '.join(ends)}".strip()


def _thread_text(thread: threading.Thread | None, frame: types.FrameType) -> str:
    at: types.FrameType | None = frame
    while at is not None and (in_library(at) or at.f_code.co_filename in _PLUMBING):
        at = at.f_back
    name = "a thread without a name" if thread is None else f"thread {thread.name}"
    return f"{name} at {place_of(at)}" if at is not None else name


_PLUMBING: Final = (threading.__file__, thread_pools.__file__)


def _is_own(thread: threading.Thread | None) -> bool:
    """Return whether a thread only looks on: those of wfrun's tools wake no loop."""
    return thread is not None and thread.name.startswith(OWN_THREADS)


def _idle(thread: threading.Thread | None, frame: types.FrameType) -> bool:
    """Return whether ``thread`` is the runner's, or an executor's that stands in its loop with an empty queue."""
    if _of_runner(getattr(thread, "_target", None)):
        return True
    # A thread that was not started by Python has frames, and no thread object.
    queue = None if thread is None else thread_pools._threads_queues.get(thread)
    if queue is None:
        return False
    return frame.f_code.co_filename == thread_pools.__file__ and frame.f_code.co_name == "_worker" and queue.empty()


def _of_runner(function: object) -> bool:
    return str(getattr(function, "__module__", "")).startswith(_RUNNER)


def _native_threads() -> int:
    """Return how many threads this process has; where the system does not tell, one more than can be known."""
    try:
        return len(os.listdir(_TASKS))  # noqa: PTH208 - a count, without a path for each
    except OSError:
        return len(sys._current_frames()) + 1
