"""One command in one child: asked, watched for as long as it takes, and answered for whatever happens to the child."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any, Final

from wfrun.runner.child.messages import CaseResult, Status
from wfrun.runner.child.process import ChildDied, ChildProcess
from wfrun.runner.run.death import MemoryKills, explain_death
from wfrun.runner.run.in_process import InProcess
from wfrun.runner.run.memory_limit import MemoryLimit
from wfrun.runner.run.outcomes import CapturedOutput, Outcome, captured, outcome_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from wfrun.runner.options import Limits
    from wfrun.runner.plan.planned import PlannedCase
    from wfrun.runner.run.stopping import StopControl
    from wfrun.runner.run.wide import WideState

    Host = ChildProcess | InProcess
    """Where a case runs."""

__all__ = ["REACTION_S", "Host", "Watch"]

REACTION_S: Final = 3.0
"""A child stops its own cases; this long after it should have, the parent does."""
INTERRUPT_REACTION_S: Final = 1.0
"""The same after Ctrl-C, when somebody waits."""
LOOK_S: Final = 0.2
"""A Ctrl-C shortens what is waited for, so look at least this often."""


class Watch:
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
        self._ended: list[Outcome] = []
        """Those that nobody has taken yet."""
        self._goes_on = True
        """Whether the child begins another case, if there is one."""
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
        return result, captured(self._child.take_output())

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

    async def batches(
        self, command: dict[str, Any], started: Callable[[PlannedCase], None]
    ) -> AsyncIterator[list[Outcome]]:
        """Ask for all cases and yield each outcome, those together that came together.

        The last may be that of a case that ended the child.
        """
        started(self._cases[0])
        with self._stop.holding(self._child):
            asking = self._ask(command, pauses=True)
            async with self._memory_watched():
                while not asking.done() or self._ended:
                    if self._ended:
                        batch, self._ended = self._ended, []
                        first, self.done = self.done, self.done + len(batch)
                        following = self._cases[first + 1 : self.done + self._goes_on]
                        yield batch
                        for case in following:
                            started(case)
                    if not asking.done():
                        await self._look(asking)
            try:
                asking.result()
            except ChildDied as death:
                if self.done < len(self._cases):
                    case = self._cases[self.done]
                    self.done += 1
                    yield [outcome_of(case, *self._of_death(case, death), self.unfinished_teardowns)]

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
            if not asking.done() and not self._ended:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(LOOK_S, due_s - now_s)):
                        await self._stirred.wait()
            return
        await asyncio.wait((asking,))

    def _on_event(self, event: dict[str, Any]) -> None:
        self._heard_s = time.monotonic()
        if "result" in event:
            result = CaseResult.from_json(event["result"])
            case = self._cases[self.done + len(self._ended)]
            output = captured(self._child.take_output())
            self._ended.append(outcome_of(case, result, output, self.unfinished_teardowns))
            self._goes_on = not event["last"]
            self.unfinished_teardowns = ()
            self._heed_user(result)
        elif "teardowns" in event:
            self.unfinished_teardowns = event["teardowns"]
        else:
            self._wide.on_event(event)
        self._stirred.set()

    def _heed_user(self, result: CaseResult) -> None:
        if isinstance(self._child, InProcess) and self._child.ended_by_user:
            # There Ctrl-C, and leaving the debugger, arrive at the case first.
            self._stop.end(interrupted=result.status is Status.INTERRUPTED)

    def _of_death(self, case: PlannedCase, death: ChildDied) -> tuple[CaseResult, CapturedOutput]:
        lost = self._wide.died(case.info.id, death.how.partition(" in the middle")[0])
        self.unfinished_teardowns = (*self.unfinished_teardowns, *lost)
        output = captured(self._child.take_output())
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
