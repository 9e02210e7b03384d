"""Latencies of many operations, recorded for a few nanoseconds each and remembered in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wfrun.measure.histogram import Histogram

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LatencyRecorder", "LatencySummary"]

FOLD_ABOVE: Final = 8192
"""Latencies kept as they came, 40 bytes each. Folding this many takes 1 to 2 ms, and that pause is seen by the case."""


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """The distribution of some latencies; every percentile is within 0.03 %, the two ends are exact."""

    count: int
    min_ns: int
    p50_ns: int
    p90_ns: int
    p95_ns: int
    p99_ns: int
    p999_ns: int
    max_ns: int


class LatencyRecorder:
    """Collects latencies of one case, by repetition and in total.

    ``record`` takes whole nanoseconds from 0 up. It is the ``append`` method of a list, so recording runs no Python
    code at all; it may be kept in a local variable for as long as the recorder lives. What it appends is moved into a
    histogram by :meth:`fold`, which somebody should call now and then during long repetitions, and by everything that
    reads. All of it belongs to one thread.
    """

    __slots__ = ("_pending", "_repetition", "_total", "record")

    def __init__(self) -> None:
        # A list, although an array of machine integers needs a fifth of the memory: appending to that converts each
        # number and takes 25 ns longer.
        self._pending: list[int] = []
        self._repetition = Histogram()
        self._total = Histogram()
        self.record: Final[Callable[[int], None]] = self._pending.append

    def fold(self) -> None:
        """Move what was recorded into the histogram when it has grown beyond its bound; otherwise cost next to nothing.

        Raises:
            UsageError: A latency is negative. It is dropped together with those recorded since the last fold.
        """
        if len(self._pending) > FOLD_ABOVE:
            self._drain()

    def take_repetition(self) -> LatencySummary | None:
        """Return the distribution of what came since the last call, and count it into the total; None for nothing.

        Raises:
            UsageError: As for :meth:`fold`.
        """
        self._drain()
        summary = summarise(self._repetition)
        self._total.merge(self._repetition)
        self._repetition = Histogram()
        return summary

    def summary(self) -> LatencySummary | None:
        """Return the distribution of everything recorded so far; None when nothing was.

        Raises:
            UsageError: As for :meth:`fold`.
        """
        return summarise(self.histogram())

    def histogram(self) -> Histogram:
        """Return a histogram of everything recorded so far, which later recording does not change.

        Raises:
            UsageError: As for :meth:`fold`.
        """
        self._drain()
        everything = Histogram()
        everything.merge(self._total)
        everything.merge(self._repetition)
        return everything

    def _drain(self) -> None:
        # The list is emptied and never replaced: ``record`` is bound to this very object.
        pending = self._pending
        try:
            self._repetition.record_all(pending)
        finally:
            pending.clear()


def summarise(histogram: Histogram) -> LatencySummary | None:
    """Return what ``histogram`` says about latencies in nanoseconds; None when it is empty."""
    if histogram.count == 0:
        return None
    p50_ns, p90_ns, p95_ns, p99_ns, p999_ns = histogram.percentiles((50, 90, 95, 99, 99.9))
    return LatencySummary(histogram.count, histogram.min, p50_ns, p90_ns, p95_ns, p99_ns, p999_ns, histogram.max)
