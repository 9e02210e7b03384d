from __future__ import annotations

import random

import pytest

from wfrun.errors import UsageError
from wfrun.measure.latency import FOLD_ABOVE, LatencyRecorder, LatencySummary


def test_record_is_a_built_in_method_and_runs_no_python() -> None:
    assert type(LatencyRecorder().record).__name__ == "builtin_function_or_method"


def test_a_summary_gives_the_percentiles_of_what_was_recorded() -> None:
    recorder = LatencyRecorder()
    for latency_ns in range(1, 1001):
        recorder.record(latency_ns)

    assert recorder.summary() == LatencySummary(1000, 1, 500, 900, 950, 990, 999, 1000)


def test_a_record_kept_in_a_variable_works_after_folding() -> None:
    """Loops bind ``record`` once; folding must not leave them with a list nobody reads."""
    recorder = LatencyRecorder()
    record = recorder.record
    for _ in range(FOLD_ABOVE + 1):
        record(1)

    recorder.fold()
    record(2)

    summary = recorder.summary()
    assert summary is not None
    assert (summary.count, summary.max_ns) == (FOLD_ABOVE + 2, 2)


def test_folding_bounds_what_is_kept_as_it_came() -> None:
    recorder = LatencyRecorder()
    for latency_ns in range(10 * FOLD_ABOVE):
        recorder.record(latency_ns)
        recorder.fold()

    assert len(recorder._pending) <= FOLD_ABOVE


def test_folding_below_the_bound_leaves_everything_as_it_came() -> None:
    recorder = LatencyRecorder()
    recorder.record(7)

    recorder.fold()

    assert recorder._pending == [7]


def test_a_repetition_holds_only_what_came_since_the_last() -> None:
    recorder = LatencyRecorder()
    recorder.record(1)
    recorder.take_repetition()
    recorder.record(2)

    assert recorder.take_repetition() == LatencySummary(1, 2, 2, 2, 2, 2, 2, 2)


def test_a_repetition_that_was_folded_on_the_way_is_whole() -> None:
    recorder = LatencyRecorder()
    for latency_ns in range(FOLD_ABOVE + 1):
        recorder.record(latency_ns)
    recorder.fold()
    recorder.record(0)

    repetition = recorder.take_repetition()

    assert repetition is not None
    assert repetition.count == FOLD_ABOVE + 2


def test_the_total_is_all_repetitions_and_what_is_pending() -> None:
    recorder = LatencyRecorder()
    numbers = [random.Random(1).randrange(10**7) for _ in range(3000)]
    for index, latency_ns in enumerate(numbers):
        if index in {1000, 2000}:
            recorder.take_repetition()
        recorder.record(latency_ns)

    summary = recorder.summary()

    assert summary is not None
    assert (summary.count, summary.min_ns, summary.max_ns) == (3000, min(numbers), max(numbers))
    assert summary.p99_ns == pytest.approx(sorted(numbers)[2969], rel=0.0003)


def test_nothing_recorded_is_no_summary() -> None:
    assert LatencyRecorder().take_repetition() is None
    assert LatencyRecorder().summary() is None


def test_a_negative_latency_is_refused_once_and_the_recorder_goes_on() -> None:
    recorder = LatencyRecorder()
    recorder.record(-1)

    with pytest.raises(UsageError, match="clock"):
        recorder.take_repetition()

    recorder.record(3)
    assert recorder.take_repetition() == LatencySummary(1, 3, 3, 3, 3, 3, 3, 3)


def test_a_histogram_that_was_handed_out_does_not_change() -> None:
    recorder = LatencyRecorder()
    recorder.record(1)
    histogram = recorder.histogram()

    recorder.record(2)
    recorder.summary()

    assert histogram.count == 1
