"""What wider fixtures hold: the connections, threads and processes that can be reached from their values.

A pool that a whole suite shares may open a connection while a case runs; that is the pool's, not the case's. So before
something is called a leak, the objects reachable from the values of the fixtures alive are searched for it.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import io
import socket
import subprocess
import sys
import threading
import types
from asyncio.base_subprocess import BaseSubprocessTransport
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Held", "held_by"]

MOST_OBJECTS: Final = 200_000
"""Objects looked at, some 50 ms; what lies further is not found."""
_CLOSED_DOORS: Final = (
    type,
    types.ModuleType,
    types.BuiltinFunctionType,
    types.CodeType,
    contextvars.Context,
    asyncio.AbstractEventLoop,
)
"""Everything is reachable through these, so none of it says who holds it."""


@dataclass(frozen=True, slots=True)
class Held:
    """What was found."""

    threads: set[threading.Thread] = field(default_factory=set)
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    pids: set[int] = field(default_factory=set)
    descriptors: set[int] = field(default_factory=set)

    def has(self, kind: str, thing: object) -> bool:
        """Return whether it is among what was found; ``kind`` as in ``allow_leaks``."""
        match kind:
            case "threads":
                return thing in self.threads
            case "tasks":
                return thing in self.tasks
            case "processes":
                return thing in self.pids
            case "descriptors":
                return thing in self.descriptors
            case _:
                return False


def held_by(roots: Iterable[object]) -> Held:
    """Return what can be reached from ``roots``, without going through modules, classes and event loops."""
    held = Held()
    globals_of_modules = {id(getattr(module, "__dict__", None)) for module in tuple(sys.modules.values())}
    waiting = list(roots)
    seen = {id(each) for each in waiting}
    while waiting and len(seen) < MOST_OBJECTS:
        each = waiting.pop()
        _note(each, held)
        for inner in _referents(each):
            if id(inner) not in seen and id(inner) not in globals_of_modules and not isinstance(inner, _CLOSED_DOORS):
                seen.add(id(inner))
                waiting.append(inner)
    return held


def _referents(each: object) -> list[Any]:
    if isinstance(each, types.FunctionType):
        return [*(each.__closure__ or ()), *(each.__defaults__ or ())]
    return gc.get_referents(each)


def _note(each: object, held: Held) -> None:
    if isinstance(each, threading.Thread):
        held.threads.add(each)
    elif isinstance(each, asyncio.Task):
        held.tasks.add(each)
    elif isinstance(each, subprocess.Popen):
        held.pids.add(each.pid)
    elif isinstance(each, BaseSubprocessTransport):
        held.pids.add(each.get_pid() or 0)
    elif type(each).__module__.startswith("multiprocessing"):
        pid = getattr(each, "pid", None)
        if isinstance(pid, int):
            held.pids.add(pid)
    if isinstance(each, socket.socket | io.FileIO) or type(each).__module__ == "multiprocessing.connection":
        with suppress(Exception):  # closed, or of anybody's class
            held.descriptors.add(each.fileno())  # type: ignore[attr-defined]
