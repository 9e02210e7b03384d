"""From what was taken of each case to the rows that every report is made of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wfrun.measure.histogram import Histogram
from wfrun.measure.metrics import METRICS
from wfrun.runner.against.case import void_reason
from wfrun.runner.against.figures import given_a_core
from wfrun.runner.child.messages import NOT_THERE, Generation, Status
from wfrun.runner.compare.judge import Limits, judge, unless_inexact
from wfrun.runner.compare.verdicts import Comparison, LatencyCompared, MetricComparison, Verdict
from wfrun.runner.compare.why import cost_of, why
from wfrun.runner.record.figures import functions_of
from wfrun.runner.run.outcomes import CapturedOutput, Outcome
from wfrun.stats.counts import compare_counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wfrun.runner.against.case import CasePairs
    from wfrun.runner.against.decide import Decision
    from wfrun.runner.against.pair import Half, Pair, SideTrouble
    from wfrun.runner.against.sides import Sides

__all__ = ["comparison_of", "decided_row", "outcome_of_pairs"]

_LEAD = METRICS["wall_time_ns"]


def comparison_of(all_taken: Sequence[CasePairs], sides: Sides, thresholds: Mapping[str, float]) -> Comparison:
    """Return the comparison of both trees over these cases; ``thresholds`` are the user's, in per cent."""
    rows: list[MetricComparison] = []
    warnings = list(sides.notes)
    for taken in all_taken:
        rows.extend(_explained(taken, row) for row in _rows(taken, sides, thresholds))
        if taken.void and taken.pairs:
            warnings.append(f"{taken.case.info.id}: {void_reason(taken)}")
    latencies = {
        taken.case.info.id: LatencyCompared(*(_merged(pair.halves[side] for pair in taken.pairs) for side in (0, 1)))
        for taken in all_taken
        if any(half.latency for pair in taken.pairs for half in pair.halves)
    }
    return Comparison(
        Path(sides.base.name),
        tuple(rows),
        tuple(warnings),
        latencies=latencies,
        old_name=sides.base.name,
        new_name=sides.changed.name,
    )


def outcome_of_pairs(taken: CasePairs, sides: Sides) -> Outcome:
    """Return what became of the case in the changed tree."""
    trouble = taken.trouble
    if trouble is not None and trouble.side == 1:
        result = trouble.result
        outcome = Outcome(taken.case, result.status, result.duration_s, result.message, result.details)
        return replace(outcome, output=CapturedOutput(trouble.output))
    generations = tuple(_generation(pair, pair.halves[1]) for pair in taken.pairs)
    status, message = Status.PASSED, ""
    if not generations:
        status, message = Status.NOT_RUN, "the session ended before a pair was taken"
    warnings: tuple[str, ...] = ()
    if trouble is not None:
        warnings = (f"{taken.case.info.id}: {_told(trouble, sides)}",)
    return replace(
        Outcome(taken.case, status, taken.sampled_s, message),
        generations=generations,
        counted=taken.counted[1],
        warnings=warnings,
    )


def _rows(taken: CasePairs, sides: Sides, thresholds: Mapping[str, float]) -> Iterable[MetricComparison]:
    trouble = taken.trouble
    if trouble is not None:
        if trouble.side == 0:
            verdict = Verdict.NEW if _lacks_case(trouble) else Verdict.NOT_COMPARABLE
            yield replace(_empty(taken, verdict), warnings=(_told(trouble, sides),))
        return
    if taken.foreign:
        yield replace(_empty(taken, Verdict.NOT_COMPARABLE), warnings=(taken.foreign,))
        return
    if not taken.pairs and taken.void:
        yield replace(_empty(taken, Verdict.NOT_COMPARABLE), warnings=(void_reason(taken),))
        return
    yield from _counts(taken, thresholds)
    order = {name: number for number, name in enumerate(METRICS)}
    for name in sorted(taken.decisions, key=lambda each: order.get(each, len(order))):
        yield _row(taken, name, taken.decisions[name])


def _lacks_case(trouble: SideTrouble) -> bool:
    return trouble.result.message.startswith(NOT_THERE)


def _explained(taken: CasePairs, row: MetricComparison) -> MetricComparison:
    """Return the row with what the functions of both sides say about a change for the worse."""
    base, changed = (functions_of(counted) for counted in taken.counted)
    if row.verdict is not Verdict.REGRESSED or not base or not changed:
        return row
    return replace(row, why=why(base, changed, cost_of(row.metric, row.unit)))


def _told(trouble: SideTrouble, sides: Sides) -> str:
    side = sides.both[trouble.side].name
    if _lacks_case(trouble):
        return f"{side} has no such case"
    return f"{side}: {trouble.result.status.value}: {trouble.result.message}"


def _counts(taken: CasePairs, thresholds: Mapping[str, float]) -> Iterable[MetricComparison]:
    """Compare what was counted; the order within a row's case is that of every report."""
    base, changed = taken.counted
    if base is None or changed is None:
        return
    for name, metric in METRICS.items():
        old, new = base.samples.get(name), changed.samples.get(name)
        if metric.exact and old and not new and name == "allocated_bytes":
            doubt = "a repetition runs through more lines now than are looked at one by one"
            yield replace(_empty(taken, Verdict.NOT_COMPARABLE), metric=name, unit=metric.unit, warnings=(doubt,))
        if not metric.exact or not old or not new:
            continue
        compared = compare_counts([old], [new], metric.better)
        percent = thresholds.get(name, metric.threshold_percent)
        judgement = judge(compared, metric.better, Limits(percent / 100, metric.slack))
        judgement = unless_inexact(judgement, ([old], [new]))
        yield replace(
            _empty(taken, judgement.verdict),
            metric=name,
            unit=metric.unit,
            better=metric.better,
            old=compared.old,
            new=compared.new,
            ratio=compared.ratio,
            interval=compared.interval,
            threshold_percent=percent,
            gates=metric.gates,
            warnings=judgement.warnings,
            old_samples=(tuple(old),),
            new_samples=(tuple(new),),
            could_have_seen_percent=judgement.could_have_seen_percent,
        )


def _row(taken: CasePairs, name: str, decision: Decision) -> MetricComparison:
    info = taken.case.info
    old, new = (tuple(_samples(pair.halves[side], name) for pair in taken.pairs) for side in (0, 1))
    return decided_row(decision, case_id=info.id, title=info.title, old_samples=old, new_samples=new)


def decided_row(
    decision: Decision,
    *,
    case_id: str,
    title: str,
    old_samples: tuple[tuple[float, ...], ...],
    new_samples: tuple[tuple[float, ...], ...],
) -> MetricComparison:
    """Return a decision as every report shows it; the samples are one tuple a process."""
    return MetricComparison(
        case_id=case_id,
        title=title,
        metric=decision.metric.name,
        unit=decision.metric.unit,
        better=decision.metric.better,
        old=decision.base,
        new=decision.changed,
        ratio=decision.ratio,
        interval=decision.interval,
        threshold_percent=decision.threshold_percent,
        gates=decision.metric.gates,
        verdict=decision.verdict,
        warnings=decision.doubts,
        old_samples=old_samples,
        new_samples=new_samples,
        could_have_seen_percent=decision.could_have_seen_percent,
    )


def _empty(taken: CasePairs, verdict: Verdict) -> MetricComparison:
    info = taken.case.info
    return MetricComparison(
        case_id=info.id,
        title=info.title,
        metric=_LEAD.name,
        unit=_LEAD.unit,
        better=_LEAD.better,
        old=None,
        new=None,
        ratio=None,
        interval=None,
        threshold_percent=0.0,
        gates=verdict is not Verdict.NEW,
        verdict=verdict,
    )


def _samples(half: Half, name: str) -> tuple[float, ...]:
    if name == "wall_time_ns":
        return tuple(given_a_core(half))
    if name in half.rows:
        return tuple(half.rows[name])
    return (half.whole[name],) if name in half.whole else ()


def _generation(pair: Pair, half: Half) -> Generation:
    return Generation(
        samples={name: values for name, values in half.rows.items() if name != "run_delay_ns"}
        | {name: [value] for name, value in half.whole.items()},
        latency=half.latency,
        cpu=pair.cpu,
        declared=half.declared,
    )


def _merged(halves: Iterable[Half]) -> tuple[tuple[int, int], ...]:
    whole = Histogram()
    for half in halves:
        whole.merge(Histogram.from_pairs(half.latency))
    return tuple((int(value), int(count)) for value, count in whole.to_pairs())
