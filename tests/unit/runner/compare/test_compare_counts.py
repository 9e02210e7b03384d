"""Counts are judged exactly, on any machine, as far as the passes of one process agree with each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wfrun.runner.compare.compare import compare_session
from wfrun.runner.compare.verdicts import MetricComparison, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.unit.runner.conftest import Maker
    from wfrun.runner.record.models import Baseline, SessionRecord

ID = "suites/load::flow"
PARSE = {"file": "app/codec.py", "line": 41, "name": "parse", "own_ns": 900, "allocated_bytes": 0}


def counted(make: Maker, metric: str, counts: Sequence[float], calls: int = 300) -> SessionRecord:
    outcome = make.measured({"wall_time_ns": [[1e6, 1e6]] * 5})
    generation = replace(make.generation({metric: counts}), functions=[{**PARSE, "calls": calls, "own_ns": calls * 3}])
    return make.record(replace(outcome, counted=generation))


def judged(record: SessionRecord, baseline: Baseline, metric: str) -> MetricComparison:
    comparison = compare_session(record, baseline, {}, selected_ids={ID}, baseline_path=Path("baselines/main.json"))
    (row,) = [row for row in comparison.metrics if row.metric == metric]
    return row


@pytest.mark.parametrize(
    ("metric", "then", "now", "verdict"),
    [
        ("function_calls", [1_000_300, 1_000_300], [1_000_300, 1_000_300], Verdict.SAME),
        ("function_calls", [1000, 1000], [1040, 1040], Verdict.SAME),
        ("function_calls", [1000, 1000], [1050, 1050], Verdict.REGRESSED),
        ("function_calls", [1000, 1000], [900, 900], Verdict.IMPROVED),
        ("function_calls", [100, 100], [115, 115], Verdict.SAME),
        ("function_calls", [1000, 1200], [1400, 1500], Verdict.INCONCLUSIVE),
        ("function_calls", [1000, 1001], [1400, 1400], Verdict.REGRESSED),
        ("loop_handles", [100, 100], [120, 120], Verdict.REGRESSED),
        ("allocated_bytes", [1e6, 1e6], [1.3e6, 1.3e6], Verdict.REGRESSED),
        ("memory_slope_bytes", [0], [0], Verdict.SAME),
        ("memory_slope_bytes", [0], [100], Verdict.SAME),
        ("memory_slope_bytes", [0], [1041], Verdict.REGRESSED),
    ],
)
def test_counts(make: Maker, metric: str, then: list[float], now: list[float], verdict: Verdict) -> None:
    row = judged(counted(make, metric, now), make.baseline(counted(make, metric, then)), metric)

    assert row.verdict is verdict, row


def test_counts_keep_all_their_digits(make: Maker) -> None:
    record = counted(make, "function_calls", [1_234_567, 1_234_567])

    (outcome,) = record.measured_green
    kept = {} if outcome.measurements is None else outcome.measurements.metrics
    assert [list(process) for process in kept["function_calls"].samples] == [[1_234_567, 1_234_567]]
    assert kept["function_calls"].floor == 1_234_567


def test_counts_gate_on_another_machine(make: Maker) -> None:
    baseline = make.baseline(counted(make, "function_calls", [1000, 1000]))
    make.fingerprint["cpu_model"] = "Another CPU"

    row = judged(counted(make, "function_calls", [1300, 1300]), baseline, "function_calls")

    assert (row.verdict, row.gates) == (Verdict.REGRESSED, True)


def test_a_regression_names_the_function_that_changed(make: Maker) -> None:
    baseline = make.baseline(counted(make, "function_calls", [1000, 1000]))

    row = judged(counted(make, "function_calls", [1300, 1300], calls=600), baseline, "function_calls")

    assert [change.describe() for change in row.why] == ["parse() in app/codec.py:41 called 300 → 600 times"]


def test_what_is_the_same_has_no_reason(make: Maker) -> None:
    baseline = make.baseline(counted(make, "function_calls", [1000, 1000]))

    assert not judged(counted(make, "function_calls", [1000, 1000], calls=600), baseline, "function_calls").why


def test_figures_of_repetitions_are_not_held_against_those_of_processes(make: Maker) -> None:
    """The best repetition is faster than all of them together, and that is no regression."""
    then = make.record(make.measured({"throughput_per_s": [[1000.0, 1200.0]] * 5}))
    now = make.record(make.measured({"throughput_per_s": [[1000.0]] * 5}))

    assert judged(now, make.baseline(then), "throughput_per_s").verdict is Verdict.NOT_COMPARABLE


def test_memory_by_line_that_was_given_up_is_not_missing(make: Maker) -> None:
    then = counted(make, "allocated_bytes", [5e5, 5e5])
    now = counted(make, "allocated_peak_bytes", [2e3, 2e3])

    row = judged(now, make.baseline(then), "allocated_bytes")

    assert row.verdict is Verdict.NOT_COMPARABLE
    assert "more lines now than are looked at" in row.warnings[-1]
