"""One generation of a measured case: repetitions in this fresh process, and what they cost."""

from __future__ import annotations

import gc
import os
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from wfrun.authoring.collect import CollectedCase
from wfrun.authoring.declarations import CaseDeclaration, Scope
from wfrun.authoring.levels import FixtureLevel
from wfrun.authoring.suite import Suite
from wfrun.measure.calibration import calibrate
from wfrun.measure.gc_pauses import GcPauses
from wfrun.measure.latency import LatencyRecorder
from wfrun.measure.loop_lag import LoopLag
from wfrun.measure.memory import peak_rss_bytes, reset_peak, settled_rss_bytes
from wfrun.measure.neighbours import Neighbours
from wfrun.measure.run_delay import RunDelay
from wfrun.measure.throttle import throttled_since, throttling
from wfrun.runner.child.execute import Pass, PassOptions, make_runner
from wfrun.runner.child.messages import CaseResult, FixtureFailure, Generation, Status
from wfrun.runner.child.suite_loop import tear_down_wide
from wfrun.runner.child.totals import process_totals

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from wfrun.authoring.info import CaseInfo
    from wfrun.measure.metrics import Metric
    from wfrun.runner.child.sampling import SamplingOptions

__all__ = [
    "Figures",
    "declared_metrics",
    "empty_case",
    "repeat_once",
    "sample_case",
    "settle",
]

CALIBRATION_ROUNDS: Final = 3
LATENCY_METRICS: Final = ("p50_ns", "p90_ns", "p95_ns", "p99_ns", "p999_ns", "max_ns")


@dataclass(slots=True)
class Figures:
    """What the repetitions of one process have cost so far."""

    latency: LatencyRecorder = field(default_factory=LatencyRecorder)
    samples: dict[str, list[float]] = field(default_factory=dict)
    declared: dict[str, Metric] = field(default_factory=dict)
    delay: RunDelay | None = None
    """Where it is to be known how long repetitions waited for a core."""
    delayed_share: float = 0.0
    """Of the time of all repetitions, the part in which their thread was ready and was given no core."""

    def fold(self) -> None:
        """Put the latencies recorded so far into the histogram, so that they take no more memory."""
        self.latency.fold()

    def add(self, row: dict[str, float]) -> None:
        """Add a number to each of some metrics."""
        for name, value in row.items():
            self.samples.setdefault(name, []).append(float(value))


def sample_case(
    case: CollectedCase, options: PassOptions, sampling: SamplingOptions
) -> tuple[CaseResult, list[FixtureFailure]]:
    """Repeat ``case`` until the time is up; return the last pass's result with the generation's figures.

    Fixtures that outlive a case are made in the first pass and torn down after the last; what fails then is returned.

    The first pass warms up and does not count, unless it takes the sampling time by itself: then it is the only one.
    A pass that does not succeed ends the sampling with its result.
    """
    if sampling.cpu is not None:
        os.sched_setaffinity(0, {sampling.cpu})
    started_s = time.perf_counter()
    calibration_ns = calibrate(CALIBRATION_ROUNDS)
    throttled = throttling()
    neighbours = Neighbours()
    figures = Figures()
    with make_runner(case) as runner:
        before_bytes = settle(runner)
        result = _repeat(case, options, sampling, runner, figures)
        peak_bytes = peak_rss_bytes().value
        after_bytes = settled_rss_bytes().value
        wide, grace_s = options.wide, options.teardown_grace_s
        made = () if wide is None else tear_down_wide(runner, wide, Scope.SESSION, options.guard, grace_s)
        failures = list(made)
    if result.status is not Status.PASSED:
        return result, failures
    if peak_bytes is not None:
        figures.add({"peak_rss_bytes": peak_bytes})
    if after_bytes is not None and before_bytes is not None:
        figures.add({"kept_rss_bytes": after_bytes - before_bytes})
    latency = figures.latency.histogram()
    totals = process_totals(figures.samples, latency, figures.delayed_share if case.info.pinned else 0.0)
    figures.samples |= {name: [value] for name, value in totals.items()}
    withheld = throttled_since(throttled).value
    others_share = neighbours.share().value
    generation = Generation(
        samples=figures.samples,
        declared=declared_metrics(figures),
        latency=[list(pair) for pair in latency.to_pairs()],
        cpu=sampling.cpu,
        calibration_ns=[float(value) for value in (*calibration_ns, *calibrate(CALIBRATION_ROUNDS))],
        others_share=others_share,
        void="the processor limit of the control group was used up" if withheld and withheld.happened else None,
    )
    return replace(result, duration_s=time.perf_counter() - started_s, generation=generation), failures


def declared_metrics(figures: Figures) -> dict[str, dict[str, object]]:
    """Return what the case said of its own metrics, by name."""
    return {
        name: {
            "unit": metric.unit,
            "better": metric.better,
            "threshold_percent": metric.threshold_percent if metric.gates else None,
        }
        for name, metric in figures.declared.items()
    }


def empty_case(info: CaseInfo) -> CollectedCase:
    """Return a case that does nothing, in the place of ``info``: what remains of memory is the harness's own."""

    async def nothing() -> None:
        pass

    suite = Suite(info.suite_title)
    declaration = CaseDeclaration(
        function=nothing,
        title="empty",
        kinds=info.kinds,
        tags=(),
        parameters={},
    )
    return CollectedCase(
        info._replace(virtual_time=False, expected_failure=None), declaration, suite, {}, FixtureLevel({})
    )


def _repeat(
    case: CollectedCase,
    options: PassOptions,
    sampling: SamplingOptions,
    runner: asyncio.Runner,
    figures: Figures,
) -> CaseResult:
    """Warm up, then repeat until the time is up; add one sample a repetition, and the pauses of the whole."""
    lag = LoopLag(figures.fold)
    with GcPauses() as pauses:
        runner.run(_call(lag.start))
        # Not of each repetition: reading it takes half as long as the shortest of them.
        delay = RunDelay()
        delayed_ns = delay.total_ns()
        started_s = time.perf_counter()
        result, row = repeat_once(case, options, runner, figures)
        warmed_s = time.perf_counter()
        if result.status is Status.PASSED and warmed_s - started_s >= sampling.sampling_s:
            figures.add(row)
            figures.delayed_share = (delay.total_ns() - delayed_ns) / 1e9 / (warmed_s - started_s)
        else:
            figures.latency = LatencyRecorder()
            delayed_ns = delay.total_ns()
            deadline_s = warmed_s + sampling.sampling_s
            for done in range(sampling.max_repetitions):
                late = done >= sampling.min_repetitions and time.perf_counter() >= deadline_s
                if late or result.status is not Status.PASSED:
                    break
                result, row = repeat_once(case, options, runner, figures)
                figures.add(row)
            figures.delayed_share = (delay.total_ns() - delayed_ns) / 1e9 / (time.perf_counter() - warmed_s)
        runner.run(_call(lag.stop))
    collected = pauses.figures()
    figures.add({"gc_pause_ns": collected.total_ns, "gc_collections": collected.count})
    if (lags := lag.summary()) is not None:
        figures.add({"loop_lag_p99_ns": lags.p99_ns, "loop_lag_max_ns": lags.max_ns})
    return result


def repeat_once(
    case: CollectedCase, options: PassOptions, runner: asyncio.Runner, figures: Figures
) -> tuple[CaseResult, dict[str, float]]:
    """Pass once over ``case``; return how that ended, and what it cost by metric: nothing where it did not succeed."""
    single = Pass(case, options, figures.latency, figures.delay)
    single.run(runner)
    result = single.result()
    if result.status is not Status.PASSED:
        return result, {}
    timed = single.context.stopwatch if single.context.stopwatch.spans else single.whole
    wall_ns = timed.wall_ns
    row = {"wall_time_ns": float(wall_ns), "cpu_time_ns": float(timed.cpu_ns)}
    if figures.delay is not None:
        row["run_delay_ns"] = float(timed.delayed_ns)
    if result.items:
        row["items"] = result.items
        row["throughput_per_s"] = result.items * 1e9 / max(1, wall_ns)
    if (summary := figures.latency.take_repetition()) is not None:
        row |= {f"latency_{name}": getattr(summary, name) for name in LATENCY_METRICS}
    row |= single.context.figures
    for name, (metric, value) in single.context.metrics.items():
        figures.declared[name] = metric
        row[name] = value
    return result, row


def settle(runner: asyncio.Runner) -> int | None:
    """Start from collected garbage and a reset peak, with the loop made; return the memory held then."""
    runner.get_loop()
    before_bytes = settled_rss_bytes().value
    gc.freeze()
    reset_peak()
    return before_bytes


async def _call(function: Callable[[], None]) -> None:
    function()
