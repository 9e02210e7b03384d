"""The measured cases of a session, over two trees instead of one."""

from __future__ import annotations

import contextlib
import os
import random
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wfrun.runner.against.case import SCREEN, CasePairs, PairTaker
from wfrun.runner.against.looks import ERROR
from wfrun.runner.against.rows import comparison_of, outcome_of_pairs
from wfrun.runner.against.sides import opened_sides
from wfrun.runner.child.messages import Status
from wfrun.runner.compare.verdicts import Verdict
from wfrun.runner.run.events import CaseStarted
from wfrun.runner.run.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from wfrun.runner.against.decide import Decision
    from wfrun.runner.against.sides import Sides
    from wfrun.runner.compare.verdicts import Comparison
    from wfrun.runner.options import Limits, Outputs, Trees
    from wfrun.runner.plan.planned import Plan, PlannedCase
    from wfrun.runner.run.events import RunEvent
    from wfrun.runner.run.stopping import StopControl
    from wfrun.runner.run.worker import CaseRunner

__all__ = ["TreeMeasuring", "compared_trees"]

_NOT_CONFIRMED = "it looked regressed, and did not when it was measured again in fresh pairs"
_NOT_SUSPECTED = "it looks regressed in all pairs together, and did not in the first of them"
_NOT_REPEATED = "it could not be measured again in fresh pairs"


class TreeMeasuring:
    """Takes pairs for each measured case, then again for those that got worse, and keeps what they say."""

    def __init__(self, sides: Sides, trees: Trees, outputs: Outputs) -> None:
        self.sides = sides
        self._trees = trees
        self._outputs = outputs
        self._taken: list[CasePairs] = []

    async def measure(
        self,
        cases: Sequence[PlannedCase],
        limits: Limits,
        stop: StopControl,
        listener: Callable[[RunEvent], None],
        deliver: Callable[[list[Outcome]], Awaitable[None]],
        *,
        runner: CaseRunner,
    ) -> None:
        """Measure ``cases`` one after another over both trees; deliver the changed tree's outcome of each."""
        taker = PairTaker(
            sides=self.sides,
            limits=limits,
            budget_s=self._trees.budget_s,
            thresholds=self._outputs.thresholds,
            cores=sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [],
            chance=random.Random(),  # noqa: S311 - chance against bad luck, not against people
            stop=stop,
            listener=listener,
            on_fixture_failure=runner.fixture_failed,
        )
        try:
            for case in cases:
                if case.info.skip is not None:
                    await deliver([Outcome(case, Status.SKIPPED, 0.0, case.info.skip)])
                elif stop.no_more:
                    await deliver([Outcome(case, Status.NOT_RUN, 0.0, "the session ended before its turn")])
                else:
                    listener(CaseStarted(case, 0))
                    outcome = await self._measure(case, taker, stop)
                    if stop.interrupted and outcome.status is Status.PASSED:
                        outcome = replace(outcome, status=Status.INTERRUPTED, message="interrupted between pairs")
                    await deliver([outcome])
            await self._confirm(taker, stop)
        finally:
            await taker.close()

    async def _measure(self, case: PlannedCase, taker: PairTaker, stop: StopControl) -> Outcome:
        """Compare one case, and return what became of it in the changed tree."""
        taken = kept = await taker.compare(case)
        self._taken.append(taken)
        if taken.trouble is not None and taken.trouble.side == 0:
            alone = await taker.alone(case, self.sides.changed)
            kept = replace(alone, trouble=alone.trouble or taken.trouble)
        elif taken.pairs and not taken.foreign and not stop.no_more:
            base, changed = self.sides.both
            taken.counted = (await taker.count(case, base), await taker.count(case, changed))
        return outcome_of_pairs(kept, self.sides)

    async def _confirm(self, taker: PairTaker, stop: StopControl) -> None:
        """Take fresh pairs for what looks worse, as sure as a session of so many metrics asks for."""
        compared = sum(decision.metric.gates for taken in self._taken for decision in taken.decisions.values())
        # What did not change has to pass for worse twice: suspected once, and shown once.
        error = min(ERROR, ERROR / max(1.0, compared * SCREEN))
        for taken in self._taken:
            if not taken.suspected or stop.no_more:
                continue
            again = await taker.compare(taken.case, error=error, first=taken)
            taken.void += again.void
            if again.trouble is not None:
                taken.void.append(f"{self.sides.both[again.trouble.side].name}: {again.trouble.result.message}")
            if not again.decided:
                taken.decisions = {name: _doubted(each, _NOT_REPEATED) for name, each in taken.decisions.items()}
                continue
            taken.pairs += again.pairs
            pooled = taker.judged(taken.pairs)
            taken.decisions = {
                name: _settled(
                    pooled.get(name, first), suspected=name in taken.suspected, shown=name in again.regressed
                )
                for name, first in taken.decisions.items()
            }

    def comparison(self) -> Comparison:
        """Return what all cases measured so far say."""
        compared = comparison_of(self._taken, self.sides, self._outputs.thresholds)
        return replace(compared, fail_on=self._outputs.fail_on)


def _settled(decision: Decision, *, suspected: bool, shown: bool) -> Decision:
    """Return the decision over all pairs: regressed is what was suspected in the first and shown in the others."""
    if not decision.metric.gates or decision.verdict is not Verdict.REGRESSED or (suspected and shown):
        return decision
    doubt = _NOT_CONFIRMED if suspected else _NOT_SUSPECTED
    return replace(decision, verdict=Verdict.INCONCLUSIVE, doubts=(*decision.doubts, doubt))


def _doubted(decision: Decision, doubt: str) -> Decision:
    if not decision.metric.gates or decision.verdict is not Verdict.REGRESSED:
        return decision
    return replace(decision, doubts=(*decision.doubts, doubt))


@contextlib.contextmanager
def compared_trees(trees: Trees, plan: Plan, outputs: Outputs, say: Callable[[str], None]) -> Iterator[TreeMeasuring]:
    """Have the trees that are to be compared on disk while in here.

    Raises:
        UsageError: What was asked for is not there.
        FileError: There is no room for a tree.
    """
    files = list(dict.fromkeys(Path(case.info.file) for case in plan.cases if case.measured))
    with opened_sides(trees, files, say) as sides:
        yield TreeMeasuring(sides, trees, outputs)
