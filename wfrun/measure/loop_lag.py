"""How late an event loop runs its timers: the time during which nothing else could have run either.

Theory of operation. A timer is due every 10 ms; its lag is the time it really ran minus the time it was due. When the
loop stands still for longer, the timers that should have run meanwhile are counted too, each with the lag it would
have had; otherwise a stall of a second would be one sample among hundreds and vanish from the percentile. A loop that
is idle shows up to a millisecond, because asyncio waits in whole milliseconds.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from wfrun.errors import UsageError
from wfrun.measure.histogram import Histogram
from wfrun.virtual_time import VirtualTimeLoop

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LoopLag", "LoopLagSummary"]

INTERVAL_NS: Final = 10_000_000

MOST_MISSED: Final = 100_000
"""Timers counted for one stall; a machine that slept for hours shall not keep the probe busy."""


@dataclass(frozen=True, slots=True)
class LoopLagSummary:
    """Lags of the probe's timers, those that were skipped included."""

    count: int
    p99_ns: int
    max_ns: int


class LoopLag:
    """Watches the running loop between :meth:`start` and :meth:`stop`, for some 5 µs each 10 ms.

    ``with LoopLag() as lag:`` does both. On a loop of virtual time it does nothing at all: a timer of its own would
    move that time.

    Args:
        folders: Called at each timer, after the lag was taken; they move recordings to where they need less memory.
    """

    __slots__ = ("_due_ns", "_folders", "_histogram", "_loop", "_timer")

    def __init__(self, *folders: Callable[[], None]) -> None:
        self._folders = folders
        self._histogram = Histogram()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due_ns = 0

    def start(self) -> None:
        """Watch the loop that runs in this thread.

        Raises:
            UsageError: It watches already, or no loop is running.
        """
        if self._timer is not None:
            raise UsageError("this probe watches a loop already; stop it, or make another one")
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise UsageError("no event loop is running; start the probe from a coroutine") from None
        if isinstance(loop, VirtualTimeLoop):
            return
        self._loop = loop
        self._due_ns = time.perf_counter_ns() + INTERVAL_NS
        self._timer = loop.call_later(INTERVAL_NS / 1e9, self._tick)

    def stop(self) -> None:
        """Stop watching. A timer that is overdue at this moment counts: the loop never got round to it."""
        if self._timer is None:
            return
        self._timer.cancel()
        self._timer = None
        self._loop = None
        now_ns = time.perf_counter_ns()
        if now_ns > self._due_ns:
            self._count(now_ns)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def summary(self) -> LoopLagSummary | None:
        """Return the lags so far; None when no timer was due yet, or the loop is on virtual time."""
        histogram = self._histogram
        if histogram.count == 0:
            return None
        return LoopLagSummary(histogram.count, histogram.percentile(99), histogram.max)

    def _tick(self) -> None:
        self._count(time.perf_counter_ns())
        for fold in self._folders:
            fold()
        if self._loop is not None:
            wait_ns = self._due_ns - time.perf_counter_ns()
            self._timer = self._loop.call_later(max(0, wait_ns) / 1e9, self._tick)

    def _count(self, now_ns: int) -> None:
        """Record the lag of the timer that was due, and of those due since; set when the next one is."""
        lag_ns = now_ns - self._due_ns
        if lag_ns < INTERVAL_NS:
            self._histogram.record_all((max(0, lag_ns),))
            self._due_ns += INTERVAL_NS
            return
        lags_ns = range(lag_ns, -1, -INTERVAL_NS)
        self._histogram.record_all(lags_ns[:MOST_MISSED])
        self._due_ns += len(lags_ns) * INTERVAL_NS
