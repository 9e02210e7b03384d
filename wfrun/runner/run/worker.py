"""Cases in a child: asked, watched, and turned into outcomes whatever happens to the child."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

from wfrun.authoring.declarations import Scope
from wfrun.runner.child.messages import CaseResult, FixtureFailure, Status
from wfrun.runner.child.process import ChildDied, ChildProcess
from wfrun.runner.run.death import MemoryKills, explain_death
from wfrun.runner.run.in_process import InProcess
from wfrun.runner.run.memory_limit import MemoryLimit
from wfrun.runner.run.outcomes import Attempt, CapturedOutput, Outcome
from wfrun.runner.run.shared import SharedFixtures
from wfrun.runner.run.tools import tools_of
from wfrun.runner.run.wide import WideState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from wfrun.runner.child.sample import SamplingOptions
    from wfrun.runner.options import Limits
    from wfrun.runner.plan.planned import PlannedCase
    from wfrun.runner.run.stopping import StopControl

    Host = ChildProcess | InProcess
    """Where a case runs."""

__all__ = ["CaseRunner", "outcome_of"]

REACTION_S: Final = 3.0
"""A child stops its own cases; this long after it should have, the parent does."""
NO_LIMIT_S: Final = 1e8
"""Three years: what a debugger is given."""
INTERRUPT_REACTION_S: Final = 1.0
"""The same after Ctrl-C, when somebody waits."""
LOOK_S: Final = 0.2
"""A Ctrl-C shortens what is waited for, so look at least this often."""


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
        deliver: Callable[[Outcome], Awaitable[None]],
    ) -> int:
        """Run ``cases`` one after another in this runner's own child; return how many have been.

        That is fewer than all when the run stops or the next case needs another child: call again with the rest. The
        child is given all of them at once and goes on by itself, so that a short case costs no round trip.

        Args:
            cases: At least one; none that asks for a process of its own.
            started: Told as each begins.
            deliver: Given each outcome, in order.
        """
        values, refused = await self._shared.values_for(cases[0])
        if refused is not None:
            started(cases[0])
            await deliver(outcome_of(cases[0], refused, CapturedOutput()))
            return 1
        if self._warm is None or not self._warm.alive:
            self._warm = self._start()
            self._warm_ran = []
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
        outcome: Outcome | None = None
        async for ended in watch.outcomes(command, started):
            history.append(ended.case)
            outcome = await self._blamed(ended)
            if outcome.status.bad:  # of the others nobody asks, and a copy is dear where there are thousands
                await deliver(replace(outcome, process_cases=history, place=len(history) - 1))
            else:
                await deliver(outcome)
            self._tell_failures(self._wide)
        if outcome is not None:
            self.unfinished_teardowns = outcome.unfinished_teardowns
            if not self._warm.alive or outcome.status is Status.TIMED_OUT or self.unfinished_teardowns:
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
        values, refused = await self._shared.values_for(case)
        if refused is not None:
            return refused, CapturedOutput()
        child = self._start()
        wide = WideState(self._wide.broken)
        command = {
            "do": "run",
            **self._common(),
            **self._single(case),
            "shared": values,
            "sampling": None if sampling is None else asdict(sampling),
            "control": control,
        }
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

    def _watch(self, child: Host, cases: Sequence[PlannedCase], wide: WideState, limit_s: float = 0.0) -> _Watch:
        return _Watch(child, cases, self._limits, self._stop, self._memory_kills, wide=wide, limit_s=limit_s)

    @property
    def _grace_s(self) -> float:
        return NO_LIMIT_S if self._limits.tools.pdb else self._limits.teardown_grace_s

    def _start(self) -> Host:
        tools = self._limits.tools
        return InProcess() if tools.in_process else ChildProcess(self._limits.output_bytes, capture=tools.capture)

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


class _Watch:
    """One command in one child, from asking to the last result."""

    def __init__(
        self,
        child: Host,
        cases: Sequence[PlannedCase],
        limits: Limits,
        stop: StopControl,
        memory_kills: MemoryKills,
        *,
        wide: WideState,
        limit_s: float = 0.0,
    ) -> None:
        self._wide = wide
        self._limit_s = limit_s
        """How long what is no case may take."""
        self._child = child
        self._cases = cases
        self._limits = limits
        self._stop = stop
        self._memory_kills = memory_kills
        self._memory_limit = MemoryLimit(limits.max_memory_bytes)
        self._stirred = asyncio.Event()
        self._results: deque[tuple[CaseResult, CapturedOutput, Sequence[str], bool]] = deque()
        self._heard_s = time.monotonic()
        self._interrupted_s: float | None = None
        self._let_finish = False
        self._patience = ""
        """Why the child had to be killed."""
        self.unfinished_teardowns: Sequence[str] = ()
        self.done = 0
        """How many of the cases have their outcome."""

    async def result(self, command: dict[str, Any]) -> tuple[CaseResult, CapturedOutput]:
        """Ask for the one case and return its result."""
        with self._stop.holding(self._child):
            asking = self._ask(command)
            async with self._memory_watched():
                while not asking.done():
                    await self._look(asking)
            try:
                result = CaseResult.from_json(asking.result())
            except ChildDied as death:
                return self._of_death(self._cases[0], death)
        self._heed_user(result)
        return result, CapturedOutput(*self._child.take_output())

    async def done_or_dead(self, command: dict[str, Any]) -> str:
        """Ask for what is no case, and return how the child ended if it did."""
        with self._stop.holding(self._child):
            asking = self._ask(command)
            while not asking.done():
                await self._look(asking)
            try:
                asking.result()
            except ChildDied as death:
                how = death.how.partition(" in the middle")[0]
                return f"did not end, and was killed ({self._patience})" if self._patience else how
        return ""

    async def outcomes(self, command: dict[str, Any], started: Callable[[PlannedCase], None]) -> AsyncIterator[Outcome]:
        """Ask for all cases and yield each outcome; the last may be that of a case that ended the child."""
        started(self._cases[0])
        with self._stop.holding(self._child):
            asking = self._ask(command, pauses=True)
            async with self._memory_watched():
                while not asking.done() or self._results:
                    while self._results:
                        result, output, unfinished, last = self._results.popleft()
                        case = self._cases[self.done]
                        self.done += 1
                        self._heed_user(result)
                        yield outcome_of(case, result, output, unfinished)
                        if not last and self.done < len(self._cases):
                            started(self._cases[self.done])
                    if not asking.done():
                        await self._look(asking)
            try:
                asking.result()
            except ChildDied as death:
                if self.done < len(self._cases):
                    case = self._cases[self.done]
                    self.done += 1
                    yield outcome_of(case, *self._of_death(case, death), self.unfinished_teardowns)

    def _memory_watched(self) -> AbstractAsyncContextManager[None]:
        # In this very process there is nothing that could be killed; the command line refuses the limit there.
        if isinstance(self._child, InProcess):
            return contextlib.nullcontext()
        return self._memory_limit.watching(self._child)

    def _ask(self, command: dict[str, Any], *, pauses: bool = False) -> asyncio.Future[dict[str, Any]]:
        asking = asyncio.ensure_future(self._child.ask(command, self._on_event, pauses=pauses))
        asking.add_done_callback(lambda _: self._stirred.set())
        return asking

    async def _look(self, asking: asyncio.Future[Any]) -> None:
        """Wait for something to happen, or until it is time to lose patience with the child."""
        now_s = time.monotonic()
        if self._stop.no_more and not self._let_finish:
            self._let_finish = True
            self._child.let_finish()
        if self._stop.interrupted and self._interrupted_s is None:
            self._interrupted_s = now_s
        limit_s = self._cases[min(self.done, len(self._cases) - 1)].timeout_s if self._cases else self._limit_s
        due_s = self._heard_s + limit_s + self._limits.teardown_grace_s + REACTION_S
        if self._interrupted_s is not None:
            due_s = min(due_s, self._interrupted_s + self._limits.teardown_grace_s + INTERRUPT_REACTION_S)
        if self._stop.at_once.is_set():
            self._patience = "Ctrl-C was pressed twice"
            await self._child.kill()
        elif now_s >= due_s:
            self._patience = "interrupted" if self._interrupted_s is not None else "out of time"
            await self._child.kill_with_stacks()
        else:
            self._stirred.clear()
            if not asking.done() and not self._results:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(LOOK_S, due_s - now_s)):
                        await self._stirred.wait()
            return
        await asyncio.wait((asking,))

    def _on_event(self, event: dict[str, Any]) -> None:
        self._heard_s = time.monotonic()
        self._wide.on_event(event)
        if "teardowns" in event:
            self.unfinished_teardowns = event["teardowns"]
        elif "result" in event:
            output = CapturedOutput(*self._child.take_output())
            result = CaseResult.from_json(event["result"])
            self._results.append((result, output, self.unfinished_teardowns, event["last"]))
            self.unfinished_teardowns = ()
        self._stirred.set()

    def _heed_user(self, result: CaseResult) -> None:
        if isinstance(self._child, InProcess) and self._child.ended_by_user:
            # There Ctrl-C, and leaving the debugger, arrive at the case first.
            self._stop.end(interrupted=result.status is Status.INTERRUPTED)

    def _of_death(self, case: PlannedCase, death: ChildDied) -> tuple[CaseResult, CapturedOutput]:
        lost = self._wide.died(case.info.id, death.how.partition(" in the middle")[0])
        self.unfinished_teardowns = (*self.unfinished_teardowns, *lost)
        output = CapturedOutput(*self._child.take_output())
        known = explain_death(death.how, output, memory_ran_out=self._memory_kills.happened())
        if self._stop.interrupted:
            status, message = Status.INTERRUPTED, f"interrupted: {self._patience or death.how}"
        elif self._patience:
            status = Status.TIMED_OUT
            message = f"still running after {case.timeout_s:g} s, and did not react to being stopped; killed"
        else:
            status, message = Status.CRASHED, self._memory_limit.exceeded or known.message
        duration_s = time.monotonic() - self._heard_s
        return CaseResult(case.info.id, status, duration_s, message, known.details), known.output


def _attempt(outcome: Outcome) -> Attempt:
    return Attempt(outcome.status, outcome.duration_s, outcome.message, outcome.details, outcome.output)


def outcome_of(
    case: PlannedCase, result: CaseResult, output: CapturedOutput, unfinished_teardowns: Sequence[str] = ()
) -> Outcome:
    """Return what became of ``case`` in one pass."""
    return Outcome(
        case=case,
        status=result.status,
        duration_s=result.duration_s,
        message=result.message,
        details=result.details,
        output=output,
        items=result.items,
        notes=result.notes,
        unfinished_teardowns=tuple(unfinished_teardowns),
        findings=result.findings,
        attachments=result.attachments,
        warnings=result.warnings,
    )
