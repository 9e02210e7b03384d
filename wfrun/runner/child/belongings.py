"""Which of the things that came up during a case are not its own: what libraries keep, and what belongs to a pool."""

from __future__ import annotations

import logging
import os
import socket
import stat
import sys
import threading
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from wfrun.waits.chain import places_of

if TYPE_CHECKING:
    import types
    from collections.abc import Iterable

__all__ = ["library_pids", "names_of_descriptors", "of_the_case", "places_of_thread"]

_POOL_WORKER: Final = os.path.join("concurrent", "futures", "thread.py")  # noqa: PTH118 - compared with file names
_KEEPERS: Final = ("asyncio", "logging")
"""Parts of the standard library that start threads of their own accord."""
_NOBODYS: Final = (
    "anon_inode:",
    "/proc/",
    "/sys/",
    "/dev/null",
    "/dev/urandom",
    "/dev/random",
    "/dev/tty",
    "/dev/pts/",
)


def of_the_case(thread: threading.Thread, frame: types.FrameType | None) -> bool:
    """Return whether ``thread``, which is at ``frame``, does the case's work.

    It does not while it waits for work in a pool, which ends it in its own time, or as a daemon of a library.
    """
    files = []
    innermost = frame
    while frame is not None:
        files.append(frame.f_code.co_filename)
        frame = frame.f_back
    if innermost is None or not thread.is_alive():
        return False
    if innermost.f_code.co_name == "_worker" and innermost.f_code.co_filename.endswith(_POOL_WORKER):
        return False
    return not (thread.daemon and any(file.startswith(_libraries()) for file in files))


@cache
def _libraries() -> tuple[str, ...]:
    import sysconfig  # noqa: PLC0415 - only where a thread was left, as it takes some milliseconds

    installed = {sysconfig.get_path(key) for key in ("purelib", "platlib")}
    standard = {sysconfig.get_path(key) for key in ("stdlib", "platstdlib")}
    keepers = (os.path.join(path, name, "") for path in standard for name in _KEEPERS)  # noqa: PTH118 - as above
    return (*installed, *keepers)


def places_of_thread(innermost: types.FrameType | None) -> tuple[str, ...]:
    """Return where a thread is, the innermost call last, without what every thread begins with."""
    frames = []
    while innermost is not None:
        if innermost.f_code.co_filename != threading.__file__:
            frames.append(innermost)
        innermost = innermost.f_back
    return places_of(frames[::-1])


def library_pids() -> set[int]:
    """Return the helper processes that :mod:`multiprocessing` keeps for as long as this process lives."""
    pids = set()
    for module, holder, attribute in (
        ("multiprocessing.resource_tracker", "_resource_tracker", "_pid"),
        ("multiprocessing.forkserver", "_forkserver", "_forkserver_pid"),
    ):
        pids.add(getattr(getattr(sys.modules.get(module), holder, None), attribute, None))
    return {pid for pid in pids if pid is not None}


def names_of_descriptors(descriptors: Iterable[int]) -> dict[int, str]:
    """Return what each descriptor is, by its number, without those that libraries keep or that are closed by now."""
    kept = _library_descriptors()
    return {each: name for each in descriptors if each not in kept and (name := _name(each))}


def _name(descriptor: int) -> str:
    try:
        mode = os.fstat(descriptor).st_mode
        target = os.readlink(f"/proc/self/fd/{descriptor}") if sys.platform == "linux" else ""  # noqa: PTH115
    except OSError:
        return ""
    if target.startswith((*_NOBODYS, sys.prefix, sys.base_prefix)):
        return ""
    if stat.S_ISSOCK(mode):
        return f"descriptor {descriptor} (socket{_addresses(descriptor)})"
    if stat.S_ISFIFO(mode):
        return f"descriptor {descriptor} (pipe)"
    return f"descriptor {descriptor} ({target or 'file'})"


def _addresses(descriptor: int) -> str:
    text = ""
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as same:
        text = _address(same.getsockname())
        with suppress(OSError):
            text += f" to{_address(same.getpeername())}"
    return text


def _address(address: Any) -> str:  # noqa: ANN401 - every family has its own form
    if isinstance(address, tuple) and len(address) >= 2:
        return f" {address[0]}:{address[1]}"
    return f" {address!r}" if address else ""


def _library_descriptors() -> set[int]:
    holders: list[Any] = [
        getattr(getattr(sys.modules.get("multiprocessing.resource_tracker"), "_resource_tracker", None), "_fd", None),
        getattr(
            getattr(sys.modules.get("multiprocessing.forkserver"), "_forkserver", None), "_forkserver_alive_fd", None
        ),
    ]
    for reference in getattr(logging, "_handlerList", ()):
        stream = getattr(reference(), "stream", None)
        with suppress(Exception):  # a handler of anybody's class, with a stream of anybody's
            holders.append(stream.fileno() if stream is not None else None)
    return {each for each in holders if isinstance(each, int)}
