"""An event loop whose clock jumps to the next timer as soon as nothing else is left to do.

Theory of operation: asyncio asks its selector to wait until the next timer is due. The selector here looks for real
events without waiting; when there are none it moves the loop's own time forward by the asked-for duration and returns
at once. ``asyncio.sleep``, ``asyncio.timeout`` and ``call_later`` all read ``loop.time()``, so any asyncio code runs
on virtual time unchanged. With no timer at all the loop really waits, for a socket, a thread or a child.
"""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import FileDescriptorLike

__all__ = ["VirtualTimeLoop"]


class _JumpingSelector(selectors.BaseSelector):
    """Passes everything to a real selector, but never sleeps while a timer is what everybody waits for."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return self._real.select(timeout)
        events = self._real.select(0)
        if not events:
            self.now_s += timeout
        return events

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

    Use it as ``asyncio.Runner(loop_factory=VirtualTimeLoop)``. While code waits for real work (a socket, a thread,
    a child process) and a timer is pending, the timer wins: time jumps. So keep real waits out of cases on virtual
    time, or give them no time-out.
    """

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return virtual seconds since the loop was made."""
        return self._jumping.now_s

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002 - see below
        """Wait for the executor's threads without a limit: they end in real time, while a virtual limit would jump."""
        await super().shutdown_default_executor()
