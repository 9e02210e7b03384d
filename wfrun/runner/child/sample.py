"""One generation of a measured case: repetitions in this fresh process, and what they cost."""

from __future__ import annotations

import gc
import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from wfrun.authoring.collect import CollectedCase
from wfrun.authoring.suite import CaseDeclaration, Suite
from wfrun.measure.calibration import calibrate
from wfrun.measure.gc_pauses import GcPauses
from wfrun.measure.latency import LatencyRecorder
from wfrun.measure.loop_lag import LoopLag
from wfrun.measure.memory import peak_rss_bytes, reset_peak, settled_rss_bytes
from wfrun.measure.throttle import throttled_since, throttling
from wfrun.runner.child.execute import Pass, PassOptions, make_runner
from wfrun.runner.child.messages import CaseResult, Generation, Status

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from wfrun.authoring.info import CaseInfo
    from wfrun.runner.child.guard import CaseGuard

__all__ = ["SamplingOptions", "empty_case", "sample_case"]

CALIBRATION_ROUNDS: Final = 3
LATENCY_METRICS: Final = ("p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns")


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """How long to sample, and where."""

    sampling_s: float
    min_repetitions: int
    max_repetitions: int
    cpu: int | None
    """The core to stay on; ``None`` for any."""


def sample_case(
    case: CollectedCase,
    options: PassOptions,
    sampling: SamplingOptions,
    guard: CaseGuard,
    on_teardowns: Callable[[list[str]], None],
) -> CaseResult:
    """Repeat ``case`` until the time is up and return the last pass's result with the generation's figures.

    The first pass warms up and is not counted. A pass that does not succeed ends the sampling with its result.
    """
    if sampling.cpu is not None:
        os.sched_setaffinity(0, {sampling.cpu})
    calibration_ns = calibrate(CALIBRATION_ROUNDS)
    samples: dict[str, list[float]] = {}
    latency = LatencyRecorder()
    lag = LoopLag(latency.fold)
    pauses = GcPauses()
    throttled = throttling()
    started_s = time.perf_counter()
    with make_runner(case) as runner:
        before_bytes = _settle(runner)
        result = _pass(case, options, guard, on_teardowns, LatencyRecorder(), runner, {})
        runner.run(_call(lag.start))
        with pauses:
            deadline_s = time.perf_counter() + sampling.sampling_s
            done = 0
            while result.status is Status.PASSED and done < sampling.max_repetitions:
                if done >= sampling.min_repetitions and time.perf_counter() >= deadline_s:
                    break
                result = _pass(case, options, guard, on_teardowns, latency, runner, samples)
                done += 1
        runner.run(_call(lag.stop))
        peak = peak_rss_bytes().value
        after_bytes = settled_rss_bytes().value
    if result.status is not Status.PASSED:
        return result
    calibration_ns += calibrate(CALIBRATION_ROUNDS)
    figures = pauses.figures()
    samples["gc_pause_ns"] = [figures.total_ns]
    samples["gc_collections"] = [figures.count]
    if peak is not None:
        samples["peak_rss_bytes"] = [peak]
    if after_bytes is not None and before_bytes is not None:
        samples["kept_rss_bytes"] = [after_bytes - before_bytes]
    if (lags := lag.summary()) is not None:
        samples["loop_lag_p99_ns"] = [lags.p99_ns]
        samples["loop_lag_max_ns"] = [lags.max_ns]
    withheld = throttled_since(throttled).value
    void = "the control group's processor limit was used up" if withheld is not None and withheld.happened else None
    generation = Generation(
        samples=samples,
        latency=[list(pair) for pair in latency.histogram().to_pairs()],
        cpu=sampling.cpu,
        calibration_ns=[float(value) for value in calibration_ns],
        void=void,
    )
    return replace(result, duration_s=time.perf_counter() - started_s, generation=generation)


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
        timeout_s=None,
        own_process=True,
        virtual_time=False,
        pinned=True,
    )
    return CollectedCase(replace(info, virtual_time=False), declaration, suite, {})


def _pass(
    case: CollectedCase,
    options: PassOptions,
    guard: CaseGuard,
    on_teardowns: Callable[[list[str]], None],
    latency: LatencyRecorder,
    runner: asyncio.Runner,
    samples: dict[str, list[float]],
) -> CaseResult:
    single = Pass(case, options, guard, on_teardowns, latency)
    single.run(runner)
    result = single.result()
    if result.status is not Status.PASSED:
        return result
    timed = single.context.stopwatch
    row: dict[str, Any] = {
        "wall_time_ns": timed.wall_ns if timed.spans else single.whole_wall_ns,
        "cpu_time_ns": timed.cpu_ns if timed.spans else single.whole_cpu_ns,
    }
    if result.items:
        row["items"] = result.items
        row["throughput_per_s"] = result.items * 1e9 / max(1, row["wall_time_ns"])
    if (summary := latency.take_repetition()) is not None:
        row |= {f"latency_{name}": getattr(summary, name) for name in LATENCY_METRICS}
    for name, value in row.items():
        samples.setdefault(name, []).append(float(value))
    return result


def _settle(runner: asyncio.Runner) -> int | None:
    """Start from collected garbage and a reset peak, with the loop made; return the memory held then."""
    runner.get_loop()
    before_bytes = settled_rss_bytes().value
    gc.freeze()
    reset_peak()
    return before_bytes


async def _call(function: Callable[[], None]) -> None:
    function()
