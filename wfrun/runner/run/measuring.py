"""Measured cases: several fresh processes each, in rounds, one process at a time.

Rounds, not case after case: a bad stretch of a shared machine then touches one process of many cases instead of every
process of one, and pooling over processes forgets it. The core changes with every round.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from wfrun.runner.child.messages import CaseResult, Status
from wfrun.runner.child.sampling import SamplingOptions
from wfrun.runner.run.events import CaseStarted, GenerationFinished, RunEvent
from wfrun.runner.run.outcomes import CapturedOutput, Outcome, outcome_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from wfrun.runner.child.messages import Generation
    from wfrun.runner.options import Limits, MeasureProtocol
    from wfrun.runner.plan.planned import PlannedCase
    from wfrun.runner.run.stopping import StopControl
    from wfrun.runner.run.worker import CaseRunner

__all__ = ["Measuring", "measure_cases"]

CONTROLS: Final = 3
"""Processes of an empty case for each suite file: their memory differs by some pages."""


class Measuring(Protocol):
    """Measures cases, as :func:`measure_cases` does."""

    async def __call__(
        self,
        cases: Sequence[PlannedCase],
        limits: Limits,
        stop: StopControl,
        listener: Callable[[RunEvent], None],
        deliver: Callable[[list[Outcome]], Awaitable[None]],
        *,
        runner: CaseRunner,
    ) -> None:
        """Deliver one outcome for each case, also where the run stops meanwhile."""


async def measure_cases(
    cases: Sequence[PlannedCase],
    limits: Limits,
    stop: StopControl,
    listener: Callable[[RunEvent], None],
    deliver: Callable[[list[Outcome]], Awaitable[None]],
    *,
    runner: CaseRunner,
) -> None:
    """Measure ``cases`` and deliver one outcome for each, at the latest after the last round.

    A case whose process fails is delivered at once and not started again. When the run stops, what was measured so
    far is delivered with the outcome.
    """
    sampler = _Sampler(limits, stop, runner)
    rounds = limits.protocol.generations
    open_cases = []
    for case in cases:
        if case.info.skip is None:
            open_cases.append(case)
        else:
            await deliver([Outcome(case, Status.SKIPPED, 0.0, case.info.skip)])
    for number in range(rounds):
        for case in tuple(open_cases):
            if stop.no_more:
                break
            if number == 0:
                listener(CaseStarted(case, 0))
            outcome = await sampler.sample(case, number)
            if outcome is not None:
                open_cases.remove(case)
                await deliver([outcome])
            else:
                listener(GenerationFinished(case, number + 1, rounds))
    for case in open_cases:
        if not stop.no_more:
            await sampler.count(case)
        await deliver([sampler.outcome(case, complete=not stop.no_more)])


class _Sampler:
    """Collects the generations of every case, and of an empty case for every suite file."""

    def __init__(self, limits: Limits, stop: StopControl, runner: CaseRunner) -> None:
        self._limits = limits
        self._stop = stop
        self._runner = runner
        self._cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        self._results: dict[str, list[CaseResult]] = defaultdict(list)
        self._outputs: dict[str, CapturedOutput] = {}
        self._controls: dict[str, dict[int, Generation]] = defaultdict(dict)
        self._counted: dict[str, CaseResult] = {}

    async def sample(self, case: PlannedCase, number: int) -> Outcome | None:
        """Run round ``number`` of ``case``; an outcome means that it is over."""
        core = self._cores[number % len(self._cores)] if self._cores else None
        await self._control(case, number, core)
        options = _options(self._limits.protocol, core if case.info.pinned else None)
        result, output = await self._runner.run_fresh(case, options)
        self._outputs[case.info.id] = output
        if result.status is not Status.PASSED:
            return replace(
                outcome_of(case, result, output, self._runner.unfinished_teardowns),
                generations=self._generations(case),
            )
        self._results[case.info.id].append(result)
        return None

    async def count(self, case: PlannedCase) -> None:
        """Count what a repetition of ``case`` does, after its times were taken."""
        self._counted[case.info.id], _ = await self._runner.count(case)

    def outcome(self, case: PlannedCase, *, complete: bool) -> Outcome:
        """Return what all rounds of ``case`` together say."""
        results = self._results[case.info.id]
        if not results:
            return Outcome(case, Status.NOT_RUN, 0.0, "the session ended before its turn")
        last = results[-1]
        counted = self._counted.get(case.info.id)
        return replace(
            outcome_of(case, last, self._outputs[case.info.id]),
            status=Status.PASSED if complete else Status.INTERRUPTED if self._stop.interrupted else Status.NOT_RUN,
            message=""
            if complete
            else f"stopped after {len(results)} of {self._limits.protocol.generations} processes",
            duration_s=sum(result.duration_s for result in results),
            generations=self._generations(case),
            control=tuple(self._controls[case.info.file].values()),
            counted=None if counted is None else counted.generation,
            findings=(*last.findings, *(() if counted is None else counted.findings)),
            warnings=(*last.warnings, *_doubts(case, counted)),
        )

    def _generations(self, case: PlannedCase) -> tuple[Generation, ...]:
        return tuple(r.generation for r in self._results[case.info.id] if r.generation is not None)

    async def _control(self, case: PlannedCase, number: int, core: int | None) -> None:
        """Measure an empty case for every suite file, in the first rounds: the memory that is not the case's."""
        controls = self._controls[case.info.file]
        if number in controls or number >= CONTROLS:
            return
        options = SamplingOptions(sampling_s=0.0, min_repetitions=3, max_repetitions=3, cpu=core)
        result, _ = await self._runner.run_fresh(case, options, control=True)
        if result.generation is not None:
            controls[number] = result.generation


def _doubts(case: PlannedCase, counted: CaseResult | None) -> tuple[str, ...]:
    """Return why a case has no counts: a case may not stand being slowed down, and is none the worse for it."""
    if counted is None or counted.generation is not None:
        return ()
    if counted.status is Status.PASSED:
        return counted.warnings
    why = counted.message or counted.status.value
    if counted.status is Status.FAILED:
        why += " (bars on speed belong behind `not context.counted`)"
    return (f"{case.info.id}: not counted, as under the counters it {_HOW[counted.status]}: {why}",)


_HOW: Final = defaultdict(lambda: "failed", {Status.TIMED_OUT: "took too long", Status.CRASHED: "crashed"})


def _options(protocol: MeasureProtocol, core: int | None) -> SamplingOptions:
    return SamplingOptions(
        sampling_s=protocol.sampling_s,
        min_repetitions=protocol.min_repetitions,
        max_repetitions=protocol.max_repetitions,
        cpu=core,
    )
