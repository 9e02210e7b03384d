"""From the halves of pairs to one number for each metric and process, which is what verdicts are made of.

Within a pair both processes were measured at the same time on the same core, so the ratio of their numbers is free of
what the machine did. The number of a process is its floor for what a code path costs, the mean for what work takes all
in all, a percentile of its own histogram for latencies, and what it is for memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wfrun.measure.histogram import Histogram
from wfrun.measure.metrics import METRICS, declared_metric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wfrun.measure.metrics import Metric
    from wfrun.runner.against.pair import Half

__all__ = ["FLOOR", "given_a_core", "metric_of", "process_figures"]

FLOOR: Final = 0.1
"""The quantile of a process's repetitions that is its floor. A process of a pair makes few, of which the 5th
percentile would be the fastest alone."""

_FLOORS: Final = frozenset({"wall_time_ns", "cpu_time_ns"})
_PERCENTILES: Final = {
    "latency_p50_ns": 50.0,
    "latency_p90_ns": 90.0,
    "latency_p95_ns": 95.0,
    "latency_p99_ns": 99.0,
}
_NOT_PAIRED: Final = frozenset({"latency_p999_ns", "latency_max_ns", "items", "run_delay_ns"})
"""Of a process's few repetitions these say nothing that pairs could tell apart."""


@dataclass(frozen=True, slots=True)
class _Work:
    items: float
    wall_ns: float


def process_figures(half: Half) -> dict[str, float]:
    """Return the number of this process for each metric, in the metric's unit."""
    figures: dict[str, float] = {}
    rows = {**half.rows, "wall_time_ns": given_a_core(half)}
    wall = rows["wall_time_ns"]
    if wall and "total_time_ns" in METRICS:
        figures["total_time_ns"] = sum(wall) / len(wall)
    work = _Work(sum(half.rows.get("items", ())), sum(wall))
    if work.items and work.wall_ns:
        figures["throughput_per_s"] = work.items * 1e9 / work.wall_ns
    for name, values in rows.items():
        if not values or name in figures or name in _NOT_PAIRED or name in _PERCENTILES:
            continue
        figures[name] = _quantile(values, FLOOR if name in _FLOORS else 0.5)
    if half.latency:
        histogram = Histogram.from_pairs(half.latency)
        for name, percent in _PERCENTILES.items():
            if name in METRICS:
                figures[name] = float(histogram.percentile(percent))
    repetitions = max(1, len(wall))
    for name, value in half.whole.items():
        # A side that is faster makes more repetitions in the same time, and collects more often for that alone.
        figures[name] = value / repetitions if name.startswith("gc_") else value
    return figures


def given_a_core(half: Half) -> list[float]:
    """Return the wall time of each repetition, less what it was ready to run and had to wait for a core."""
    wall = half.rows.get("wall_time_ns", [])
    delays = half.rows.get("run_delay_ns", [0.0] * len(wall))
    return [max(1.0, each - delay) for each, delay in zip(wall, delays, strict=True)]


def metric_of(name: str, declared: Mapping[str, Mapping[str, object]]) -> Metric | None:
    """Return what is known of a metric; ``None`` for one that nobody described."""
    if name in METRICS:
        return METRICS[name]
    if name not in declared:
        return None
    said = declared[name]
    percent = said["threshold_percent"]
    return declared_metric(
        name, str(said["unit"]), str(said["better"]), float(percent) if isinstance(percent, int | float) else None
    )


def _quantile(values: Sequence[float], quantile: float) -> float:
    ordered = sorted(values)
    place = quantile * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
