"""Time as a value that is handed in, so that an hour takes a millisecond in a test.

Code that waits takes a :class:`Clock`. In production it is :class:`SystemClock`, which follows the running event
loop, and therefore also runs on virtual time under :mod:`wfrun.virtual_time`. A test that wants to place every
instant by hand uses :class:`ManualClock`.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from typing import Protocol

__all__ = ["Clock", "ManualClock", "SystemClock"]


class Clock(Protocol):
    """A monotonic time and a way to wait for it to pass."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary fixed instant; never goes back."""

    async def sleep(self, duration_s: float) -> None:
        """Wait ``duration_s`` seconds of this clock's time; zero or less only lets other tasks run."""


class SystemClock:
    """The event loop's own time; outside a loop, the operating system's monotonic clock."""

    __slots__ = ()

    def monotonic(self) -> float:
        """Return the running loop's time, or ``time.monotonic()`` when no loop runs in this thread."""
        try:
            return asyncio.get_running_loop().time()
        except RuntimeError:
            return time.monotonic()

    async def sleep(self, duration_s: float) -> None:
        """Wait on the running loop. Cancelling ends the wait and nothing else."""
        await asyncio.sleep(max(0.0, duration_s))


class ManualClock:
    """A clock that stands still until :meth:`advance` moves it.

    Sleepers wake in the order of their due times, and of their calls where those are equal.
    """

    __slots__ = ("_now_s", "_order", "_sleepers")

    def __init__(self, start_s: float = 0.0) -> None:
        self._now_s = start_s
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def monotonic(self) -> float:
        """Return the time that :meth:`advance` has reached, in seconds."""
        return self._now_s

    @property
    def sleepers(self) -> int:
        """How many tasks wait for this clock."""
        return sum(not future.done() for _, _, future in self._sleepers)

    async def sleep(self, duration_s: float) -> None:
        """Wait until :meth:`advance` has moved the clock past the due time."""
        if duration_s <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now_s + duration_s, next(self._order), future))
        await future

    async def advance(self, duration_s: float) -> None:
        """Move the clock by ``duration_s`` seconds, stopping at every due time to let the woken tasks run.

        A woken task runs until it waits for something else; whatever it sleeps for next counts from its own due time.
        """
        target_s = self._now_s + duration_s
        await settle()
        while self._sleepers and self._sleepers[0][0] <= target_s:
            due_s, _, future = heapq.heappop(self._sleepers)
            self._now_s = max(self._now_s, due_s)
            if not future.done():
                future.set_result(None)
                await settle()
        self._now_s = target_s


async def settle(rounds: int = 20) -> None:
    """Let every ready task run for ``rounds`` turns of the loop: enough for chains of that many hand-offs."""
    for _ in range(rounds):
        await asyncio.sleep(0)
