"""A session held against a baseline: every metric gets exactly one verdict, and every doubt its words."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wfrun.measure.histogram import Histogram
from wfrun.measure.metrics import METRICS
from wfrun.runner.child.messages import LoadFailure, Status
from wfrun.runner.compare.compare import compare_session
from wfrun.runner.compare.verdicts import Comparison, MetricComparison, Verdict
from wfrun.runner.options import Limits, MeasureProtocol
from wfrun.runner.record.models import SourceRecord

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tests.unit.runner.conftest import Maker
    from wfrun.runner.record.models import Baseline, SessionRecord

ID = "suites/load::flow"


def compare(
    record: SessionRecord,
    baseline: Baseline,
    thresholds: Mapping[str, float] | None = None,
    selected: Collection[str] = (ID,),
) -> Comparison:
    return compare_session(
        record, baseline, thresholds or {}, selected_ids=set(selected), baseline_path=Path("baselines/main.json")
    )


def only(comparison: Comparison, metric: str = "wall_time_ns") -> MetricComparison:
    (row,) = [row for row in comparison.metrics if row.metric == metric]
    return row


def wall(make: Maker, floor: float, *, seed: int = 1, noise: float = 0.05, bias: float = 0.002) -> SessionRecord:
    return make.record(make.measured({"wall_time_ns": make.processes(floor, seed=seed, noise=noise, bias=bias)}))


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [(1.0, Verdict.SAME), (1.1, Verdict.REGRESSED), (2.0, Verdict.REGRESSED), (0.9, Verdict.IMPROVED)],
)
def test_times(make: Maker, factor: float, verdict: Verdict) -> None:
    row = only(compare(wall(make, 1e6 * factor, seed=2), make.baseline(wall(make, 1e6))))

    assert row.verdict is verdict
    assert row.ratio == pytest.approx(factor, rel=0.01)
    assert row.threshold_percent == METRICS["wall_time_ns"].threshold_percent


def test_a_rate_that_falls_has_regressed(make: Maker) -> None:
    old = make.record(make.measured({"throughput_per_s": [[1000.0, 1001.0]] * 5}))
    new = make.record(make.measured({"throughput_per_s": [[880.0, 890.0]] * 5}))

    assert only(compare(new, make.baseline(old, old, old)), "throughput_per_s").verdict is Verdict.REGRESSED


def test_few_sessions_do_not_show_how_far_totals_scatter(make: Maker) -> None:
    old = make.record(make.measured({"throughput_per_s": [[1000.0, 1001.0]] * 5}))
    tenth, half = (make.record(make.measured({"throughput_per_s": [[rate, rate + 1]] * 5})) for rate in (900.0, 500.0))

    row = only(compare(tenth, make.baseline(old, old)), "throughput_per_s")

    assert row.verdict is Verdict.SAME
    assert row.threshold_percent == 15
    assert any("noise between sessions" in warning for warning in row.warnings)
    assert only(compare(half, make.baseline(old, old)), "throughput_per_s").verdict is Verdict.REGRESSED


def test_only_gating_metrics_make_a_session_red(make: Maker) -> None:
    old = make.record(make.measured({"wall_time_ns": [[1e6]] * 5, "cpu_time_ns": [[1e6]] * 5}))
    new = make.record(make.measured({"wall_time_ns": [[1e6]] * 5, "cpu_time_ns": [[2e6]] * 5}))

    comparison = compare(new, make.baseline(old))

    assert only(comparison, "cpu_time_ns").verdict is Verdict.REGRESSED
    assert comparison.regressed == ()


def test_the_users_threshold_goes_before_the_metrics_own(make: Maker) -> None:
    record, baseline = wall(make, 1.2e6), make.baseline(wall(make, 1e6))

    row = only(compare(record, baseline, {"wall_time_ns": 30.0}))

    assert (row.verdict, row.threshold_percent) == (Verdict.SAME, 30.0)


def test_noise_between_sessions_widens_the_threshold(make: Maker) -> None:
    baseline = make.baseline(wall(make, 0.95e6), wall(make, 1.0e6), wall(make, 1.05e6))

    row = only(compare(wall(make, 1.08e6), baseline))

    assert row.threshold_percent == pytest.approx(15, abs=1)
    assert "noise between sessions" in row.warnings[-1]
    assert row.verdict is not Verdict.REGRESSED


def test_noise_between_processes_widens_the_threshold(make: Maker) -> None:
    noisy = make.record(make.measured({"wall_time_ns": [[1.0e6], [1.1e6], [1.2e6], [1.3e6], [1.4e6]]}))

    row = only(compare(noisy, make.baseline(noisy)))

    assert row.threshold_percent > 5
    assert "noise between processes" in row.warnings[-1]


def test_noise_between_sessions_widens_the_users_own_threshold(make: Maker) -> None:
    baseline = make.baseline(wall(make, 0.95e6), wall(make, 1.0e6), wall(make, 1.05e6))

    assert only(compare(wall(make, 1e6), baseline, {"wall_time_ns": 2.0})).threshold_percent == pytest.approx(15, abs=1)
    assert only(compare(wall(make, 1e6), baseline, {"wall_time_ns": 20.0})).threshold_percent == 20.0


def test_noise_between_processes_does_not_widen_the_users_own_threshold(make: Maker) -> None:
    noisy = make.record(make.measured({"wall_time_ns": [[1.0e6], [1.1e6], [1.2e6], [1.3e6], [1.4e6]]}))

    assert only(compare(noisy, make.baseline(noisy), {"wall_time_ns": 2.0})).threshold_percent == 2.0


@pytest.mark.parametrize(("sessions", "asked"), [(1, True), (2, True), (3, False)])
def test_three_sessions_are_asked_for_once(make: Maker, sessions: int, *, asked: bool) -> None:
    record = wall(make, 1e6)

    said = [
        warning for warning in compare(record, make.baseline(*[record] * sessions)).warnings if "3, from" in warning
    ]

    assert len(said) == asked
    assert all("at commit c0ffeec0ff, on this machine" in warning for warning in said)


def test_processes_far_apart_leave_it_open(make: Maker) -> None:
    old, new = wall(make, 1e6, seed=1, bias=0.2), wall(make, 1.1e6, seed=2, bias=0.2)

    row = only(compare(new, make.baseline(old)))

    assert row.verdict is Verdict.INCONCLUSIVE
    assert "could have been shown" in row.warnings[0]
    assert row.could_have_seen_percent is not None
    assert row.could_have_seen_percent >= row.threshold_percent


def test_samples_are_handed_on_by_process(make: Maker) -> None:
    """Whoever draws a distribution needs both sides, and which process each sample came from."""
    old, again = make.record(make.measured({"wall_time_ns": [[1.0, 2.0]] * 5})), [[3.0, 4.0]] * 6
    new = make.record(make.measured({"wall_time_ns": again}))

    row = only(compare(new, make.baseline(old, old)))

    assert row.old_samples == ((1.0, 2.0),) * 10
    assert row.new_samples == ((3.0, 4.0),) * 6


def test_latencies_of_a_baselines_sessions_are_merged(make: Maker) -> None:
    def recorded(*latencies_ns: int) -> SessionRecord:
        histogram = Histogram()
        histogram.record_all(latencies_ns)
        pairs = [list(pair) for pair in histogram.to_pairs()]
        outcome = make.measured({"wall_time_ns": [[1e6]] * 2})
        return make.record(replace(outcome, generations=(replace(outcome.generations[0], latency=pairs),)))

    comparison = compare(recorded(7, 8), make.baseline(recorded(1, 2), recorded(3)))

    both = comparison.latencies[ID]
    assert Histogram.from_pairs(both.old).count == 3
    assert Histogram.from_pairs(both.new).percentiles((0, 100)) == [7, 8]
    assert compare(wall(make, 1e6), make.baseline(wall(make, 1e6))).latencies == {}


def test_sessions_of_a_baseline_are_pooled(make: Maker) -> None:
    slow, fast = [[110.0] * 4] * 5, [[100.0] * 4] * 5
    baseline = make.baseline(*(make.record(make.measured({"wall_time_ns": side})) for side in (slow, fast)))

    assert only(compare(make.record(make.measured({"wall_time_ns": fast})), baseline)).old == 100.0


def test_constant_samples_are_compared(make: Maker) -> None:
    old = make.record(make.measured({"gc_collections": [[3]] * 5, "gc_pause_ns": [[0]] * 5}))
    new = make.record(make.measured({"gc_collections": [[3]] * 5, "gc_pause_ns": [[0]] * 5}))

    assert {row.verdict for row in compare(new, make.baseline(old)).metrics} == {Verdict.SAME}


def test_one_process_warns_and_decides_nothing(make: Maker) -> None:
    old, new = (make.record(make.measured({"wall_time_ns": [[value]]})) for value in (1e6, 3e6))

    comparison = compare(new, make.baseline(old))

    assert only(comparison).verdict is Verdict.INCONCLUSIVE
    assert any("1 processes now" in warning for warning in comparison.warnings)


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        (100_000.0, 1_000_000.0, Verdict.SAME),
        (10_000_000.0, 14_000_000.0, Verdict.REGRESSED),
        (20_000_000.0, 21_500_000.0, Verdict.SAME),
        (14_000_000.0, 10_000_000.0, Verdict.IMPROVED),
    ],
)
def test_memory_counts_beyond_its_slack_and_its_threshold(
    make: Maker, old: float, new: float, verdict: Verdict
) -> None:
    then, now = (
        make.record(make.measured({"peak_rss_bytes": [[value * part] for part in (0.998, 0.999, 1, 1.001, 1.002)]}))
        for value in (old, new)
    )

    assert only(compare(now, make.baseline(then)), "peak_rss_bytes").verdict is verdict


def test_memory_that_was_nothing_and_is_much_has_regressed(make: Maker) -> None:
    then, now = (make.record(make.measured({"kept_rss_bytes": [[value]] * 5})) for value in (0.0, 5e6))

    row = only(compare(now, make.baseline(then)), "kept_rss_bytes")

    assert (row.verdict, row.ratio) == (Verdict.REGRESSED, None)


def test_on_another_machine_memory_is_compared_and_times_are_not(make: Maker) -> None:
    metrics = {"wall_time_ns": [[1e6]] * 5, "latency_p99_ns": [[1e6]] * 5, "peak_rss_bytes": [[1e7]] * 5}
    baseline = make.baseline(make.record(make.measured(metrics)))
    make.fingerprint["cpu_model"] = "Other CPU"
    slower = {"wall_time_ns": [[3e6]] * 5, "latency_p99_ns": [[3e6]] * 5, "peak_rss_bytes": [[2e7]] * 5}

    comparison = compare(make.record(make.measured(slower)), baseline)

    assert {row.metric: row.verdict for row in comparison.metrics} == {
        "wall_time_ns": Verdict.NOT_COMPARABLE,
        "latency_p99_ns": Verdict.NOT_COMPARABLE,
        "peak_rss_bytes": Verdict.REGRESSED,
    }
    row = only(comparison)
    assert (row.old, row.new, row.ratio) == (1e6, 3e6, None)
    assert "Other CPU now" in row.warnings[0]


def test_on_another_python_nothing_is_compared(make: Maker) -> None:
    metrics = {"wall_time_ns": [[1e6]] * 5, "peak_rss_bytes": [[1e7]] * 5}
    baseline = make.baseline(make.record(make.measured(metrics)))
    make.fingerprint["python_minor"] = "3.13"

    comparison = compare(make.record(make.measured(metrics)), baseline)

    assert {row.verdict for row in comparison.metrics} == {Verdict.NOT_COMPARABLE}
    assert "Python 3.11 then, 3.13 now" in comparison.warnings[0]


def test_a_machine_that_has_become_slower_is_no_regression(make: Maker) -> None:
    samples = make.processes(1e6)
    slower = [[sample * 1.2 for sample in process] for process in samples]
    baseline = make.baseline(make.record(make.measured({"wall_time_ns": samples}, calibration_ns=3.0e6)))

    comparison = compare(make.record(make.measured({"wall_time_ns": slower}, calibration_ns=3.6e6)), baseline)

    row = only(comparison)
    assert row.verdict is Verdict.INCONCLUSIVE
    assert "the machine was 20 % slower" in row.warnings[0]
    assert comparison.regressed == ()


def test_a_machine_that_has_become_slower_does_not_excuse_memory(make: Maker) -> None:
    baseline = make.baseline(make.record(make.measured({"peak_rss_bytes": [[1e7]] * 5}, calibration_ns=3.0e6)))

    now = make.record(make.measured({"peak_rss_bytes": [[1.3e7]] * 5}, calibration_ns=4.0e6))

    assert only(compare(now, baseline), "peak_rss_bytes").verdict is Verdict.REGRESSED


@pytest.mark.parametrize(
    ("factor", "then", "now", "verdict"),
    [
        (1.2, 0.02, 0.45, Verdict.INCONCLUSIVE),
        (1.2, 0.45, 0.45, Verdict.REGRESSED),
        (1.2, 0.45, 0.02, Verdict.REGRESSED),
        (1.2, None, 0.45, Verdict.REGRESSED),
        (0.8, 0.45, 0.02, Verdict.INCONCLUSIVE),
        (0.8, 0.02, 0.45, Verdict.IMPROVED),
        (1.0, 0.02, 0.45, Verdict.SAME),
        (1.9, 0.02, 0.45, Verdict.REGRESSED),  # sharing the machine evenly would have cost 75 %
        (0.5, 0.45, 0.02, Verdict.IMPROVED),
    ],
)
def test_what_busier_neighbours_explain_is_not_blamed_on_the_code(
    make: Maker, factor: float, then: float | None, now: float, verdict: Verdict
) -> None:
    samples = make.processes(1e6)
    changed = [[sample * factor for sample in process] for process in samples]
    baseline = make.baseline(make.record(make.measured({"wall_time_ns": samples}, others_share=then)))

    row = only(compare(make.record(make.measured({"wall_time_ns": changed}, others_share=now)), baseline))

    assert row.verdict is verdict
    assert any("other programs took 43 % of the machine" in text for text in row.warnings) == (
        verdict is Verdict.INCONCLUSIVE
    )


def test_busier_neighbours_do_not_excuse_memory(make: Maker) -> None:
    baseline = make.baseline(make.record(make.measured({"peak_rss_bytes": [[1e7]] * 5})))

    now = make.record(make.measured({"peak_rss_bytes": [[1.3e7]] * 5}, others_share=0.5))

    assert only(compare(now, baseline), "peak_rss_bytes").verdict is Verdict.REGRESSED


def test_a_case_that_is_gone_is_missing_when_it_was_asked_for(make: Maker) -> None:
    baseline = make.baseline(wall(make, 1e6))
    record = make.record(make.plain())

    assert only(compare(record, baseline, selected=[ID])).verdict is Verdict.MISSING
    assert compare(record, baseline, selected=[]).metrics == ()


def test_a_case_that_is_new_is_said_to_be(make: Maker) -> None:
    record = make.record(
        make.measured({"wall_time_ns": [[1.0]] * 5}), make.measured({"wall_time_ns": [[2.0]] * 5}, name="more")
    )

    rows = compare(record, make.baseline(wall(make, 1.0))).metrics

    assert [(row.case_id, row.new) for row in rows if row.verdict is Verdict.NEW] == [("suites/load::more", 2.0)]


def test_metrics_that_come_and_go_are_said(make: Maker) -> None:
    then = make.record(make.measured({"wall_time_ns": [[1.0]] * 5, "latency_p50_ns": [[1.0]] * 5}))
    now = make.record(make.measured({"wall_time_ns": [[1.0]] * 5, "latency_p99_ns": [[1.0]] * 5}))

    verdicts = {row.metric: row.verdict for row in compare(now, make.baseline(then)).metrics}

    assert verdicts["latency_p50_ns"] is Verdict.MISSING
    assert verdicts["latency_p99_ns"] is Verdict.NEW


@pytest.mark.parametrize(
    ("source_hash", "title"), [("aaaa", "Another title"), ("bbbb", "Title of flow")], ids=["same text", "same title"]
)
def test_a_renamed_case_is_recognised_by_its_text_or_its_title(make: Maker, source_hash: str, title: str) -> None:
    outcome = make.measured({"wall_time_ns": [[1.0]] * 5}, name="renamed", source_hash=source_hash, title=title)

    comparison = compare(make.record(outcome), make.baseline(wall(make, 1.0)))

    assert any("renamed to suites/load::renamed?" in warning for warning in comparison.warnings)


def test_other_parameters_are_no_new_name(make: Maker) -> None:
    other = make.record(make.measured({"wall_time_ns": [[1.0]] * 5}, name="flow[n=2]", parameters={"n": "2"}))

    assert not any("renamed" in warning for warning in compare(other, make.baseline(wall(make, 1.0))).warnings)


def test_a_changed_text_is_said(make: Maker) -> None:
    changed = make.record(make.measured({"wall_time_ns": [[1.0]] * 5}, source_hash="bbbb"))

    warnings = compare(changed, make.baseline(wall(make, 1.0))).warnings

    assert any("Title of flow: the text of the case has changed" in warning for warning in warnings)


@pytest.mark.parametrize("status", [Status.FAILED, Status.SKIPPED, Status.INTERRUPTED])
def test_a_case_that_did_not_pass_is_not_comparable_and_not_missing(make: Maker, status: Status) -> None:
    record = make.record(make.plain(status, name="flow", measured=True))

    row = only(compare(record, make.baseline(wall(make, 1e6))))

    assert row.verdict is Verdict.NOT_COMPARABLE
    assert status.value in row.warnings[0]


def test_a_case_whose_processes_were_all_void_is_not_comparable(make: Maker) -> None:
    outcome = make.measured({"wall_time_ns": [[1e6]]})
    void = replace(outcome, generations=(replace(outcome.generations[0], void="throttled"),))

    row = only(compare(make.record(void), make.baseline(wall(make, 1e6))))

    assert row.verdict is Verdict.NOT_COMPARABLE
    assert "throttled" in row.warnings[0]


def test_void_processes_are_said(make: Maker) -> None:
    outcome = make.measured({"wall_time_ns": [[1e6]] * 6})
    void = replace(outcome.generations[0], void="throttled")

    comparison = compare(
        make.record(replace(outcome, generations=(void, *outcome.generations[1:]))), make.baseline(wall(make, 1e6))
    )

    assert any("1 of 6 processes now were left out: throttled" in warning for warning in comparison.warnings)


def test_what_concerns_the_whole_comparison_is_said(make: Maker) -> None:
    make.source = SourceRecord(sha="d00d" * 10, branch=None, dirty=True, diff_hash="1")
    baseline = make.baseline(wall(make, 1e6))
    make.fingerprint["kernel"] = "Linux 7"
    record = make.record(
        make.measured({"wall_time_ns": [[1e6]] * 5}),
        interrupted=True,
        failures=(LoadFailure("suite_x.py", "SyntaxError", ""),),
        limits=Limits(workers=1, protocol=MeasureProtocol(generations=3, sampling_s=0.2)),
    )

    said = " | ".join(compare(record, baseline).warnings)

    for words in ("kernel", "uncommitted changes", "8 processes of 0.3 s then", "interrupted", "could not be loaded"):
        assert words in said


def test_every_metric_of_a_hundred_cases_is_compared_in_two_seconds(make: Maker) -> None:
    names = list(METRICS)[:8]
    sides = [
        make.record(
            *(
                make.measured(
                    {name: make.processes(1e6, seed=case + side, samples=200) for name in names}, name=f"c{case}"
                )
                for case in range(10)
            )
        )
        for side in (0, 1)
    ]
    baseline = make.baseline(sides[0])
    ten = sides[1]
    started = time.process_time()

    rows = [row for _ in range(10) for row in compare(ten, baseline).metrics]

    assert len(rows) == 800
    assert time.process_time() - started < 2.0
