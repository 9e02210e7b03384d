"""What recording a latency costs beyond the two readings of the clock that it takes to know it."""

from __future__ import annotations

import random
import statistics
import time

from bench.harness import Bar, interleave
from wfrun.measure.histogram import Histogram
from wfrun.measure.latency import LatencyRecorder

OPERATIONS = 20_000
ROUNDS = 15


def bars() -> list[Bar]:
    """Measure what recording one latency adds to a loop that reads the clock twice, and what folding it adds later."""
    costs = interleave({"two readings": two_readings, "recorded": recorded, "folded": folded}, rounds=ROUNDS)
    added_ns = [ours - bare for ours, bare in zip(costs["recorded"], costs["two readings"], strict=True)]
    readings_ns, folded_ns = statistics.median(costs["two readings"]), statistics.median(costs["folded"])
    return [
        Bar(
            "ns to record a latency, beyond two clock readings",
            statistics.median(added_ns),
            50,
            better="<=",
            details=f"rounds {min(added_ns):.0f} to {max(added_ns):.0f}; two readings {readings_ns:.0f} ns, "
            f"folding it into the histogram later {folded_ns:.0f} ns",
        )
    ]


def two_readings(_round: int) -> float:
    """Return the nanoseconds of one turn of a loop that only reads the clock twice."""
    clock = time.perf_counter_ns
    started_ns = clock()
    for _ in range(OPERATIONS):
        clock()
        clock()
    return (clock() - started_ns) / OPERATIONS


def recorded(_round: int) -> float:
    """Return the nanoseconds of one turn of a loop that reads the clock twice and records the difference."""
    clock = time.perf_counter_ns
    record = LatencyRecorder().record
    started_ns = clock()
    for _ in range(OPERATIONS):
        begun_ns = clock()
        record(clock() - begun_ns)
    return (clock() - started_ns) / OPERATIONS


def folded(round_number: int) -> float:
    """Return the nanoseconds it takes for each latency to get from the array into the histogram."""
    chance = random.Random(round_number)  # noqa: S311 - repeatable on purpose
    latencies_ns = [round(chance.lognormvariate(10, 0.5)) for _ in range(OPERATIONS)]
    histogram = Histogram()
    started_ns = time.perf_counter_ns()
    histogram.record_all(latencies_ns)
    return (time.perf_counter_ns() - started_ns) / OPERATIONS
