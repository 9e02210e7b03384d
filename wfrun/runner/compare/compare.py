"""A session's record held against a baseline, case by case and metric by metric."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wfrun.measure.histogram import Histogram
from wfrun.measure.metrics import METRICS, declared_metric
from wfrun.runner.compare.accepting import with_accepted
from wfrun.runner.compare.judge import Limits, judge, unless_disturbed, unless_inexact
from wfrun.runner.compare.machine import busier, comparability, slowdown
from wfrun.runner.compare.notes import SESSIONS_WANTED, case_notes, renames, session_notes
from wfrun.runner.compare.verdicts import Comparison, LatencyCompared, MetricComparison, Verdict
from wfrun.runner.compare.why import cost_of, why
from wfrun.runner.options import FailOn
from wfrun.stats.counts import compare_counts
from wfrun.stats.percentiles import pooled_floor
from wfrun.stats.resampling import compare_floors
from wfrun.stats.spread import robust_relative_sd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from wfrun.measure.metrics import Metric
    from wfrun.runner.compare.machine import Comparability
    from wfrun.runner.compare.why import FunctionChange
    from wfrun.runner.record.models import (
        Baseline,
        BaselineCase,
        CaseMeasurements,
        MetricRecord,
        OutcomeRecord,
        SessionRecord,
    )

__all__ = ["compare_session"]

_STANDARD_DEVIATIONS = 3.0
"""How far beyond the noise a change must lie when the user named no threshold."""
_ASSUMED_PERCENT = 5.0
"""What sessions are taken to scatter in totals and percentiles of whole processes, until enough of them show it, where
a regression is not confirmed beside the baseline's own commit.

Unlike a floor these take in whatever the machine does: of unchanged code, minutes apart on a quiet shared machine, they
lay 9 and 10 % apart, with narrow intervals and twice in a row.
"""


def compare_session(
    record: SessionRecord,
    baseline: Baseline,
    thresholds: Mapping[str, float],
    *,
    selected_ids: AbstractSet[str],
    baseline_path: Path,
    fail_on: AbstractSet[FailOn] = frozenset({FailOn.REGRESSED}),
    confirmable: bool = False,
) -> Comparison:
    """Return what the session says about the baseline's cases, and about its own that the baseline lacks.

    Args:
        record: The session.
        baseline: What it is judged against; several sessions in it are pooled.
        thresholds: By metric, in per cent: the user's own, which only the noise between sessions widens.
        selected_ids: The ids that the session's selection covers, those of the baseline's cases included. A case of
            the baseline outside of it was not asked for and is not missing.
        baseline_path: Where the baseline was read from, for the reader.
        fail_on: What the user wants to fail for.
        confirmable: Whether what looks regressed is measured beside the baseline's own commit before it counts, which
            sees through all that happened to the machine. Otherwise the thresholds have to.
    """
    allowed = comparability(baseline.fingerprint, record.fingerprint)
    view = _View(record, baseline, thresholds, allowed, confirmable=confirmable)
    now = {outcome.id: outcome for outcome in record.outcomes}
    green = {outcome.id: outcome for outcome in record.measured_green}
    then = baseline.cases()
    rows: list[MetricComparison] = []
    warnings = list(session_notes(record, baseline, view.allowed))
    for case_id, case in then.items():
        if case_id in green:
            rows.extend(_compare_case(view, case, green[case_id]))
            warnings.extend(case_notes(case, green[case_id]))
        elif case_id in now:
            rows.extend(_unmeasured(view, case, now[case_id]))
        elif case_id in selected_ids:
            rows.extend(_missing(view, case))
    missing = [case for case_id, case in then.items() if case_id not in now and case_id in selected_ids]
    new = [outcome for case_id, outcome in green.items() if case_id not in then]
    for outcome in new:
        rows.extend(_new(view, outcome))
    warnings.extend(renames(missing, new))
    latencies = {case_id: _latencies(view, case_id, green[case_id]) for case_id in then if case_id in green}
    return Comparison(
        baseline_path,
        with_accepted(rows, baseline.accepted, record.created),
        tuple(warnings),
        fail_on=frozenset(fail_on),
        latencies={case_id: both for case_id, both in latencies.items() if both.old or both.new},
    )


@dataclass(frozen=True, slots=True)
class _View:
    """What every row needs to know of the whole."""

    record: SessionRecord
    baseline: Baseline
    thresholds: Mapping[str, float]
    allowed: Comparability
    confirmable: bool

    def processes_then(self, case_id: str, metric: str) -> list[tuple[float, ...]]:
        return [
            process for kept in self.baseline.metric_by_session(case_id, metric) for process in kept.samples if process
        ]

    def too_few_sessions(self, case_id: str, metric: str) -> bool:
        """Whether what scatters between sessions has to be assumed."""
        return not self.confirmable and len(self.baseline.metric_by_session(case_id, metric)) < SESSIONS_WANTED

    def surroundings(self, case_id: str, now: CaseMeasurements | None) -> _Surroundings:
        cases = [case for session in self.baseline.sessions for case in session.cases if case.id == case_id]
        loop_then = [process for case in cases for process in case.measurements.calibration_ns]
        others_then = [share for case in cases for share in case.measurements.others_share]
        return _Surroundings(
            slower=slowdown(loop_then, () if now is None else now.calibration_ns),
            busier=busier(others_then, () if now is None else now.others_share),
        )


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """How the machine was while a case was measured, against then; what is not known is ``None``."""

    slower: float | None
    busier: float | None


def _compare_case(view: _View, case: BaselineCase, outcome: OutcomeRecord) -> Iterable[MetricComparison]:
    then = case.measurements.metrics
    now = {} if outcome.measurements is None else outcome.measurements.metrics
    surroundings = view.surroundings(case.id, outcome.measurements)
    for name in (*then, *(name for name in now if name not in then)):
        if name not in now:
            yield _gone(view, case, name, now)
        elif name not in then:
            yield _row(view, outcome, name, Verdict.NEW, of=now[name], new=now[name].floor)
        else:
            row = _compare_metric(view, case, name, (then[name], now[name]), surroundings)
            yield replace(
                row,
                source_changed=case.source_hash != outcome.source_hash,
                why=_explained(row, case.measurements, outcome.measurements),
            )


def _gone(view: _View, case: BaselineCase, name: str, now: Mapping[str, MetricRecord]) -> MetricComparison:
    """Return the row of a metric that is no longer there; with memory by line wfrun itself may have given up."""
    then = case.measurements.metrics[name]
    old = _old(view, case, then, name)
    if name == "allocated_bytes" and "allocated_peak_bytes" in now:
        doubt = "a repetition runs through more lines now than are looked at one by one"
        return _row(view, case, name, Verdict.NOT_COMPARABLE, of=then, old=old, warnings=(doubt,))
    return _row(view, case, name, Verdict.MISSING, of=then, old=old)


def _explained(
    row: MetricComparison, then: CaseMeasurements, now: CaseMeasurements | None
) -> tuple[FunctionChange, ...]:
    if row.verdict is not Verdict.REGRESSED or now is None or not (then.functions and now.functions):
        return ()
    return why(then.functions, now.functions, cost_of(row.metric, row.unit))


def _compare_metric(
    view: _View, case: BaselineCase, name: str, records: tuple[MetricRecord, MetricRecord], surroundings: _Surroundings
) -> MetricComparison:
    then, now = records
    why_not = _not_comparable(view, name, then, now)
    if why_not:
        old = _old(view, case, then, name)
        return _row(view, case, name, Verdict.NOT_COMPARABLE, of=now, old=old, new=now.floor, warnings=(why_not,))
    metric = _metric(name, now) or METRICS[name]
    old_processes = view.processes_then(case.id, name)
    new_processes = [process for process in now.samples if process]
    compare = compare_counts if metric.exact else compare_floors
    compared = compare(old_processes, new_processes, metric.better)
    threshold_percent, doubts = _threshold(view, case.id, metric, old_processes, new_processes)
    limits = Limits(threshold_percent / 100, metric.slack)
    if metric.kind in ("time", "tail"):
        judgement = judge(compared, metric.better, limits, surroundings.slower)
        judgement = unless_disturbed(judgement, compared.ratio, metric.better, surroundings.busier)
    else:
        judgement = judge(compared, metric.better, limits)
        if metric.exact:
            judgement = unless_inexact(judgement, (old_processes, new_processes))
    return MetricComparison(
        case_id=case.id,
        title=case.title,
        metric=name,
        unit=metric.unit,
        better=metric.better,
        old=compared.old,
        new=compared.new,
        ratio=compared.ratio,
        interval=compared.interval,
        threshold_percent=threshold_percent,
        gates=metric.gates,
        verdict=judgement.verdict,
        # Within the slack no threshold was asked, so how wide it was is of no interest.
        warnings=judgement.warnings
        if abs(compared.new - compared.old) < metric.slack
        else (*judgement.warnings, *doubts),
        old_samples=tuple(old_processes),
        new_samples=tuple(new_processes),
        could_have_seen_percent=judgement.could_have_seen_percent,
    )


def _not_comparable(view: _View, name: str, then: MetricRecord, now: MetricRecord) -> str:
    if view.allowed.nothing:
        return view.allowed.nothing
    metric = _metric(name, now)
    if metric is None:
        return f"this wfrun does not know the metric {name}"
    if view.allowed.no_times and metric.kind in ("time", "tail"):
        return view.allowed.no_times
    if (then.unit, then.better) != (now.unit, now.better):
        return f"measured otherwise then: {then.unit or 'a number'}, {then.better} is better"
    if metric.whole and max(map(len, then.samples)) > max(map(len, now.samples)) == 1:
        return "taken of each repetition then, of a whole process now: record the baseline again"
    return ""


def _metric(name: str, record: MetricRecord) -> Metric | None:
    """Return the metric as wfrun knows it, or as the case that was measured now declared it."""
    if name not in METRICS and record.declared:
        return declared_metric(name, record.unit, record.better, record.threshold_percent)
    return METRICS.get(name)


def _threshold(
    view: _View,
    case_id: str,
    metric: Metric,
    old: Sequence[Sequence[float]],
    new: Sequence[Sequence[float]],
) -> tuple[float, tuple[str, ...]]:
    """Return what a change must reach, in per cent: the user's word, or the metric's default, above the noise seen.

    What processes scatter within one session stands in for the scatter of sessions, which the user's word goes before.
    """
    asked = view.thresholds.get(metric.name, metric.threshold_percent)
    between_sessions = view.baseline.spread_between_sessions_percent.get(case_id, {}).get(metric.name, 0.0)
    # A floor over n processes moves less than the processes do, by the square root of n.
    sides = (
        (robust_relative_sd([pooled_floor([p], metric.better) for p in side]) or 0.0, len(side)) for side in (old, new)
    )
    between_processes = 100 * math.sqrt(sum(sd**2 / count for sd, count in sides))
    if metric.name in view.thresholds:
        between_processes = 0.0
    elif metric.whole and metric.kind in ("time", "tail") and view.too_few_sessions(case_id, metric.name):
        between_sessions = max(between_sessions, _ASSUMED_PERCENT)
    noise_percent = _STANDARD_DEVIATIONS * max(between_sessions, between_processes)
    if noise_percent <= asked:
        return asked, ()
    source = "sessions" if between_sessions >= between_processes else "processes"
    widened = f"threshold widened from {asked:g} % to {noise_percent:.1f} %"
    return round(noise_percent, 2), (f"{widened}: that is the noise between {source}",)


def _latencies(view: _View, case_id: str, now: OutcomeRecord) -> LatencyCompared:
    before = Histogram()
    for session in view.baseline.sessions:
        for case in session.cases:
            if case.id == case_id and case.measurements.latency:
                before.merge(Histogram.from_pairs(case.measurements.latency))
    new = () if now.measurements is None else now.measurements.latency
    return LatencyCompared(tuple(before.to_pairs()), new)


def _unmeasured(view: _View, case: BaselineCase, outcome: OutcomeRecord) -> Iterable[MetricComparison]:
    if not outcome.measured:
        reason = "the case was run, but not measured"
    elif outcome.measurements is not None and outcome.status.good:
        reason = f"every process was left out: {'; '.join(dict.fromkeys(outcome.measurements.void)) or 'no samples'}"
    else:
        reason = f"the case ended with {outcome.status.value}"
    for name, then in case.measurements.metrics.items():
        old = _old(view, case, then, name)
        yield _row(view, case, name, Verdict.NOT_COMPARABLE, of=then, old=old, warnings=(reason,))


def _missing(view: _View, case: BaselineCase) -> Iterable[MetricComparison]:
    for name, then in case.measurements.metrics.items():
        yield _row(view, case, name, Verdict.MISSING, of=then, old=_old(view, case, then, name))


def _new(view: _View, outcome: OutcomeRecord) -> Iterable[MetricComparison]:
    if outcome.measurements is not None:
        for name, now in outcome.measurements.metrics.items():
            yield _row(view, outcome, name, Verdict.NEW, of=now, new=now.floor)


def _old(view: _View, case: BaselineCase, then: MetricRecord, name: str) -> float:
    processes = view.processes_then(case.id, name)
    return pooled_floor(processes, then.better) if len(view.baseline.sessions) > 1 and processes else then.floor


def _row(
    view: _View,
    case: BaselineCase | OutcomeRecord,
    name: str,
    verdict: Verdict,
    *,
    of: MetricRecord,
    old: float | None = None,
    new: float | None = None,
    warnings: tuple[str, ...] = (),
) -> MetricComparison:
    """Return a row without a judgement."""
    metric = _metric(name, of)
    default = 0.0 if metric is None else metric.threshold_percent
    return MetricComparison(
        case_id=case.id,
        title=case.title,
        metric=name,
        unit=of.unit,
        better="lower" if metric is None else metric.better,
        old=old,
        new=new,
        ratio=None,
        interval=None,
        threshold_percent=view.thresholds.get(name, default),
        gates=metric is not None and metric.gates,
        verdict=verdict,
        warnings=warnings,
    )
