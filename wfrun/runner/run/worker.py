"""Cases in a child: asked, watched, and turned into outcomes whatever happens to the child."""

from __future__ import annotations

import asyncio
import os
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

from wfrun.authoring.declarations import Scope
from wfrun.runner.child.messages import CaseResult, FixtureFailure, Status
from wfrun.runner.child.process import HERE, ChildProcess, Place
from wfrun.runner.run.death import MemoryKills
from wfrun.runner.run.in_process import InProcess
from wfrun.runner.run.outcomes import NO_OUTPUT, Attempt, CapturedOutput, Outcome, outcome_of
from wfrun.runner.run.shared import SharedFixtures
from wfrun.runner.run.tools import tools_of
from wfrun.runner.run.watch import REACTION_S, Watch
from wfrun.runner.run.wide import WideState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from wfrun.runner.child.sampling import SamplingOptions
    from wfrun.runner.options import Limits
    from wfrun.runner.plan.planned import PlannedCase
    from wfrun.runner.run.stopping import StopControl
    from wfrun.runner.run.watch import Host

__all__ = ["CaseRunner"]

NO_LIMIT_S: Final = 1e8
"""Three years: what a debugger is given."""


class CaseRunner:
    """Runs cases one after another, in a child that is kept warm or in a fresh one each."""

    def __init__(
        self,
        limits: Limits,
        stop: StopControl,
        on_fixture_failure: Callable[[FixtureFailure], None] = lambda _: None,
        shared: SharedFixtures | None = None,
    ) -> None:
        self._limits = limits
        self._on_fixture_failure = on_fixture_failure
        self._shared = shared or SharedFixtures(limits, on_fixture_failure)
        self._wide = WideState()
        self._stop = stop
        self._warm: Host | None = None
        self._warm_ran: list[PlannedCase] = []
        self.unfinished_teardowns: Sequence[str] = ()
        """Of the case that ran last: tear-downs that failed or never came to their end."""
        self._memory_kills = MemoryKills()

    async def run_warm(
        self,
        cases: Sequence[PlannedCase],
        started: Callable[[PlannedCase], None],
        deliver: Callable[[list[Outcome]], Awaitable[None]],
    ) -> int:
        """Run ``cases`` one after another in this runner's own child; return how many have been.

        That is fewer than all when the run stops or the next case needs another child: call again with the rest. The
        child is given all of them at once and goes on by itself, so that a short case costs no round trip.

        Args:
            cases: At least one; none that asks for a process of its own.
            started: Told as each begins.
            deliver: Given each outcome, in order, those together that came together.
        """
        values, refused = await self._shared.values_for(cases[0])
        if refused is not None:
            started(cases[0])
            await deliver([outcome_of(cases[0], refused)])
            return 1
        if self._warm is None or not self._warm.alive:
            self._warm = self._start()
            self._warm_ran = []
            # What is asked of it may be more than fits into a pipe: other workers start theirs before this one waits.
            await asyncio.sleep(0)
        limits, history = self._limits, self._warm_ran
        command = {
            "do": "run_many",
            "mark": self._warm.mark,
            # A failure that is tried again is tried while nothing else of its suite runs.
            "fail_fast": limits.fail_fast or limits.until_failed or limits.retries > 0,
            "common": {**self._common(), "shared": values},
            "cases": [self._single(case) for case in cases],
        }
        watch = self._watch(self._warm, cases, self._wide)
        last: Outcome | None = None
        async for batch in watch.batches(command, started):
            for number, outcome in enumerate(batch):
                history.append(outcome.case)
                if outcome.status.bad:  # of the others nobody asks, and a copy is dear where there are thousands
                    blamed = await self._blamed(outcome)
                    batch[number] = replace(blamed, process_cases=history, place=len(history) - 1)
            last = batch[-1]
            await deliver(batch)
            self._tell_failures(self._wide)
        if last is not None:
            self.unfinished_teardowns = last.unfinished_teardowns
            if not self._warm.alive or last.status is Status.TIMED_OUT or self.unfinished_teardowns:
                # What was left half-way may still be there, so the next case gets another process.
                await self.close()
        return watch.done

    async def try_again(self, first: Outcome) -> Outcome:
        """Run a case that failed again, each time in a fresh process, as often as the limits allow.

        Passing then makes it flaky. What ran before the first attempt is kept with the outcome, as it may be the
        reason.
        """
        outcome, attempts = first, list[Attempt]()
        while outcome.status.bad and len(attempts) < self._limits.retries and not self._stop.no_more:
            result, output = await self.run_fresh(first.case)
            if result.status is Status.INTERRUPTED:
                break
            attempts.append(_attempt(outcome))
            outcome = outcome_of(first.case, result, output, self.unfinished_teardowns)
        status = Status.FLAKY if attempts and outcome.status is Status.PASSED else outcome.status
        return replace(
            outcome, status=status, attempts=tuple(attempts), process_cases=first.process_cases, place=first.place
        )

    async def run_fresh(
        self, case: PlannedCase, sampling: SamplingOptions | None = None, *, control: bool = False
    ) -> tuple[CaseResult, CapturedOutput]:
        """Run or sample ``case`` in a child of its own; ``control`` samples an empty case in its place."""
        asked = {"do": "run", "sampling": None if sampling is None else asdict(sampling), "control": control}
        return await self._in_fresh(case, asked)

    def fixture_failed(self, failure: FixtureFailure) -> None:
        """Tell of a tear-down that failed after its cases had their results."""
        self._on_fixture_failure(failure)

    async def count(
        self, case: PlannedCase, place: Place = HERE, file: str | None = None
    ) -> tuple[CaseResult, CapturedOutput]:
        """Pass over a measured ``case`` under counters, in a child of its own; the counts are the result's generation.

        The child always has the same hash seed, unless the user chose one, so that sets are gone through in one order.

        Args:
            case: What is counted.
            place: Where the child runs.
            file: The suite file there, whose case may be another one than was planned; ``None`` for the planned one.
        """
        seed = {} if os.environ.get("PYTHONHASHSEED") else {"PYTHONHASHSEED": "0"}
        elsewhere = {} if file is None else {"file": file, "digest": ""}
        return await self._in_fresh(
            case, {"do": "count", **elsewhere}, replace(place, environment={**place.environment, **seed})
        )

    async def _in_fresh(
        self, case: PlannedCase, asked: dict[str, Any], place: Place = HERE
    ) -> tuple[CaseResult, CapturedOutput]:
        values, refused = await self._shared.values_for(case)
        if refused is not None:
            return refused, NO_OUTPUT
        child = self._start(place)
        wide = WideState(self._wide.broken)
        command = {**self._common(), **self._single(case), "shared": values, **asked}
        watch = self._watch(child, (case,), wide)
        try:
            result, output = await watch.result(command)
            self.unfinished_teardowns = watch.unfinished_teardowns
            return await self._shared.blamed(case, result), output
        finally:
            await self._tear_down(child, Scope.SESSION, wide)
            await child.close()
            self._wide.broken |= wide.broken

    async def leave_suite(self) -> None:
        """Tear down what lives as long as a suite file: its last case is over."""
        if self._warm is not None:
            await self._tear_down(self._warm, Scope.SUITE, self._wide)
        self._wide.left(Scope.SUITE)

    async def close(self) -> None:
        """End the warm child, after everything in it is torn down."""
        if self._warm is not None:
            await self._tear_down(self._warm, Scope.SESSION, self._wide)
            await self._warm.close()
            self._warm = None

    async def _tear_down(self, child: Host, scope: Scope, wide: WideState) -> None:
        """Have ``child`` undo its fixtures that live no longer than ``scope``; what fails is told, never lost."""
        if wide.held and child.alive:
            held = wide.held
            watch = self._watch(child, (), wide, limit_s=len(held) * (self._grace_s + REACTION_S))
            command = {"do": "leave", "scope": scope, "teardown_grace_s": self._grace_s}
            if how := await watch.done_or_dead(command):
                lost = wide.died("", "") or held
                wide.failures.append(FixtureFailure(", ".join(lost), scope, how))
            if wide.failures:
                output = child.take_output()[0]
                wide.failures = [replace(failure, output=output) for failure in wide.failures]
        self._tell_failures(wide)

    async def _blamed(self, outcome: Outcome) -> Outcome:
        """Return ``outcome``, or that a shared fixture died underneath the case."""
        known = CaseResult(outcome.case.info.id, outcome.status, 0.0, outcome.message, outcome.details)
        judged = await self._shared.blamed(outcome.case, known)
        return replace(outcome, status=judged.status, message=judged.message, details=judged.details)

    def _tell_failures(self, wide: WideState) -> None:
        failures, wide.failures = wide.failures, []
        for failure in failures:
            self._on_fixture_failure(failure)

    def _watch(self, child: Host, cases: Sequence[PlannedCase], wide: WideState, limit_s: float = 0.0) -> Watch:
        return Watch(child, cases, self._limits, self._stop, self._memory_kills, wide=wide, limit_s=limit_s)

    @property
    def _grace_s(self) -> float:
        return NO_LIMIT_S if self._limits.tools.pdb else self._limits.teardown_grace_s

    def _start(self, place: Place = HERE) -> Host:
        tools = self._limits.tools
        if tools.in_process:
            return InProcess()
        return ChildProcess(self._limits.output_bytes, capture=tools.capture, place=place)

    def _common(self) -> dict[str, Any]:
        tools = self._limits.tools
        return {
            "teardown_grace_s": self._grace_s,
            "targets": dict(self._limits.targets),
            "tools": tools_of(tools),
            "repeating": self._limits.repeat != 1,
            "sampling": None,
            "control": False,
            "broken": self._wide.reasons(),
        }

    def _single(self, case: PlannedCase) -> dict[str, Any]:
        return {
            "id": case.info.id,
            "file": case.info.file,
            "digest": case.info.digest(),
            "seed": case.seed,
            "session_seed": case.session_seed,
            "timeout_s": NO_LIMIT_S if self._limits.tools.pdb else case.timeout_s,
        }


def _attempt(outcome: Outcome) -> Attempt:
    return Attempt(outcome.status, outcome.duration_s, outcome.message, outcome.details, outcome.output)
