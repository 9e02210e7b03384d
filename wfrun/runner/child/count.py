"""A counting run: what a repetition of a case does, in numbers that do not depend on how fast the machine is.

In a process of its own, because everything that counts slows the work down. The case passes once without being
counted, so that imports and caches are done; then under one counter after the other, each twice where that is quick:
what differs between the two is as inexact as that. Only what is timed is counted, and of that only what the
thread of the event loop does: other threads, and processes that the case starts, are not.

Last it passes some more times while ``tracemalloc`` looks on, with an empty case beside it, to see whether each leaves
memory behind.
"""

from __future__ import annotations

import gc
import tracemalloc
from array import array
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from wfrun.authoring.declarations import Scope
from wfrun.measure import allocations, calls, stopwatch
from wfrun.measure.allocations import AllocationCounter, PeakCounter
from wfrun.measure.calls import CallCounter, is_turning
from wfrun.measure.latency import LatencyRecorder
from wfrun.measure.slope import steady_slope
from wfrun.measure.stopwatch import Stopwatch
from wfrun.runner.child.execute import Pass, make_runner
from wfrun.runner.child.failures import own_file
from wfrun.runner.child.messages import MOST_FUNCTIONS, CaseResult, Generation, Status
from wfrun.runner.child.places import project_file
from wfrun.runner.child.sample import empty_case
from wfrun.runner.child.suite_loop import tear_down_wide
from wfrun.units import format_bytes

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from wfrun.authoring.collect import CollectedCase
    from wfrun.measure.allocations import FunctionAllocations
    from wfrun.measure.calls import FunctionCalls
    from wfrun.runner.child.execute import PassOptions
    from wfrun.runner.child.messages import FixtureFailure

__all__ = ["count_case"]

LONGEST_S: Final = 3.0
"""A repetition that takes longer is not counted: under the counters it would take a minute."""
TWICE_S: Final = 0.2
"""A counted pass that takes longer is not made a second time."""
LEAK_BYTES: Final = 256
"""Beyond what an empty case leaves behind after each pass; a hundred bytes may be chance."""
SLOPE_PASSES: Final = 24
SLOPE_S: Final = 0.1
"""A pass that takes longer is not repeated so often."""
COUNTING: Final = frozenset(each.__file__ for each in (allocations, calls, stopwatch))


class Counter(Protocol):
    """What can be switched on and off around the work."""

    def start(self) -> None:
        """Count from now."""

    def stop(self) -> None:
        """Count no more."""


def count_case(
    case: CollectedCase, options: PassOptions, alive: Callable[[], None]
) -> tuple[CaseResult, list[FixtureFailure]]:
    """Pass over ``case`` under counters; return the last pass's result, with the counts as its generation.

    A pass that does not succeed ends the counting with its result. A case that takes too long for it has no
    generation, and a warning.

    Args:
        case: What is counted.
        options: How a pass goes.
        alive: Called between passes, so that the parent knows that all of them together may take long.
    """
    with make_runner(case) as runner:
        counting = _Counting(case, options, runner, alive)
        with suppress(_Ended):
            counting.run()
        wide, grace_s = options.wide, options.teardown_grace_s
        made = () if wide is None else tear_down_wide(runner, wide, Scope.SESSION, options.guard, grace_s)
        failures = list(made)
    return counting.result(), failures


class _Ended(Exception):
    """A pass did not succeed, or takes too long to be counted."""


@dataclass(slots=True)
class _Costs:
    """What one function did in a repetition."""

    calls: int = 0
    own_ns: int = 0
    allocated_bytes: int = 0


@dataclass(slots=True)
class _Counting:
    """All passes of a counting run, and what they found."""

    case: CollectedCase
    options: PassOptions
    runner: asyncio.Runner
    alive: Callable[[], None]
    samples: dict[str, list[float]] = field(default_factory=dict)
    costs: dict[tuple[str, int, str], _Costs] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    _last: CaseResult | None = None
    _spans: bool = False
    """Whether the case says itself what is timed."""

    def run(self) -> None:
        self.runner.get_loop()
        self._pass(None)
        if self._took_s > LONGEST_S:
            raise _Ended
        # What is there by now need not be looked through for garbage before each of the fifty passes that may follow.
        gc.collect()
        gc.freeze()
        self._count_calls()
        self.alive()
        tracemalloc.start(1)
        try:
            self._count_memory()
            self._find_slope()
        finally:
            tracemalloc.stop()

    def result(self) -> CaseResult:
        if self._last is None:
            raise RuntimeError("nothing was counted yet")
        if self._last.status is not Status.PASSED:
            return self._last
        if not self.samples:
            doubt = f"{self.case.info.id}: not counted, as a repetition takes more than {LONGEST_S:g} s"
            return replace(self._last, warnings=(*self._last.warnings, doubt))
        generation = Generation(samples=self.samples, functions=self._functions())
        return replace(self._last, generation=generation, findings=(*self._last.findings, *self.findings))

    def _functions(self) -> list[dict[str, Any]]:
        """Return the functions that did most, by any of the counts."""
        rows = [
            {"file": file, "line": line, "name": name, "calls": cost.calls, "own_ns": cost.own_ns}
            | {"allocated_bytes": cost.allocated_bytes}
            for (file, line, name), cost in self.costs.items()
        ]
        whole = {key: sum(row[key] for row in rows) or 1 for key in ("calls", "own_ns", "allocated_bytes")}  # type: ignore[misc]  # numbers, all three
        rows.sort(key=lambda row: -max(row[key] / whole[key] for key in whole))  # type: ignore[operator]  # as above
        return rows[:MOST_FUNCTIONS]

    @property
    def _took_s(self) -> float:
        return 0.0 if self._last is None else self._last.duration_s

    def _count_calls(self) -> None:
        for number in range(2):
            counter = CallCounter(_is_harness)
            self._pass(counter)
            functions = counter.functions()
            self._add("function_calls", counter.calls)
            self._add("loop_iterations", counter.turns)
            self._add("loop_handles", counter.handles)
            for each in functions:
                cost = self._costs_of(each)
                cost.own_ns = each.own_ns if number == 0 else min(cost.own_ns, each.own_ns)
                cost.calls = max(cost.calls, each.calls) if number else cost.calls + each.calls
            if self._took_s > TWICE_S:
                break

    def _count_memory(self) -> None:
        """Count what is asked for, or where that are too many lines only the most that is held."""
        first = AllocationCounter(_left_out)
        self._pass(first)  # What tracing itself needs is made in it.
        by_line = not first.gave_up
        self.alive()
        for number in range(2):
            if not by_line:
                peak = PeakCounter()
                self._pass(peak)
                self._add("allocated_peak_bytes", peak.peak_bytes)
            else:
                counter = AllocationCounter(_left_out)
                self._pass(counter)
                if counter.gave_up:
                    break
                functions = counter.functions()
                self._add("allocated_bytes", sum(each.allocated_bytes for each in functions))
                self._add("allocated_peak_bytes", counter.peak_bytes)
                for each in functions if number == 0 else ():
                    self._costs_of(each).allocated_bytes += each.allocated_bytes
            self.alive()
            if self._took_s > TWICE_S:
                break

    def _find_slope(self) -> None:
        """See whether each pass leaves memory behind, beside what an empty case leaves."""
        self._pass(None)
        if self._took_s > SLOPE_S:
            return
        empty = steady_slope(self._held(empty_case(self.case.info)))
        slope = steady_slope(self._held(self.case))
        if slope is None or empty is None:
            return
        grown = max(0.0, slope.bytes - max(0.0, empty.bytes)) if slope.steady else 0.0
        self._add("memory_slope_bytes", round(grown))
        if grown >= LEAK_BYTES:
            bounds = f"{format_bytes(slope.low_bytes)} to {format_bytes(slope.high_bytes)}"
            self.findings = (f"memory: each repetition leaves {format_bytes(grown)} behind ({bounds})",)

    def _held(self, case: CollectedCase) -> Sequence[int]:
        """Return what was held after each of some passes; what ``_last`` is stays that of the case itself."""
        # Of a fixed size: a list of them would grow with each pass, and be traced.
        held = array("q", bytes(8 * SLOPE_PASSES))
        for number in range(SLOPE_PASSES):
            if case is self.case:
                self._pass(None)
                self.alive()
            else:
                Pass(case, self.options, LatencyRecorder()).run(self.runner)
            gc.collect()
            held[number] = tracemalloc.get_traced_memory()[0]
        return held

    def _add(self, name: str, value: float) -> None:
        self.samples.setdefault(name, []).append(float(value))

    def _costs_of(self, function: FunctionCalls | FunctionAllocations) -> _Costs:
        return self.costs.setdefault((project_file(function.file), function.line, function.name), _Costs())

    def _pass(self, counter: Counter | None) -> None:
        """Pass once, under ``counter`` where there is one."""
        single = Pass(self.case, self.options, LatencyRecorder())
        single.context.counted = True
        if counter is not None and self._spans:
            single.context.stopwatch = _CountedStopwatch(counter)
        elif counter is not None:
            single.whole = _CountedStopwatch(counter)
        gc.collect()
        single.run(self.runner)
        self._last = single.result()
        self._spans = self._spans or single.context.stopwatch.spans > 0
        if self._last.status is not Status.PASSED:
            if counter is not None:
                counter.stop()
            raise _Ended


class _CountedStopwatch(Stopwatch):
    """Counts while it runs."""

    __slots__ = ("_counter",)

    def __init__(self, counter: Counter) -> None:
        super().__init__()
        self._counter = counter

    def start(self) -> None:
        super().start()
        self._counter.start()

    def stop(self) -> int:
        self._counter.stop()
        return super().stop()


def _is_harness(file: str) -> bool:
    return own_file(file) or file in COUNTING


def _left_out(file: str, name: str) -> bool:
    return _is_harness(file) or is_turning(file, name)
