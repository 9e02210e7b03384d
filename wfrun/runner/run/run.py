"""Planned cases to workers over one channel, outcomes back over another."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wfrun.concurrency.channel import Channel
from wfrun.concurrency.errors import ChannelError
from wfrun.runner.child.leftovers import end_leftovers
from wfrun.runner.child.messages import Status
from wfrun.runner.plan.turns import measured_part, turn_of
from wfrun.runner.run.events import (
    CaseFinished,
    CaseStarted,
    FixtureFailed,
    RoundFinished,
    RunEvent,
    RunFinished,
    RunStarted,
)
from wfrun.runner.run.gate import Gate, is_gated
from wfrun.runner.run.ledger import audit
from wfrun.runner.run.measuring import Measuring, measure_cases
from wfrun.runner.run.outcomes import Outcome, Outcomes, RunResult, outcome_of
from wfrun.runner.run.shared import SharedFixtures
from wfrun.runner.run.stopping import StopControl
from wfrun.runner.run.worker import CaseRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from wfrun.runner.child.messages import FixtureFailure
    from wfrun.runner.options import Limits
    from wfrun.runner.plan.planned import Plan, PlannedCase

__all__ = ["run_plan"]

TURNS = 8
"""A worker comes back for work at least so often, where there is so much."""
MOST_AHEAD = 1000
"""Cases that a child is given at once; when the run stops, it finishes none but the one it is at."""


async def run_plan(
    plan: Plan,
    limits: Limits,
    listener: Callable[[RunEvent], None],
    channel_type: Callable[..., Channel[Any]] = Channel,
    *,
    confirming: bool = False,
    measure: Measuring = measure_cases,
) -> RunResult:
    """Run every case of ``plan``, as often as ``limits`` say, and return its outcomes.

    Cases that are checked run side by side, the cases of one suite file in order on one worker. Where they are
    repeated, one round ends before the next begins, so that a suite never runs beside itself; the workers' processes
    live on from round to round. Measured cases follow, once, alone on the machine. Whatever the channels do, the
    result names every id that has not exactly one outcome for each of its turns.

    Args:
        plan: What to run.
        limits: Workers, time-outs, how often, how to measure.
        listener: Told of everything as it happens; must not raise.
        channel_type: Makes the two channels of each round; tests hand in broken ones.
        confirming: Whether the cases are measured a second time; told to the listener.
        measure: Takes the figures of the measured cases.
    """
    started_s = time.monotonic()
    stop = StopControl(listener, limits.teardown_grace_s)
    repeating = limits.repeat != 1 and not confirming and any(not case.measured for case in plan.cases)
    workers = max(1, min(limits.workers, len(_suite_files(plan))))
    done = _Done(plan, listener, forgetful=repeating and limits.until_failed)
    shared = SharedFixtures(limits, done.fixture_failed)
    runners = [CaseRunner(limits, stop, done.fixture_failed, shared) for _ in range(workers)]
    listener(RunStarted(plan, workers, confirming, limits.repeat if repeating else 1))
    with stop.listening():
        try:
            for part in _rounds(plan, limits, stop) if repeating else (plan,):
                one = _Round(part, limits, stop, listener, channel_type, measure=measure)
                await one.run(runners, done.fixture_failed, shared)
                done.add(one)
        finally:
            for runner in runners:
                await runner.close()
            await shared.close()
            end_leftovers()
    result = done.result(stop, time.monotonic() - started_s)
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


def _rounds(plan: Plan, limits: Limits, stop: StopControl) -> Iterator[Plan]:
    for turn in itertools.count(1):
        yield turn_of(plan, turn)
        if turn == limits.repeat or stop.no_more:
            break
    measured = measured_part(plan)
    if measured.cases:
        yield measured


class _Done:
    """The rounds that are over: what they planned, what became of it, and what contradicts itself."""

    def __init__(self, plan: Plan, listener: Callable[[RunEvent], None], *, forgetful: bool) -> None:
        self._plan = plan
        self._listener = listener
        self._forgetful = forgetful
        self._parts: list[tuple[PlannedCase, ...]] = []
        self._outcomes = Outcomes()
        self._faults: list[str] = []
        self._fixture_failures: list[FixtureFailure] = []
        self._green: Counter[str] = Counter()
        self._rounds = 0

    def fixture_failed(self, failure: FixtureFailure) -> None:
        """Keep a tear-down that failed when no case was left to blame."""
        self._fixture_failures.append(failure)
        self._listener(FixtureFailed(failure))

    def add(self, one: _Round) -> None:
        self._faults += [*dict.fromkeys(one.faults), *audit(one.plan, one.outcomes.cases())]
        turn = one.plan.cases[0].turn if one.plan.cases else 0
        if self._forgetful and turn > 1:
            # A session that waits for one failure in a million must not keep the million.
            self._green.update(o.case.info.id for o in self._outcomes if o.status is Status.PASSED)
            self._parts, self._outcomes = [], Outcomes()
        self._parts.append(one.plan.cases)
        if self._outcomes:
            self._outcomes.extend(one.outcomes)
        else:
            self._outcomes = one.outcomes
        self._rounds = max(self._rounds, turn)
        if turn:
            self._listener(RoundFinished(turn, one.outcomes))

    def result(self, stop: StopControl, duration_s: float) -> RunResult:
        cases = self._parts[0] if len(self._parts) == 1 else tuple(itertools.chain(*self._parts))
        return RunResult(
            outcomes=self._outcomes,
            interrupted=stop.interrupted,
            faults=tuple(self._faults),
            duration_s=duration_s,
            plan=replace(self._plan, cases=cases),
            rounds=max(1, self._rounds),
            green=self._green,
            fixture_failures=tuple(self._fixture_failures),
        )


class _Round:
    """One pass over a plan: its two channels, and what came out of them."""

    def __init__(
        self,
        plan: Plan,
        limits: Limits,
        stop: StopControl,
        listener: Callable[[RunEvent], None],
        channel_type: Callable[..., Channel[Any]],
        *,
        measure: Measuring,
    ) -> None:
        self.plan = plan
        self._measure = measure
        self._limits = limits
        self._stop = stop
        self._listener = listener
        self._suites_channel: Channel[list[PlannedCase]] = channel_type(2 * limits.workers, name="planned cases")
        self._outcomes_channel: Channel[list[Outcome]] = channel_type(100, name="outcomes")
        self._gate = Gate(case.info for case in plan.cases if not case.measured)
        self.outcomes = Outcomes()
        self.faults: list[str] = []

    async def run(
        self,
        runners: Sequence[CaseRunner],
        on_fixture_failure: Callable[[FixtureFailure], None],
        shared: SharedFixtures,
    ) -> None:
        """Check and measure, and wait for all outcomes."""
        collecting = asyncio.create_task(self._collect())
        try:
            await self._check_all(_assignments(_suite_files(self.plan), len(runners)), runners)
            measured = [case for case in self.plan.cases if case.measured]
            if measured:
                for runner in runners:  # figures are taken alone on the machine
                    await runner.close()
                await self._measure(
                    measured,
                    self._limits,
                    self._stop,
                    self._listener,
                    self._deliver,
                    runner=CaseRunner(self._limits, self._stop, on_fixture_failure, shared),
                )
        finally:
            self._outcomes_channel.close()
            await collecting

    async def _check_all(self, suites: list[list[PlannedCase]], runners: Sequence[CaseRunner]) -> None:
        """Run each suite's cases in order, suites side by side."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._dispatch(suites))
            for number, runner in enumerate(runners):
                group.create_task(self._work(number, runner))

    async def _deliver(self, batch: list[Outcome]) -> None:
        """Hand outcomes to the collector; a channel that does not take them is a fault of wfrun, never a lost case."""
        # Decided here and not by the collector: the worker's next case must not start before it hears of this one.
        limits = self._limits
        if (limits.fail_fast or limits.until_failed) and any(map(self._ends_the_run, batch)):
            self._stop.no_more = True
        try:
            await self._outcomes_channel.send(batch)
        except ChannelError as error:
            self.faults.append(f"an outcome could not be delivered: {error}")

    def _ends_the_run(self, outcome: Outcome) -> bool:
        limits = self._limits
        return outcome.status.bad or (outcome.flaky and (limits.flaky_fails or limits.until_failed))

    async def _collect(self) -> None:
        """Take outcomes until the channel ends, and pass each on to the listener."""
        async for batch in self._outcomes_channel:
            self.outcomes.extend(batch)
            for outcome in batch:
                self._listener(CaseFinished(outcome))

    async def _dispatch(self, suites: list[list[PlannedCase]]) -> None:
        try:
            for suite in suites:
                await self._suites_channel.send(suite)
        except ChannelError as error:
            self.faults.append(f"planned cases could not be handed out: {error}")
        finally:
            self._suites_channel.close()

    async def _work(self, number: int, runner: CaseRunner) -> None:
        async for suite in self._suites_channel:
            await self._check(suite, runner, lambda case: self._listener(CaseStarted(case, number)))
            async with self._gate.entered(None):
                await runner.leave_suite()

    async def _check(
        self, suite: Sequence[PlannedCase], runner: CaseRunner, started: Callable[[PlannedCase], None]
    ) -> None:
        """Run the cases of one suite in order, as many in one go as can share a child."""

        async def settle(batch: list[Outcome]) -> None:
            if self._limits.retries:
                batch = [await runner.try_again(outcome) if outcome.status.bad else outcome for outcome in batch]
            await self._deliver(batch)

        done = 0
        while done < len(suite):
            case = suite[done]
            if self._no_more():
                await self._deliver([Outcome(case, Status.NOT_RUN, 0.0, "the session ended before its turn")])
                done += 1
            elif case.info.skip is not None:
                await self._deliver([Outcome(case, Status.SKIPPED, 0.0, case.info.skip)])
                done += 1
            else:
                async with self._gate.entered(case.info):
                    if self._no_more():
                        continue
                    if case.info.own_process:
                        started(case)
                        await settle([outcome_of(case, *await runner.run_fresh(case), runner.unfinished_teardowns)])
                        done += 1
                    else:
                        done += await runner.run_warm(_together(suite, done), started, settle)

    def _no_more(self) -> bool:
        # A call, as it may change while something is waited for.
        return self._stop.no_more


def _together(suite: Sequence[PlannedCase], first: int) -> list[PlannedCase]:
    """Return the cases from ``first`` on that one child can be given at once."""
    # One by one, too, where the end of a process somewhere else changes what becomes of the next.
    if is_gated(suite[first].info) or suite[first].info.shared:
        return [suite[first]]
    return list(itertools.takewhile(_can_share_a_child, suite[first : first + MOST_AHEAD]))


def _can_share_a_child(case: PlannedCase) -> bool:
    info = case.info
    return not (info.own_process or info.skip is not None or info.shared or is_gated(info))
