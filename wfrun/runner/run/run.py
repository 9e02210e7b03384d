"""Planned cases to workers over one channel, outcomes back over another."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING, Any

from wfrun.concurrency.channel import Channel
from wfrun.concurrency.errors import ChannelError
from wfrun.runner.child.leftovers import end_leftovers
from wfrun.runner.child.messages import Status
from wfrun.runner.run.events import CaseFinished, CaseStarted, RunEvent, RunFinished, RunStarted
from wfrun.runner.run.ledger import audit
from wfrun.runner.run.measuring import measure_cases
from wfrun.runner.run.outcomes import Outcome, RunResult
from wfrun.runner.run.stopping import StopControl
from wfrun.runner.run.worker import CaseRunner, outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wfrun.runner.options import Limits
    from wfrun.runner.plan.planned import Plan, PlannedCase

__all__ = ["run_plan"]

TURNS = 8
"""A worker comes back for work at least so often, where there is so much."""
MOST_AHEAD = 100
"""Cases that a child is given at once; when the run stops, it finishes none but the one it is at."""


async def run_plan(
    plan: Plan,
    limits: Limits,
    listener: Callable[[RunEvent], None],
    channel_type: Callable[..., Channel[Any]] = Channel,
    *,
    confirming: bool = False,
) -> RunResult:
    """Run every case of ``plan`` and return its outcomes.

    Cases that are checked run side by side, the cases of one suite file in order on one worker. Measured cases follow,
    alone on the machine. Whatever the channels do, the result names every id that has not exactly one outcome.

    Args:
        plan: What to run.
        limits: Workers, time-outs, how to measure.
        listener: Told of everything as it happens; must not raise.
        channel_type: Makes the two channels; tests hand in broken ones.
        confirming: Whether the cases are measured a second time; told to the listener.
    """
    started_s = time.monotonic()
    stop = StopControl(listener, limits.teardown_grace_s)
    run = _Run(limits, stop, listener, channel_type)
    suites = _suite_files(plan)
    workers = max(1, min(limits.workers, len(suites)))
    assignments = _assignments(suites, workers)
    listener(RunStarted(plan, workers, confirming))
    with stop.listening():
        collecting = asyncio.create_task(run.collect())
        try:
            await run.check_all(assignments, workers)
            measured = [case for case in plan.cases if case.measured]
            await measure_cases(measured, limits, stop, listener, run.deliver)
        finally:
            run.outcomes_channel.close()
            await collecting
            end_leftovers()
    faults = (*dict.fromkeys(run.faults), *audit(plan, run.outcomes))
    result = RunResult(tuple(run.outcomes), stop.interrupted, faults, time.monotonic() - started_s)
    listener(RunFinished(result))
    return result


def _suite_files(plan: Plan) -> list[list[PlannedCase]]:
    """Return the cases that are checked by file, in the plan's order of files and of cases."""
    files: dict[str, list[PlannedCase]] = {}
    for case in plan.cases:
        if not case.measured:
            files.setdefault(case.info.file, []).append(case)
    return list(files.values())


def _assignments(suites: list[list[PlannedCase]], workers: int) -> list[list[PlannedCase]]:
    """Put small suites together, so that handing them out costs little, and leave enough to share out evenly."""
    enough = min(MOST_AHEAD, sum(map(len, suites)) // (workers * TURNS))
    assignments: list[list[PlannedCase]] = []
    for suite in suites:
        if assignments and len(assignments[-1]) + len(suite) <= enough:
            assignments[-1] += suite
        else:
            assignments.append(list(suite))
    return assignments


class _Run:
    """The two channels of a run, and what came out of them."""

    def __init__(
        self,
        limits: Limits,
        stop: StopControl,
        listener: Callable[[RunEvent], None],
        channel_type: Callable[..., Channel[Any]],
    ) -> None:
        self._limits = limits
        self._stop = stop
        self._listener = listener
        self.suites_channel: Channel[list[PlannedCase]] = channel_type(2 * limits.workers, name="planned cases")
        self.outcomes_channel: Channel[Outcome] = channel_type(100, name="outcomes")
        self.outcomes: list[Outcome] = []
        self.faults: list[str] = []

    async def check_all(self, suites: list[list[PlannedCase]], workers: int) -> None:
        """Run each suite's cases in order, suites side by side."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._dispatch(suites))
            for number in range(workers):
                group.create_task(self._work(number))

    async def deliver(self, outcome: Outcome) -> None:
        """Hand one outcome to the collector; a channel that does not take it is a fault of wfrun, never a lost case."""
        # Decided here and not by the collector: the worker's next case must not start before it hears of this one.
        if self._limits.fail_fast and outcome.status.bad:
            self._stop.no_more = True
        try:
            await self.outcomes_channel.send(outcome)
        except ChannelError as error:
            self.faults.append(f"an outcome could not be delivered: {error}")

    async def collect(self) -> None:
        """Take outcomes until the channel ends, and pass each on to the listener."""
        async for outcome in self.outcomes_channel:
            self.outcomes.append(outcome)
            self._listener(CaseFinished(outcome))

    async def _dispatch(self, suites: list[list[PlannedCase]]) -> None:
        try:
            for suite in suites:
                await self.suites_channel.send(suite)
        except ChannelError as error:
            self.faults.append(f"planned cases could not be handed out: {error}")
        finally:
            self.suites_channel.close()

    async def _work(self, number: int) -> None:
        runner = CaseRunner(self._limits, self._stop)
        try:
            async for suite in self.suites_channel:
                await self._check(suite, runner, lambda case: self._listener(CaseStarted(case, number)))
        finally:
            await runner.close()

    async def _check(
        self, suite: Sequence[PlannedCase], runner: CaseRunner, started: Callable[[PlannedCase], None]
    ) -> None:
        """Run the cases of one suite in order, as many in one go as can share a child."""
        done = 0
        while done < len(suite):
            case = suite[done]
            if self._stop.no_more:
                await self.deliver(Outcome(case, Status.NOT_RUN, 0.0, "the session ended before its turn"))
                done += 1
            elif case.info.skip is not None:
                await self.deliver(Outcome(case, Status.SKIPPED, 0.0, case.info.skip))
                done += 1
            elif case.info.own_process:
                started(case)
                await self.deliver(outcome_of(case, *await runner.run_fresh(case), runner.unfinished_teardowns))
                done += 1
            else:
                together = itertools.takewhile(_can_share_a_child, suite[done : done + MOST_AHEAD])
                done += await runner.run_warm(list(together), started, self.deliver)


def _can_share_a_child(case: PlannedCase) -> bool:
    return not case.info.own_process and case.info.skip is None
