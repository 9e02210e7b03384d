"""An event loop whose clock jumps to the next timer as soon as nothing else is left to do.

Theory of operation: asyncio asks its selector to wait until the next timer is due. The selector here looks for real
events without waiting; when there are none it moves the loop's own time forward by the asked-for duration and returns
at once. ``asyncio.sleep``, ``asyncio.timeout`` and ``call_later`` all read ``loop.time()``, so any asyncio code runs
on virtual time unchanged. With no timer at all the loop really waits, for a socket, a thread or a child.

What is real takes its time while the clock jumps, so which of the two comes first would be chance, or always the timer.
Therefore the clock does not jump over something real: the loop raises :class:`RealWait`, which names it.
"""

from __future__ import annotations

import asyncio
import math
import selectors
import threading
from typing import TYPE_CHECKING, Final

from wfrun.errors import ExitCode, WfrunError
from wfrun.waits import children_text, descriptors, foreign_threads, has_children, timers, wait_graph

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from _typeshed import FileDescriptorLike

__all__ = ["RealWait", "VirtualTimeLoop"]

RESOLUTION_S: Final = 1e-9
PATIENCE_S: Final = 0.1
"""How long a loop that is not strict really waits for something real before its clock jumps all the same."""
_ONLY_THE_LOOP: Final = frozenset({"timer", "turn", "task", "gather", "wait", "TaskGroup"})
"""What a task can wait for that no thread brings."""


class RealWait(WfrunError):
    """On virtual time the clock would have jumped over a wait for something real, which the text names."""

    exit_code = ExitCode.CASE_FAILED


class _JumpingSelector(selectors.BaseSelector):
    """Passes everything to a real selector, but never sleeps while a timer is what everybody waits for."""

    def __init__(self, find_real: Callable[[], str]) -> None:
        self._real = selectors.DefaultSelector()
        self._find_real = find_real
        self.now_s = 0.0
        self.strict = True

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return self._real.select(timeout)
        events = self._real.select(0)
        if not events and (real := self._find_real()):
            # What is real may have ended while it was looked for, and has then left its mark.
            events = self._real.select(0 if self.strict else min(timeout, PATIENCE_S))
            if not events and self.strict:
                raise RealWait(real)
        if not events:
            self.now_s += timeout
        return events

    def wait(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait in real time, whatever the timers say."""
        return self._real.select(timeout)

    def register(self, fileobj: FileDescriptorLike, events: int, data: object = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: FileDescriptorLike, events: int, data: object = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_key(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        return self._real.get_key(fileobj)

    def get_map(self) -> Mapping[FileDescriptorLike, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An asyncio loop on virtual time, starting at 0 seconds.

    Use it as ``asyncio.Runner(loop_factory=VirtualTimeLoop)``. While a timer is pending and something real could wake
    the loop, it raises :class:`RealWait` out of its run: a watched socket or pipe, or a thread that began after the
    loop was made and that some task may wait for. Without a timer it really waits.
    """

    def __init__(self) -> None:
        self._earlier_threads: Final = {thread.ident or 0 for thread in threading.enumerate()}
        self._jumping = _JumpingSelector(self._find_real)
        super().__init__(self._jumping)

    @property
    def strict(self) -> bool:
        """Whether a real wait is an error. Otherwise it is given a tenth of a second, and then the timer wins."""
        return self._jumping.strict

    @strict.setter
    def strict(self, strict: bool) -> None:
        self._jumping.strict = strict

    def time(self) -> float:
        """Return virtual seconds since the loop was made."""
        now_s = self._jumping.now_s
        # A timer is due when less than this is missing; after half a year the next float is farther away than asyncio's
        # own value, and no timer would ever be.
        self._clock_resolution = max(RESOLUTION_S, math.ulp(now_s))
        return now_s

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002 - see below
        """Wait for the executor's threads without a limit: they end in real time, while a virtual limit would jump."""
        await super().shutdown_default_executor()

    def _find_real(self) -> str:
        """Return what is real and could wake the loop, with the task that seems to wait for it; empty if nothing."""
        # Asked before each jump, so the two short questions come first: the loop's own pipe is watched in any case.
        if len(self._jumping.get_map()) <= 1 and threading.active_count() <= 1:
            return ""
        found = descriptors(self)
        threads = foreign_threads(self._earlier_threads)
        if not found and not threads:
            return ""
        waiting = [task for task in wait_graph(self).tasks if task.kind not in _ONLY_THE_LOOP]
        if not found and not waiting:
            return ""
        names = [real.text for real in (*found, *threads)]
        if has_children():
            names.insert(0, children_text())
        waits = f"; {waiting[0].name} waits for {waiting[0].state} at {waiting[0].places[-1]}" if waiting else ""
        return (
            f"virtual time would jump over something real: {', '.join(names)}, with {timers(self)[0].text}{waits}. "
            "Keep what is real out of this case, give it no time-out, or run it without virtual_time"
        )
