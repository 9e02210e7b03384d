"""One number for each metric and process."""

from __future__ import annotations

import pytest

from wfrun.measure.histogram import Histogram
from wfrun.runner.against.figures import given_a_core, metric_of, process_figures
from wfrun.runner.against.pair import Half


def test_waiting_for_a_core_is_not_the_codes_time() -> None:
    half = Half(rows={"wall_time_ns": [100.0, 900.0], "run_delay_ns": [0.0, 790.0]})

    assert given_a_core(half) == [100.0, 110.0]
    assert process_figures(half)["wall_time_ns"] == pytest.approx(101.0)


def test_throughput_is_of_all_repetitions_together() -> None:
    half = Half(rows={"wall_time_ns": [1e9, 3e9], "items": [10.0, 10.0], "throughput_per_s": [10.0, 3.33]})

    assert process_figures(half)["throughput_per_s"] == pytest.approx(5.0)


def test_latencies_come_from_the_histogram_of_all_repetitions() -> None:
    histogram = Histogram()
    histogram.record_all([1000] * 98 + [9000] * 2)
    half = Half(rows={"latency_p99_ns": [1000.0]}, latency=[list(pair) for pair in histogram.to_pairs()])

    assert process_figures(half)["latency_p99_ns"] == pytest.approx(9000, rel=0.01)


def test_collections_are_told_for_each_repetition() -> None:
    half = Half(rows={"wall_time_ns": [1.0] * 4}, whole={"gc_collections": 8.0, "peak_rss_bytes": 5.0})

    figures = process_figures(half)

    assert figures["gc_collections"] == 2.0
    assert figures["peak_rss_bytes"] == 5.0


def test_what_a_case_declares_is_known_by_what_it_said() -> None:
    said = {"depth": {"unit": "", "better": "higher", "threshold_percent": 10}}

    metric = metric_of("depth", said)

    assert metric is not None
    assert (metric.better, metric.gates, metric.threshold_percent) == ("higher", True, 10)
    assert metric_of("unheard_of", said) is None
