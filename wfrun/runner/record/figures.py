"""From what fresh processes sent to the figures that are kept: rounding, controls, floors, intervals."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Any, Final

from wfrun.measure.histogram import Histogram
from wfrun.measure.metrics import METRICS, declared_metric
from wfrun.runner.record.measurements import CaseMeasurements, FunctionRecord, MetricRecord
from wfrun.stats.percentiles import percentiles, pooled_floor
from wfrun.stats.resampling import FEWEST_PROCESSES, estimate_floor
from wfrun.stats.spread import relative_sd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from wfrun.measure.metrics import Metric
    from wfrun.runner.child.messages import Generation
    from wfrun.runner.run.outcomes import Outcome
    from wfrun.stats.percentiles import Better

__all__ = ["functions_of", "measurements_of", "pooled_record"]

_SIGNIFICANT_DIGITS: Final = 5


def measurements_of(outcome: Outcome) -> tuple[CaseMeasurements | None, tuple[str, ...]]:
    """Return the figures of one outcome, and the doubts about them.

    ``None`` for a case that reported none. Void generations are left out and named. Memory is counted above the median
    of the control generations; throughput is worked out from items and wall time where no process sent it.
    """
    if not outcome.generations:
        return None, ()
    used = [generation for generation in outcome.generations if generation.void is None]
    void = tuple(generation.void for generation in outcome.generations if generation.void is not None)
    samples = [_with_throughput(generation.samples, outcome.items) for generation in used]
    counts = {} if outcome.counted is None else outcome.counted.samples
    declared = {
        name: declared_metric(name, **spec) for generation in used for name, spec in generation.declared.items()
    }
    known = {**METRICS, **declared}
    names = [name for name in known if any(process.get(name) for process in samples) or counts.get(name)]
    measurements = CaseMeasurements(
        metrics={
            name: _metric_record(known[name], [counts] if known[name].exact else samples, outcome.control)
            for name in names
        },
        latency=_merged(generation.latency for generation in used),
        cores=tuple(generation.cpu for generation in used),
        calibration_ns=tuple(tuple(_rounded(ns) for ns in generation.calibration_ns) for generation in used),
        others_share=tuple(
            None if generation.others_share is None else round(generation.others_share, 3) for generation in used
        ),
        functions=functions_of(outcome.counted),
        void=void,
    )
    return measurements, tuple(_doubts(outcome, len(used), void, set().union(*samples) - set(known)))


def functions_of(counted: Generation | None) -> tuple[FunctionRecord, ...]:
    """Return what the functions did that did most, from a counting run."""
    return () if counted is None else tuple(FunctionRecord(**each) for each in counted.functions)


def _doubts(outcome: Outcome, used: int, void: Sequence[str], unknown: set[str]) -> Iterable[str]:
    case_id = outcome.case.info.id
    if void:
        reasons = "; ".join(dict.fromkeys(void))
        yield f"{case_id}: {len(void)} of {len(outcome.generations)} processes were left out: {reasons}"
    if 0 < used < FEWEST_PROCESSES:
        yield f"{case_id}: {used} processes; with fewer than {FEWEST_PROCESSES} only large changes will show"
    if unknown:
        yield f"{case_id}: nobody knows how to judge {', '.join(sorted(unknown))}, so it was not recorded"


def _with_throughput(samples: dict[str, list[float]], items: int) -> dict[str, list[float]]:
    if "throughput_per_s" in samples or not samples.get("wall_time_ns"):
        return samples
    walls = samples["wall_time_ns"]
    each = samples.get("items", [])
    counted = each if len(each) == len(walls) else [float(items)] * len(walls)
    rates = [count * 1e9 / wall for count, wall in zip(counted, walls, strict=True) if count > 0 and wall > 0]
    return {**samples, "throughput_per_s": rates} if rates else samples


def _metric_record(
    metric: Metric, processes: Sequence[dict[str, list[float]]], control: Sequence[Generation]
) -> MetricRecord:
    taken_off = _control(metric, control)
    keep = float if metric.exact else _rounded
    samples = tuple(_cleaned(process.get(metric.name, ()), taken_off, keep) for process in processes)
    return MetricRecord(
        unit=metric.unit,
        better=metric.better,
        kind=metric.kind,
        **_summary(samples, metric.better, keep),
        declared=metric.name not in METRICS,
        threshold_percent=metric.threshold_percent if metric.name not in METRICS and metric.gates else None,
        control=None if taken_off is None else _rounded(taken_off),
        samples=samples,
    )


def pooled_record(records: Sequence[MetricRecord]) -> MetricRecord:
    """Return one metric of one case over all processes of several sessions; what is no figure is the last one's."""
    samples = tuple(process for record in records for process in record.samples)
    keep = float if records[-1].kind == "count" else _rounded
    return records[-1].model_copy(update={**_summary(samples, records[-1].better, keep), "samples": samples})


def _summary(samples: Sequence[Sequence[float]], better: Better, keep: Callable[[float], float]) -> dict[str, Any]:
    """Return the fields of a record that follow from its samples."""
    estimate = estimate_floor(samples, better)
    p50, p95, p99 = percentiles([sample for process in samples for sample in process], (50, 95, 99))
    spread = relative_sd([pooled_floor([process], better) for process in samples if process])
    half_width = estimate.half_width
    # Two sessions as noisy as this one: their variances add up.
    detectable = None if half_width is None or estimate.floor <= 0 else math.sqrt(2) * half_width / estimate.floor
    return {
        "floor": keep(estimate.floor),
        "interval": None if estimate.interval is None else tuple(map(_rounded, estimate.interval)),
        "p50": keep(p50),
        "p95": keep(p95),
        "p99": keep(p99),
        "spread_between_processes_percent": None if spread is None else round(spread * 100, 3),
        "minimum_detectable_effect_percent": None if detectable is None else round(detectable * 100, 3),
    }


def _control(metric: Metric, control: Sequence[Generation]) -> float | None:
    if metric.kind != "memory":
        return None
    used = (generation.samples.get(metric.name, ()) for generation in control if generation.void is None)
    values = [value for process in used for value in process if math.isfinite(value)]
    return statistics.median(values) if values else None


def _cleaned(samples: Iterable[float], taken_off: float | None, keep: Callable[[float], float]) -> tuple[float, ...]:
    # An empty case may by chance hold more than this one; less than nothing is still nothing.
    above = samples if taken_off is None else (max(0.0, sample - taken_off) for sample in samples)
    return tuple(keep(sample) for sample in above if math.isfinite(sample))


def _merged(histograms: Iterable[Sequence[Sequence[int]]]) -> tuple[tuple[int, int], ...]:
    total = Histogram()
    for pairs in histograms:
        if pairs:
            total.merge(Histogram.from_pairs(pairs))
    return tuple((first, second) for first, second in total.to_pairs())


def _rounded(value: float) -> float:
    """Round to the digits a measurement deserves; files stay small and differences readable."""
    return float(f"{value:.{_SIGNIFICANT_DIGITS}g}")
