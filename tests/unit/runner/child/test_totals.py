"""What all repetitions say together has in it what only some of them suffered."""

from __future__ import annotations

import pytest

from wfrun.measure.histogram import Histogram
from wfrun.runner.child.totals import process_totals


def test_the_total_time_is_that_of_all_repetitions() -> None:
    totals = process_totals({"wall_time_ns": [100.0, 100.0, 100.0, 300.0], "items": [2, 2, 2, 2]}, Histogram())

    assert totals == {"total_time_ns": 150.0, "throughput_per_s": pytest.approx(8e9 / 600)}


def test_what_the_machine_took_away_is_taken_off() -> None:
    totals = process_totals({"wall_time_ns": [100.0, 300.0]}, Histogram(), delayed_share=0.25)

    assert totals == {"total_time_ns": 150.0}


def test_the_total_is_never_less_than_the_quickest_repetitions() -> None:
    totals = process_totals({"wall_time_ns": [100.0, 110.0]}, Histogram(), delayed_share=0.9)

    assert totals == {"total_time_ns": 100.0}


def test_percentiles_are_those_of_all_operations() -> None:
    """A stall in one of fifty repetitions is in none of most repetitions' percentiles."""
    latency = Histogram()
    latency.record_all([1000] * 980)
    latency.record_all([5000] * 20)

    totals = process_totals({}, latency)

    assert totals["latency_p95_ns"] == 1000
    assert totals["latency_p99_ns"] == pytest.approx(5000, rel=0.001)
