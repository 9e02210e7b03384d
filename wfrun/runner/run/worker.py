"""One case in one child: asked, watched, and turned into an outcome whatever happens to the child."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from wfrun.runner.child.messages import CaseResult, Status
from wfrun.runner.child.process import ChildDied, ChildProcess
from wfrun.runner.run.death import MemoryKills, explain_death
from wfrun.runner.run.in_process import InProcess
from wfrun.runner.run.outcomes import CapturedOutput, Outcome
from wfrun.runner.run.tools import tools_of

if TYPE_CHECKING:
    from collections.abc import Sequence

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


class CaseRunner:
    """Runs cases one after another, in a child that is kept warm or in a fresh one each."""

    def __init__(self, limits: Limits, stop: StopControl) -> None:
        self._limits = limits
        self._stop = stop
        self._warm: Host | None = None
        self.unfinished_teardowns: Sequence[str] = ()
        """Of the case that ran last: tear-downs that failed or never came to their end."""
        self._heard_s = 0.0
        self._memory_kills = MemoryKills()

    async def run_warm(self, case: PlannedCase) -> Outcome:
        """Run ``case`` once, in this runner's own child unless it asks for a fresh one."""
        if case.info.own_process:
            return outcome_of(case, *await self.run_fresh(case), self.unfinished_teardowns)
        if self._warm is None or not self._warm.alive:
            self._warm = self._start()
        result, output = await self._run_in(self._warm, case, self._command(case))
        if not self._warm.alive or result.status is Status.TIMED_OUT or self.unfinished_teardowns:
            # What was left half-way may still be there, so the next case gets another process.
            await self.close()
        return outcome_of(case, result, output, self.unfinished_teardowns)

    async def run_fresh(
        self, case: PlannedCase, sampling: SamplingOptions | None = None, *, control: bool = False
    ) -> tuple[CaseResult, CapturedOutput]:
        """Run or sample ``case`` in a child of its own; ``control`` samples an empty case in its place."""
        child = self._start()
        try:
            return await self._run_in(child, case, self._command(case, sampling, control=control))
        finally:
            await child.close()

    async def close(self) -> None:
        """End the warm child."""
        if self._warm is not None:
            await self._warm.close()
            self._warm = None

    def _start(self) -> Host:
        tools = self._limits.tools
        return InProcess() if tools.in_process else ChildProcess(self._limits.output_bytes, capture=tools.capture)

    def _command(
        self, case: PlannedCase, sampling: SamplingOptions | None = None, *, control: bool = False
    ) -> dict[str, Any]:
        tools = self._limits.tools
        return {
            "do": "run",
            "id": case.info.id,
            "file": case.info.file,
            "digest": case.info.digest(),
            "seed": case.seed,
            "timeout_s": NO_LIMIT_S if tools.pdb else case.timeout_s,
            "teardown_grace_s": NO_LIMIT_S if tools.pdb else self._limits.teardown_grace_s,
            "targets": dict(self._limits.targets),
            "tools": tools_of(tools),
            "sampling": None if sampling is None else asdict(sampling),
            "control": control,
        }

    async def _run_in(
        self, child: Host, case: PlannedCase, command: dict[str, Any]
    ) -> tuple[CaseResult, CapturedOutput]:
        self.unfinished_teardowns = ()
        self._heard_s = started_s = time.monotonic()
        with self._stop.holding(child):
            asking = asyncio.ensure_future(child.ask(command, self._on_event))
            patience = await self._wait(asking, child, case)
            try:
                result = CaseResult.from_json(await asking)
            except ChildDied as death:
                duration_s = time.monotonic() - started_s
                return self._of_death(case, death, patience, duration_s, CapturedOutput(*child.take_output()))
        if isinstance(child, InProcess) and child.ended_by_user:
            # There Ctrl-C, and leaving the debugger, arrive at the case first.
            self._stop.end(interrupted=result.status is Status.INTERRUPTED)
        return result, CapturedOutput(*child.take_output())

    async def _wait(self, asking: asyncio.Future[Any], child: Host, case: PlannedCase) -> str:
        """Wait until the child has answered or is dead; return why it had to be killed, or nothing."""
        at_once = asyncio.ensure_future(self._stop.at_once.wait())
        interrupted_s: float | None = None
        try:
            while not asking.done():
                now_s = time.monotonic()
                if self._stop.interrupted and interrupted_s is None:
                    interrupted_s = now_s
                patience_s = case.timeout_s + self._limits.teardown_grace_s + REACTION_S
                due_s = self._heard_s + patience_s
                if interrupted_s is not None:
                    due_s = min(due_s, interrupted_s + self._limits.teardown_grace_s + INTERRUPT_REACTION_S)
                if at_once.done():
                    await child.kill()
                    return "Ctrl-C was pressed twice"
                if now_s >= due_s:
                    await child.kill_with_stacks()
                    return "interrupted" if interrupted_s is not None else "out of time"
                # A Ctrl-C shortens the wait, so look again at least this often.
                await asyncio.wait(
                    (asking, at_once), timeout=min(0.2, due_s - now_s), return_when=asyncio.FIRST_COMPLETED
                )
            return ""
        finally:
            at_once.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await at_once

    def _on_event(self, event: dict[str, Any]) -> None:
        self._heard_s = time.monotonic()
        if "teardowns" in event:
            self.unfinished_teardowns = event["teardowns"]

    def _of_death(
        self, case: PlannedCase, death: ChildDied, patience: str, duration_s: float, output: CapturedOutput
    ) -> tuple[CaseResult, CapturedOutput]:
        known = explain_death(death.how, output, memory_ran_out=self._memory_kills.happened())
        if self._stop.interrupted:
            status, message = Status.INTERRUPTED, f"interrupted: {patience or death.how}"
        elif patience:
            status = Status.TIMED_OUT
            message = f"still running after {case.timeout_s:g} s, and did not react to being stopped; killed"
        else:
            status, message = Status.CRASHED, known.message
        return CaseResult(case.info.id, status, duration_s, message, known.details), known.output


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
        warnings=result.warnings,
    )
