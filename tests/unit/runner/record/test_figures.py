"""What is kept of the figures that fresh processes send."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from wfrun.measure.histogram import Histogram
from wfrun.runner.record.figures import measurements_of
from wfrun.stats.percentiles import pooled_floor

if TYPE_CHECKING:
    from tests.unit.runner.conftest import Maker
    from wfrun.runner.record.models import CaseMeasurements
    from wfrun.runner.run.outcomes import Outcome


def figures(outcome: Outcome) -> CaseMeasurements:
    measurements, _ = measurements_of(outcome)
    assert measurements is not None
    return measurements


def test_a_case_without_generations_has_no_figures(make: Maker) -> None:
    assert measurements_of(make.plain()) == (None, ())


def test_summaries_can_be_worked_out_again_from_the_samples_that_are_kept(make: Maker) -> None:
    wall = figures(make.measured({"wall_time_ns": make.processes(1.234567e6)})).metrics["wall_time_ns"]

    assert wall.floor == pytest.approx(pooled_floor(wall.samples, "lower"), rel=1e-4)
    assert wall.interval is not None
    assert wall.interval[0] <= wall.floor <= wall.interval[1]
    assert wall.p50 <= wall.p95 <= wall.p99


def test_samples_keep_five_significant_digits(make: Maker) -> None:
    wall = figures(make.measured({"wall_time_ns": [[1_234_567.0], [0.000123456]]})).metrics["wall_time_ns"]

    assert wall.samples == ((1_234_600.0,), (0.00012346,))


def test_void_generations_are_left_out_and_named(make: Maker) -> None:
    outcome = make.measured({"wall_time_ns": [[100.0], [900.0]]})
    slow = replace(outcome.generations[1], void="throttled")

    measurements, doubts = measurements_of(replace(outcome, generations=(outcome.generations[0], slow)))

    assert measurements is not None
    assert measurements.metrics["wall_time_ns"].samples == ((100.0,),)
    assert measurements.void == ("throttled",)
    assert "1 of 2 processes were left out: throttled" in doubts[0]


def test_a_case_whose_processes_are_all_void_has_no_metrics_but_the_reasons(make: Maker) -> None:
    outcome = make.measured({"wall_time_ns": [[100.0]]})

    measurements = figures(replace(outcome, generations=(replace(outcome.generations[0], void="throttled"),)))

    assert (measurements.metrics, measurements.void) == ({}, ("throttled",))


def test_memory_is_counted_above_the_median_of_the_empty_case(make: Maker) -> None:
    outcome = make.measured({"peak_rss_bytes": [[50_000.0], [52_000.0]]})
    empty = tuple(make.generation({"peak_rss_bytes": [value]}) for value in (10_000, 11_000, 30_000))

    peak = figures(replace(outcome, control=empty)).metrics["peak_rss_bytes"]

    assert (peak.samples, peak.control) == (((39_000.0,), (41_000.0,)), 11_000.0)


def test_memory_below_the_empty_case_is_nothing_and_not_less(make: Maker) -> None:
    kept = figures(make.measured({"kept_rss_bytes": [[5.0], [20.0]]}, control={"kept_rss_bytes": 10.0}))

    assert kept.metrics["kept_rss_bytes"].samples == ((0.0,), (10.0,))


def test_times_are_not_counted_above_the_empty_case(make: Maker) -> None:
    wall = figures(make.measured({"wall_time_ns": [[50.0]]}, control={"wall_time_ns": 10.0})).metrics["wall_time_ns"]

    assert (wall.samples, wall.control) == (((50.0,),), None)


def test_throughput_comes_from_items_and_wall_time_where_nobody_sent_it(make: Maker) -> None:
    outcome = make.measured({"wall_time_ns": [[1e9, 2e9]]})

    assert figures(replace(outcome, items=100)).metrics["throughput_per_s"].samples == ((100.0, 50.0),)
    assert "throughput_per_s" not in figures(outcome).metrics


def test_items_counted_in_each_repetition_go_before_the_last_ones(make: Maker) -> None:
    outcome = make.measured({"wall_time_ns": [[1e9, 1e9]], "items": [[10, 30]]})

    assert figures(replace(outcome, items=30)).metrics["throughput_per_s"].samples == ((10.0, 30.0),)


def test_throughput_that_was_sent_is_kept(make: Maker) -> None:
    outcome = make.measured({"wall_time_ns": [[1e9]], "throughput_per_s": [[7.0]]})

    assert figures(replace(outcome, items=100)).metrics["throughput_per_s"].samples == ((7.0,),)


def test_the_floor_of_throughput_is_its_undisturbed_side(make: Maker) -> None:
    rates = [[float(rate) for rate in range(1, 101)]]

    assert figures(make.measured({"throughput_per_s": rates})).metrics["throughput_per_s"].floor == pytest.approx(95.05)


def test_latency_histograms_of_all_processes_are_merged(make: Maker) -> None:
    parts = [Histogram(), Histogram()]
    parts[0].record_all([10, 20])
    parts[1].record_all([20, 5000])
    whole = Histogram()
    whole.record_all([10, 20, 20, 5000])
    outcome = make.measured({"wall_time_ns": [[1.0], [1.0]]})
    generations = tuple(
        replace(generation, latency=[list(pair) for pair in part.to_pairs()])
        for generation, part in zip(outcome.generations, parts, strict=True)
    )

    kept = figures(replace(outcome, generations=generations)).latency

    assert Histogram.from_pairs(kept) == whole


def test_a_metric_nobody_knows_is_not_recorded_and_said(make: Maker) -> None:
    measurements, doubts = measurements_of(make.measured({"wall_time_ns": [[1.0]] * 5, "moon_phase": [[1.0]] * 5}))

    assert measurements is not None
    assert list(measurements.metrics) == ["wall_time_ns"]
    assert "moon_phase" in doubts[0]


def test_few_processes_are_said(make: Maker) -> None:
    _, doubts = measurements_of(make.measured({"wall_time_ns": [[1.0], [1.0]]}))

    assert "2 processes" in doubts[0]


def test_numbers_that_are_none_are_dropped(make: Maker) -> None:
    wall = figures(make.measured({"wall_time_ns": [[1.0, float("nan"), float("inf")]]})).metrics["wall_time_ns"]

    assert wall.samples == ((1.0,),)
