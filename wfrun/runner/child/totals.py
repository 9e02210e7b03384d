"""What all repetitions of one process say together: what touches only some of them must not be lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wfrun.measure.latency import summarise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wfrun.measure.histogram import Histogram

__all__ = ["process_totals"]

LATENCIES: Final = ("p50_ns", "p90_ns", "p95_ns", "p99_ns", "p999_ns", "max_ns")


def process_totals(samples: Mapping[str, Sequence[float]], latency: Histogram) -> dict[str, float]:
    """Return the metrics of which a process has one number.

    The floor over the repetitions says what the code costs when nothing comes between; a fifth of the operations that
    take twice as long, or a pause for garbage, are not in it. So the time of all repetitions together, collections
    included, makes ``total_time_ns``, their mean, and the throughput; and the latencies of all operations together make
    the percentiles.

    Args:
        samples: Of each repetition, by metric: ``wall_time_ns``, and ``items`` where the case counts them.
        latency: Of the operations of all repetitions.
    """
    totals: dict[str, float] = {}
    walls, items = samples.get("wall_time_ns", ()), samples.get("items", ())
    if walls:
        totals["total_time_ns"] = sum(walls) / len(walls)
    if walls and sum(items):
        totals["throughput_per_s"] = sum(items) * 1e9 / max(1.0, sum(walls))
    if (summary := summarise(latency)) is not None:
        totals |= {f"latency_{name}": getattr(summary, name) for name in LATENCIES}
    return totals
