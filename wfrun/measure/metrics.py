"""The catalogue of everything wfrun measures, and how each number is judged unless a suite says otherwise."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["METRICS", "Better", "Metric", "MetricKind", "declared_metric"]

Better: TypeAlias = Literal["lower", "higher"]

MetricKind: TypeAlias = Literal["time", "tail", "memory", "count"]
"""What the numbers depend on: times and tails on how fast the machine is, memory and counts hardly."""

_NAME: Final = re.compile("[a-z][a-z0-9_]*")

SLACK_BYTES: Final = 2**20
"""A mebibyte of resident memory comes and goes with allocator arenas and page faults; less than that proves nothing."""


COUNT_PERCENT: Final = 5.0
"""How many more calls, turns of the loop or bytes asked for count as a change for the worse."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One kind of number: its unit, its good direction, and when a change of it counts."""

    name: str
    unit: str
    """As :func:`wfrun.units.format_value` takes it: ``ns``, ``B``, ``/s``, or empty for a plain number."""
    better: Better
    kind: MetricKind
    gates: bool
    """Whether a regression of it fails a session; otherwise it is shown and never judged red."""
    threshold_percent: float
    """The smallest change for the worse that matters, in percent of the old value."""
    exact: bool = False
    """Whether it is counted, by one process a session: the same work gives the same number, or nearly."""
    whole: bool = False
    """Whether a process has one number of it, over all its repetitions, that another wfrun took of each of them."""
    slack: float = 0.0
    """An absolute difference below this, in ``unit``, is never a regression."""
    meaning: str = ""
    """One sentence for a reader who meets the name in a report."""


def declared_metric(name: str, unit: str, better: str, threshold_percent: float | None) -> Metric:
    """Return a metric that a case declares for itself; without a threshold a change of it is only shown.

    Raises:
        ValueError: The name is one of wfrun's or no plain word, or the direction is unknown; the text says which.
    """
    if name in METRICS:
        raise ValueError(f"the metric {name!r} is wfrun's own; call yours otherwise")
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} cannot be the name of a metric: write small letters, digits and _, as in queue_depth"
        )
    if better not in {"lower", "higher"}:
        raise ValueError(f"the metric {name!r} is better when it is 'lower' or 'higher', not {better!r}")
    if threshold_percent is not None and not 0 <= threshold_percent < math.inf:
        raise ValueError(f"the threshold of {name!r} is a percentage of at least 0, not {threshold_percent!r}")
    return Metric(
        name,
        unit,
        "lower" if better == "lower" else "higher",
        "time" if unit in {"ns", "s", "/s"} else "count",
        gates=threshold_percent is not None,
        threshold_percent=threshold_percent or 0.0,
        meaning="Declared by the case.",
    )


def _gating(  # noqa: PLR0917 - a row of the table below, read by its columns
    name: str, unit: str, better: Better, kind: MetricKind, percent: float, meaning: str, slack: float = 0
) -> Metric:
    return Metric(name, unit, better, kind, gates=True, threshold_percent=percent, slack=slack, meaning=meaning)


def _counted(name: str, unit: str, meaning: str, slack: float, *, gates: bool = True) -> Metric:
    """Return a metric of what one repetition is counted to do."""
    return Metric(name, unit, "lower", "count", gates, COUNT_PERCENT, exact=True, slack=slack, meaning=meaning)


def _whole(metric: Metric) -> Metric:
    return replace(metric, whole=True)


def _shown(  # noqa: PLR0917 - as above
    name: str, unit: str, better: Better, kind: MetricKind, percent: float, meaning: str
) -> Metric:
    return Metric(name, unit, better, kind, gates=False, threshold_percent=percent, meaning=meaning)


_CATALOGUE: Final = (
    _whole(_gating("throughput_per_s", "/s", "higher", "time", 5, "Items finished per second over all repetitions.")),
    _gating("wall_time_ns", "ns", "lower", "time", 5, "Time one repetition takes on the clock."),
    _whole(_gating("total_time_ns", "ns", "lower", "time", 5, "Time all repetitions take, for one of them.")),
    _shown("cpu_time_ns", "ns", "lower", "time", 5, "Processor time one repetition takes in its process."),
    _whole(_gating("latency_p50_ns", "ns", "lower", "time", 5, "Half of the operations were at least this fast.")),
    _whole(_shown("latency_p90_ns", "ns", "lower", "tail", 10, "Nine of ten operations were at least this fast.")),
    _whole(_gating("latency_p95_ns", "ns", "lower", "tail", 10, "95 of 100 operations were at least this fast.")),
    _whole(_gating("latency_p99_ns", "ns", "lower", "tail", 10, "99 of 100 operations were at least this fast.")),
    _whole(_shown("latency_p999_ns", "ns", "lower", "tail", 20, "999 of 1000 operations were at least this fast.")),
    _whole(_shown("latency_max_ns", "ns", "lower", "tail", 20, "The slowest operation.")),
    _gating("peak_rss_bytes", "B", "lower", "memory", 15, "Most memory held, above the start.", SLACK_BYTES),
    _gating("kept_rss_bytes", "B", "lower", "memory", 15, "Memory still held after the end.", SLACK_BYTES),
    _shown("gc_pause_ns", "ns", "lower", "time", 20, "Time a process spent in the garbage collector."),
    _shown("gc_collections", "", "lower", "count", 20, "How often the garbage collector ran in a process."),
    _shown("loop_lag_p99_ns", "ns", "lower", "tail", 20, "Lateness of the event loop's timers, 99 of 100."),
    _shown("loop_lag_max_ns", "ns", "lower", "tail", 20, "The longest the event loop stood still."),
    _shown("load_slip_p99_ns", "ns", "lower", "tail", 20, "How late an open load began its calls, 99 of 100."),
    _gating("load_dropped", "", "lower", "count", 5, "Calls of an open load that too many in flight kept out.", 10),
    _counted("function_calls", "", "Functions that a repetition calls, those written in C included.", 20),
    _counted("loop_handles", "", "Callbacks and steps of tasks that the event loop runs in a repetition.", 10),
    _counted("loop_iterations", "", "Turns of the event loop in a repetition.", 10, gates=False),
    _counted("allocated_bytes", "B", "Memory that a repetition asks for, given back or not.", 4096),
    _counted("allocated_peak_bytes", "B", "Most memory of Python that a repetition holds.", 4096),
    _counted("memory_slope_bytes", "B", "Memory that each repetition leaves behind for good.", 256),
    _shown("items", "", "higher", "count", 0, "Items one repetition worked on."),
)

METRICS: Final[Mapping[str, Metric]] = MappingProxyType({metric.name: metric for metric in _CATALOGUE})
"""Every metric by its name, in the order reports show them."""
