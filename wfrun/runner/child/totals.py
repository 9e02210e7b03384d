"""What all repetitions of one process say together: what touches only some of them must not be lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wfrun.measure.latency import summarise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wfrun.measure.histogram import Histogram

__all__ = ["process_totals"]

LATENCIES: Final = ("p50_ns", "p90_ns", "p95_ns", "p99_ns", "p999_ns", "max_ns")


def process_totals(
    samples: Mapping[str, Sequence[float]], latency: Histogram, delayed_share: float = 0.0
) -> dict[str, float]:
    """Return the metrics of which a process has one number.

    The floor over the repetitions says what the code costs when nothing comes between; a fifth of the operations that
    take twice as long, or a pause for garbage, are not in it. So the time of all repetitions together, collections
    included, makes ``total_time_ns``, their mean, and the throughput; and the latencies of all operations together make
    the percentiles. What the machine took away meanwhile is taken off the time.

    Args:
        samples: Of each repetition, by metric: ``wall_time_ns``, and ``items`` where the case counts them.
        latency: Of the operations of all repetitions.
        delayed_share: Of their time, the part in which their thread was ready and was given no core.
    """
    totals: dict[str, float] = {}
    walls, items = samples.get("wall_time_ns", ()), samples.get("items", ())
    if walls:
        # At least what the quickest took each time: the delay of what is not timed counts along with the rest.
        total_ns = max(sum(walls) * (1 - delayed_share), min(walls) * len(walls), 1.0)
        totals["total_time_ns"] = total_ns / len(walls)
        if sum(items):
            totals["throughput_per_s"] = sum(items) * 1e9 / total_ns
    if (summary := summarise(latency)) is not None:
        totals |= {f"latency_{name}": getattr(summary, name) for name in LATENCIES}
    return totals
