"""What makes a failed case fail again: tried, where that is cheap, instead of guessed.

A case that failed in a warm worker may have failed because of what ran there before it. So it is run again alone, in a
fresh process; where it then passes, after the cases that ran before it; and where that brings the failure back, after
fewer and fewer of them. What was not tried, or did not come back, is said to be so.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from enum import Enum
from itertools import groupby
from typing import TYPE_CHECKING, Final

from wfrun.runner.child.leftovers import end_leftovers
from wfrun.runner.child.messages import Status
from wfrun.runner.options import Limits, Tools
from wfrun.runner.run.stopping import StopControl
from wfrun.runner.run.worker import CaseRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wfrun.runner.plan.planned import PlannedCase
    from wfrun.runner.run.events import RunEvent
    from wfrun.runner.run.outcomes import Outcome, RunResult

__all__ = ["Proof", "Reproduction", "find_reproductions"]

MOST_TIME_S: Final = 5.0
"""All tries of a session together: nobody waits long for a hint."""
CHEAP_S: Final = 1.0
"""Most time that what is tried may have taken when it ran before."""
TRIED: Final = frozenset({Status.FAILED, Status.ERROR, Status.CRASHED})
"""A time-out costs its whole limit again, so it is not tried."""


class Proof(Enum):
    """How well it is known that a case fails again this way."""

    RAN_SO = "ran so"
    """It ran in a process of its own, or as the first of one, so the command does what the session did."""
    CAME_BACK = "came back"
    """It was run again this way and failed again with the same message."""
    PASSED_ALONE = "passed alone"
    """Alone it passed; what ran before it would have taken too long to run again."""
    UNTRIED = "untried"
    STAYED_AWAY = "stayed away"
    """It was run again, alone and after what ran before it, and failed not at all, or now and then."""


@dataclass(frozen=True, slots=True)
class Reproduction:
    """The least that is known to make a case fail again; where that is unknown, what ran before it."""

    case: PlannedCase
    proof: Proof
    before: tuple[PlannedCase, ...] = ()
    """What must run before it in the same process, the first first."""


async def find_reproductions(
    result: RunResult, limits: Limits, listener: Callable[[RunEvent], None]
) -> dict[tuple[str, int], Reproduction]:
    """Return how each failed or flaky case of ``result`` fails again, by its key.

    Takes at most some seconds; Ctrl-C ends the tries and keeps what was found. Measured cases are not tried, nor is
    anything where cases run in this process or print straight through.
    """
    stop = StopControl(listener, limits.teardown_grace_s)
    trials = _Trials(result, limits, stop)
    with stop.listening():
        found = {outcome.case.key: await trials.find(outcome) for outcome in (*result.failed, *result.flaky)}
    if trials.tried:
        end_leftovers()
    return found


class _Trials:
    def __init__(self, result: RunResult, limits: Limits, stop: StopControl) -> None:
        self._took_s: Mapping[tuple[str, int], float] = {o.case.key: o.duration_s for o in result.outcomes}
        # A second Ctrl-C is not needed to get out of here.
        self.tried = False
        self._limits = replace(
            limits,
            teardown_grace_s=min(1.0, limits.teardown_grace_s),
            fail_fast=False,
            until_failed=False,
            retries=0,
            tools=Tools(),  # what is tried is no part of what they look at
        )
        self._stop = stop
        # In this process, or with what cases print going straight through, a try would be in the reader's way.
        seen = limits.tools.in_process or limits.tools.alone
        self._due_s = time.monotonic() + (0.0 if result.interrupted or seen else MOST_TIME_S)

    async def find(self, outcome: Outcome) -> Reproduction:
        case = outcome.case
        if case.measured or case.info.shared or not outcome.before:
            return Reproduction(case, Proof.RAN_SO)
        # What ran in earlier rounds cannot be named by a command, only repeated.
        before = tuple(earlier for earlier in outcome.before if earlier.turn == case.turn)
        tried_alone = bool(outcome.attempts)
        if tried_alone and outcome.status.bad:
            return Reproduction(case, Proof.CAME_BACK)
        failure = outcome.attempts[0] if tried_alone else outcome
        if failure.status not in TRIED or not self._affordable([case]):
            return Reproduction(case, Proof.UNTRIED, before)
        mark = _mark(failure.status, failure.message)
        if not tried_alone and await self._fails(case, (), mark):
            return Reproduction(case, Proof.CAME_BACK)
        if not self._affordable([*before, case]):
            return Reproduction(case, Proof.UNTRIED if self._stop.no_more else Proof.PASSED_ALONE, before)
        if not await self._fails(case, before, mark):
            return Reproduction(case, Proof.UNTRIED if self._stop.no_more else Proof.STAYED_AWAY, before)
        fewest = await self._fewest(case, before, mark)
        # Chance may have sorted the tries so, or a case that fails every other time: neither does it again, and so.
        alone = [await self._fails(case, (), mark) for _ in range(2)]
        if any(alone) or not await self._fails(case, fewest, mark):
            return Reproduction(case, Proof.STAYED_AWAY)
        return Reproduction(case, Proof.CAME_BACK, fewest)

    async def _fewest(
        self, case: PlannedCase, before: tuple[PlannedCase, ...], mark: tuple[Status, str]
    ) -> tuple[PlannedCase, ...]:
        """Halve what runs before ``case`` for as long as one half is enough."""
        while len(before) > 1:
            half = len(before) // 2
            for part in (before[half:], before[:half]):
                if self._affordable([*part, case]) and await self._fails(case, part, mark):
                    before = part
                    break
            else:
                break
        return before

    async def _fails(self, case: PlannedCase, before: Sequence[PlannedCase], mark: tuple[Status, str]) -> bool:
        self.tried = True
        runner = CaseRunner(self._limits, self._stop)
        outcomes: list[Outcome] = []

        async def take(batch: list[Outcome]) -> None:
            outcomes.extend(batch)

        cases = [*before, case]
        try:
            for file, group in groupby(cases, key=lambda each: each.info.file):
                of_file, ran = list(group), 0
                while ran < len(of_file) and not self._stop.no_more:
                    ran += await runner.run_warm(of_file[ran:], lambda _: None, take)
                if file != case.info.file:
                    await runner.leave_suite()
        finally:
            await runner.close()
        if self._stop.no_more:
            return False
        return _mark(outcomes[-1].status, outcomes[-1].message) == mark

    def _affordable(self, cases: Sequence[PlannedCase]) -> bool:
        took_s = sum(self._took_s.get(case.key, CHEAP_S) for case in cases)
        return not self._stop.no_more and took_s <= CHEAP_S and time.monotonic() + took_s < self._due_s


def _mark(status: Status, message: str) -> tuple[Status, str]:
    """Return what two failures have in common when they are the same one: numbers and addresses may differ."""
    return status, re.sub(r"0x[0-9a-fA-F]+|\d+", "#", message)
