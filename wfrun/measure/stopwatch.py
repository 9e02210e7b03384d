"""Wall and processor time of a piece of work, in one span or added up over several."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from wfrun.errors import UsageError

if TYPE_CHECKING:
    from wfrun.measure.run_delay import RunDelay

__all__ = ["Stopwatch"]


class Stopwatch:
    """Adds up spans of work: ``with stopwatch:`` or :meth:`start` and :meth:`stop`, as often as needed.

    Wall time is that of ``perf_counter_ns``. Processor time is that of all threads of this process and of none of its
    children: a child that has not ended yet has no figure, and half a figure is worse than none.
    """

    __slots__ = (
        "_cpu_from_ns",
        "_cpu_ns",
        "_delay",
        "_delay_from_ns",
        "_delayed_ns",
        "_spans",
        "_wall_from_ns",
        "_wall_ns",
    )

    def __init__(self, delay: RunDelay | None = None) -> None:
        """Make a stopwatch at zero.

        Args:
            delay: Of the thread that works; where given, how long that was ready and got no core is added up too.
        """
        self._delay = delay
        self._delay_from_ns = 0
        self._delayed_ns = 0
        self._wall_ns = 0
        self._cpu_ns = 0
        self._spans = 0
        self._wall_from_ns: int | None = None
        self._cpu_from_ns = 0

    def start(self) -> None:
        """Begin a span.

        Raises:
            UsageError: The stopwatch is running.
        """
        if self._wall_from_ns is not None:
            raise UsageError("the stopwatch is running already; stop it before it is started again")
        # The wall clock is read last here and first in stop(): reading the processor clock is a system call of
        # several hundred nanoseconds, and must not count as work.
        self._cpu_from_ns = time.process_time_ns()
        self._wall_from_ns = time.perf_counter_ns()
        if self._delay is not None:
            # Within the span, at both of its ends: a delay that is no part of the wall time must not be taken off it.
            self._delay_from_ns = self._delay.total_ns()

    def stop(self) -> int:
        """End the span; return its wall time in nanoseconds.

        Raises:
            UsageError: The stopwatch is not running.
        """
        delay_ns = 0 if self._delay is None else self._delay.total_ns()
        now_ns = time.perf_counter_ns()
        if self._wall_from_ns is None:
            raise UsageError("the stopwatch is not running; start it before it is stopped")
        span_ns = now_ns - self._wall_from_ns
        self._cpu_ns += time.process_time_ns() - self._cpu_from_ns
        if self._delay is not None:
            self._delayed_ns += delay_ns - self._delay_from_ns
        self._wall_ns += span_ns
        self._spans += 1
        self._wall_from_ns = None
        return span_ns

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.running:
            self.stop()

    @property
    def running(self) -> bool:
        """Whether a span has begun and not ended."""
        return self._wall_from_ns is not None

    @property
    def wall_ns(self) -> int:
        """Wall time of all ended spans, in nanoseconds."""
        return self._wall_ns

    @property
    def cpu_ns(self) -> int:
        """Processor time of all ended spans, in nanoseconds."""
        return self._cpu_ns

    @property
    def delayed_ns(self) -> int:
        """How much of the wall time the thread was ready to run and got no core; 0 where nobody looks."""
        return self._delayed_ns

    @property
    def spans(self) -> int:
        """How many spans have ended."""
        return self._spans

    def reset(self) -> None:
        """Forget everything, also a span that has begun."""
        self._wall_ns = self._cpu_ns = self._delayed_ns = self._spans = 0
        self._wall_from_ns = None
