"""An open load: calls that start when they are due, whether or not earlier ones have been answered, as users do.

A loop that waits for each answer before it asks again (a closed load) slows down together with the system it measures,
and so leaves out exactly the latencies that matter. Here latency counts from the moment a call was due.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wfrun.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from wfrun.clock import Clock

__all__ = ["OpenLoad", "OpenLoadCall", "open_load"]

SPIN_S: Final = 0.0015
"""The event loop's timers are good to about a millisecond; the last stretch before a call is due is waited out in
turns of the loop instead, so that other tasks run and the call is still on time."""

SOON_ENOUGH_S: Final = 1e-6
"""What is due within this is due: loops fire timers up to their clock's resolution early."""

MOST_AT_ONCE: Final = 100
"""After this many calls without a wait the others run, or a load that is far behind would let nobody answer."""


@dataclass(frozen=True, slots=True)
class OpenLoadCall:
    """One call of an open load that was made. Seconds on the load's clock, counted from its beginning."""

    index: int
    intended_s: float
    started_s: float
    ended_s: float
    error: Exception | None = None

    @property
    def latency_s(self) -> float:
        """From when it was due to its end: what a user would have waited."""
        return self.ended_s - self.intended_s

    @property
    def slip_s(self) -> float:
        """How much later than due it began: the share of the latency that the load itself, or a busy loop, caused."""
        return self.started_s - self.intended_s


@dataclass(frozen=True, slots=True)
class OpenLoad:
    """What became of every call that was due: it is in ``calls`` or in ``dropped``."""

    rate_per_s: float
    duration_s: float
    calls: tuple[OpenLoadCall, ...]
    """In the order in which they ended."""
    dropped: tuple[int, ...]
    """Indices of those that were not made, because the most allowed were in flight when they were due."""
    most_in_flight: int
    """The most that were in flight at once."""

    @property
    def due(self) -> int:
        """How many calls were due in all."""
        return len(self.calls) + len(self.dropped)

    @property
    def errors(self) -> tuple[Exception, ...]:
        """What the calls that failed have raised."""
        return tuple(call.error for call in self.calls if call.error is not None)

    def latency_s(self, percent: float) -> float:
        """Return the latency that ``percent`` of the calls made did not exceed; nan without any.

        Args:
            percent: 0 to 100.
        """
        return _percentile(sorted(call.latency_s for call in self.calls), percent)

    def slip_s(self, percent: float) -> float:
        """Return the slip that ``percent`` of the calls made did not exceed; nan without any."""
        return _percentile(sorted(call.slip_s for call in self.calls), percent)


async def open_load(
    rate_per_s: float,
    duration_s: float,
    call: Callable[[int], Awaitable[object]],
    clock: Clock,
    most_in_flight: int,
) -> OpenLoad:
    """Start call ``i`` at ``i / rate_per_s`` seconds from now, for ``duration_s`` seconds, and wait for all of them.

    Every call is due at its own time, however long others take. When the loop was busy and several have become due,
    all of them start at once, each with its own slip. A call that is due while ``most_in_flight`` are unanswered is
    dropped and counted. An error of a call is kept with it. Cancelling cancels the calls in flight and waits for them.

    Args:
        rate_per_s: Calls a second, more than 0.
        duration_s: Seconds in which calls become due: ``rate_per_s * duration_s`` of them, rounded.
        call: Given the call's index, counted from 0.
        clock: What to wait by.
        most_in_flight: Most calls unanswered at once, at least 1.

    Raises:
        UsageError: A rate, duration or bound is out of range.
    """
    if rate_per_s <= 0 or duration_s < 0 or most_in_flight < 1:
        raise UsageError("an open load needs rate_per_s > 0, duration_s >= 0 and most_in_flight >= 1")
    load = _Load(call, clock, most_in_flight)
    due = round(rate_per_s * duration_s)
    async with asyncio.TaskGroup() as group:
        for index in range(due):
            intended_s = index / rate_per_s
            await load.wait_until(intended_s)
            load.issue(index, intended_s, group)
    return OpenLoad(rate_per_s, duration_s, tuple(load.calls), tuple(load.dropped), load.peak)


class _Load:
    """The calls of one open load."""

    def __init__(self, call: Callable[[int], Awaitable[object]], clock: Clock, most_in_flight: int) -> None:
        self.calls: list[OpenLoadCall] = []
        self.dropped: list[int] = []
        self.peak = 0
        self._in_flight = 0
        self._at_once = 0
        self._call: Final = call
        self._clock: Final = clock
        self._most_in_flight: Final = most_in_flight
        self._began_s: Final = clock.monotonic()

    def now_s(self) -> float:
        return self._clock.monotonic() - self._began_s

    async def wait_until(self, due_s: float) -> None:
        self._at_once += 1
        while (left_s := due_s - (before_s := self.now_s())) > SOON_ENOUGH_S:
            self._at_once = 0
            # By more than a hair: a sleep shorter than the clock's resolution might not move a virtual clock at all.
            if left_s > SPIN_S + SOON_ENOUGH_S:
                await self._clock.sleep(left_s - SPIN_S)
                continue
            await self._clock.sleep(0)
            if self.now_s() == before_s:
                # A clock that moves only when everybody sleeps: spinning would be for ever.
                await self._clock.sleep(left_s)
        if self._at_once >= MOST_AT_ONCE:
            self._at_once = 0
            await self._clock.sleep(0)

    def issue(self, index: int, intended_s: float, group: asyncio.TaskGroup) -> None:
        if self._in_flight >= self._most_in_flight:
            self.dropped.append(index)
            return
        self._in_flight += 1
        self.peak = max(self.peak, self._in_flight)
        group.create_task(self._make(index, intended_s), name=f"call {index}")

    async def _make(self, index: int, intended_s: float) -> None:
        started_s = self.now_s()
        error: Exception | None = None
        try:
            await self._call(index)
        except Exception as raised:  # noqa: BLE001 - whatever a call raises is that call's outcome
            error = raised
        finally:
            self._in_flight -= 1
        self.calls.append(OpenLoadCall(index, intended_s, started_s, self.now_s(), error))


def _percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the value at the nearest rank."""
    if not ordered:
        return float("nan")
    rank = -(-len(ordered) * percent // 100)
    return ordered[min(len(ordered), max(1, int(rank))) - 1]
