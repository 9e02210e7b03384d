"""One case over two trees: pairs until its verdict is clear or its time is used up."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from wfrun.runner.against.decide import decide
from wfrun.runner.against.figures import metric_of, process_figures
from wfrun.runner.against.looks import ERROR, FIRST, looks, most_pairs
from wfrun.runner.against.pair import BATCH_S, UNPINNED_BATCH_S, Pair, PairPlan, SideTrouble, take_pair
from wfrun.runner.against.side import strangers
from wfrun.runner.compare.verdicts import Verdict
from wfrun.runner.run.events import GenerationFinished
from wfrun.runner.run.shared import SharedFixtures
from wfrun.runner.run.worker import CaseRunner
from wfrun.units import format_duration

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from wfrun.runner.against.decide import Decision
    from wfrun.runner.against.looks import Look
    from wfrun.runner.against.side import Side
    from wfrun.runner.against.sides import Sides
    from wfrun.runner.child.messages import FixtureFailure, Generation
    from wfrun.runner.options import Limits
    from wfrun.runner.plan.planned import PlannedCase
    from wfrun.runner.run.events import RunEvent
    from wfrun.runner.run.stopping import StopControl

__all__ = ["CasePairs", "PairTaker", "void_reason"]

SHARE_S: Final = 0.1
"""Sampling time of a pair. What a process does differently from the next hides more than its own samples scatter, so
many short pairs say more than few long ones: of 4 s in pairs of 0.1 s the estimate was off by 0.16 to 0.5 %, in pairs
of 0.3 s by 0.26 to 0.95 %."""
REPETITIONS: Final = 1
"""Each half makes at least so many where a repetition is long."""
MOST_VOID: Final = 5
ALONE: Final = 3
"""Pairs of a side whose other side cannot run the case: its figures are kept all the same."""
SCREEN: Final = 0.05
"""How often a metric that did not change may be suspected. Only what fresh pairs show as well is called regressed."""
LEAD: Final = "wall_time_ns"
"""Once this metric is decided, and no other may yet turn red, no more pairs are taken."""


@dataclass(slots=True)
class CasePairs:
    """What was taken of one case, and what it says."""

    case: PlannedCase
    pairs: list[Pair] = field(default_factory=list)
    void: list[str] = field(default_factory=list)
    """Why pairs could not be used, one reason each."""
    trouble: SideTrouble | None = None
    foreign: str = ""
    """What was imported from a tree that is not the side's own."""
    decisions: dict[str, Decision] = field(default_factory=dict)
    counted: tuple[Generation | None, Generation | None] = (None, None)
    """What a repetition does on either side, in exact counts."""
    sampled_s: float = 0.0
    decided: bool = False
    """Whether there were pairs enough to look at."""
    suspected: tuple[str, ...] = ()
    """The gating metrics that look worse: what they are is shown, or not, in fresh pairs."""

    @property
    def regressed(self) -> tuple[str, ...]:
        """The gating metrics that got worse."""
        return _regressed(self.decisions)


class PairTaker:
    """Takes pairs of cases; one for a session."""

    def __init__(
        self,
        *,
        sides: Sides,
        limits: Limits,
        budget_s: float,
        thresholds: Mapping[str, float],
        cores: Sequence[int],
        chance: random.Random,
        stop: StopControl,
        listener: Callable[[RunEvent], None],
        on_fixture_failure: Callable[[FixtureFailure], None],
    ) -> None:
        self._sides = sides
        self._limits = limits
        self._budget_s = budget_s
        self._thresholds = thresholds
        self._cores = cores
        self._chance = chance
        self._stop = stop
        self._listener = listener
        self._shared = {side: SharedFixtures(limits, on_fixture_failure, side.place({})) for side in sides.both}
        self._runners = {
            side: CaseRunner(limits, stop, on_fixture_failure, shared) for side, shared in self._shared.items()
        }
        self._turn = chance.randrange(2)

    async def compare(
        self, case: PlannedCase, *, error: float = ERROR, first: CasePairs | None = None, to_the_end: bool = False
    ) -> CasePairs:
        """Take pairs of ``case`` until it is decided.

        Args:
            case: What runs on both sides.
            error: How often all intervals of a metric together may miss the truth.
            first: Pairs by which metrics are suspected: then fresh ones are taken until they show the same, and by how
                much is known well.
            to_the_end: Look once, when all pairs of the budget are there.
        """
        taken = CasePairs(case)
        share_s = min(_share_s(case), self._budget_s / FIRST)
        most = most_pairs(self._budget_s, share_s, error)
        while len(taken.pairs) < most and len(taken.void) < max(MOST_VOID, most // 4) and not self._stop.no_more:
            pair = await self._pair(case, share_s)
            if isinstance(pair, SideTrouble):
                taken.trouble = pair
                return taken
            taken.sampled_s += pair.sampled_s
            if pair.void:
                taken.void.append(pair.void)
                continue
            taken.pairs.append(pair)
            taken.foreign = self._foreign(pair)
            if taken.foreign:
                return taken
            if len(taken.pairs) == 1:
                # A pair cannot be shorter than its repetitions, so long ones mean fewer pairs.
                share_s = max(share_s, 2 * REPETITIONS * _longest_repetition_s(pair))
                most = most_pairs(self._budget_s, share_s, error)
            if not to_the_end and self._decided(taken, looks(most, error), first):
                break
            self._tell(taken, most)
        if taken.pairs and not taken.decisions:
            self._judge(taken, error if to_the_end else looks(most, error)[-1].error)
            taken.decided = len(taken.pairs) >= FIRST
        return taken

    def _decided(self, taken: CasePairs, planned: Sequence[Look], first: CasePairs | None) -> bool:
        """Look where a look is due; whether no more pairs are needed."""
        look = next((each for each in planned if each.pairs == len(taken.pairs)), None)
        if look is None:
            return False
        self._judge(taken, look.error)
        taken.decided = True
        if first is not None:
            shown = set(first.suspected) <= set(taken.regressed)
            return shown and all(
                _known_well(decision)
                for name, decision in self.judged((*first.pairs, *taken.pairs)).items()
                if name in first.suspected
            )
        lead = taken.decisions.get(LEAD)
        if lead is None:
            return not any(decision.hopeful for decision in taken.decisions.values())
        if lead.verdict is Verdict.INCONCLUSIVE:
            return False
        return not any(each.hopeful for each in taken.decisions.values())

    def _judge(self, taken: CasePairs, error: float) -> None:
        taken.decisions = self.judged(taken.pairs, error)
        taken.suspected = _regressed(self.judged(taken.pairs, min(0.5, error * SCREEN / ERROR)))

    def judged(self, pairs: Sequence[Pair], error: float = ERROR) -> dict[str, Decision]:
        """Return what ``pairs`` say about each metric, with intervals of this error."""
        sides = [[process_figures(pair.halves[side]) for pair in pairs] for side in (0, 1)]
        declared: dict[str, Any] = {}
        for pair in pairs:
            declared |= {**pair.halves[0].declared, **pair.halves[1].declared}
        decisions = {}
        # A metric that a process lacks, on either side, is none of both.
        names = [name for name in sides[0][0] if all(name in figures for side in sides for figures in side)]
        for name in names:
            if (metric := metric_of(name, declared)) is None:
                continue
            decisions[name] = decide(
                metric,
                [figures[name] for figures in sides[0]],
                [figures[name] for figures in sides[1]],
                threshold_percent=self._threshold(name, metric.kind, metric.threshold_percent),
                error=error,
            )
        return decisions

    def _threshold(self, name: str, kind: str, percent: float) -> float:
        if name in self._thresholds:
            return self._thresholds[name]
        return min(percent, TIMES_PERCENT) if kind == "time" and percent else percent

    def _foreign(self, pair: Pair) -> str:
        sides = self._sides.both
        for side, half in zip(sides, pair.halves, strict=True):
            others = tuple(_roots(self._sides) - {side.root})
            found = strangers(half.modules, side, others)
            if found:
                name, file = next(iter(found.items()))
                more = f" and {len(found) - 1} more" if len(found) > 1 else ""
                return f"{side.name} imported {name} from {file}{more}, which is not its own tree"
        return ""

    async def alone(self, case: PlannedCase, side: Side) -> CasePairs:
        """Measure ``case`` where the other side cannot run it: both halves are of ``side``, and nothing is decided."""
        taken = CasePairs(case)
        for _ in range(ALONE):
            pair = await self._pair(case, _share_s(case), (side, side))
            if isinstance(pair, SideTrouble):
                taken.trouble = pair
                break
            if not pair.void:
                taken.pairs.append(pair)
        return taken

    async def _pair(
        self, case: PlannedCase, share_s: float, sides: tuple[Side, Side] | None = None
    ) -> Pair | SideTrouble:
        sides = sides or self._sides.both
        self._turn += 1
        core = self._cores[self._turn % len(self._cores)] if self._cores and case.info.pinned else None
        plan = PairPlan(
            sampling_s=share_s,
            batch_s=BATCH_S if case.info.pinned else UNPINNED_BATCH_S,
            cpu=core,
            hash_seed=self._chance.randrange(2**32),
            output_bytes=self._limits.output_bytes,
            timeout_s=case.timeout_s + self._limits.teardown_grace_s,
        )
        commands = []
        for number, side in enumerate(sides):
            there = side.case(case)
            values, refused = await self._shared[side].values_for(there)
            if refused is not None:
                return SideTrouble(number, refused, "")
            commands.append({**self._command(there), "shared": values})
        taken = await take_pair(commands, sides, plan, self._chance, self._stop)
        if isinstance(taken, SideTrouble):
            side = sides[taken.side]
            blamed = await self._shared[side].blamed(side.case(case), taken.result)
            return replace(taken, result=blamed)
        return taken

    async def count(self, case: PlannedCase, side: Side) -> Generation | None:
        """Count what a repetition does on a side; where that fails nothing is known of it."""
        there = side.case(case)
        result, _ = await self._runners[side].count(there, side.place({}), there.info.file)
        return result.generation

    async def close(self) -> None:
        """Tear down what both sides' cases shared."""
        for shared in self._shared.values():
            await shared.close()

    def _command(self, case: PlannedCase) -> dict[str, Any]:
        return {
            "do": "open",
            "id": case.info.id,
            "file": case.info.file,
            # The other tree's case may be another one: then its source differs, and that is told.
            "digest": "",
            "seed": case.seed,
            "session_seed": case.session_seed,
            "timeout_s": case.timeout_s,
            "teardown_grace_s": self._limits.teardown_grace_s,
            "targets": dict(self._limits.targets),
            "tools": [],
            "broken": {},
            "repeating": False,
            "sampling": {},
            "control": False,
        }

    def _tell(self, taken: CasePairs, most: int) -> None:
        lead = taken.decisions.get(LEAD)
        figure = ""
        if lead is not None and lead.ratio is not None and lead.interval is not None:
            low, high = (100 * (end - 1) for end in lead.interval)
            figure = f"{100 * (lead.ratio - 1):+.1f} % ({low:+.1f} to {high:+.1f})"
        self._listener(GenerationFinished(taken.case, len(taken.pairs), most, figure))


TIMES_PERCENT: Final = 3.0
"""Between two trees measured side by side a smaller change shows than between sessions, so a smaller one counts."""


def _regressed(decisions: Mapping[str, Decision]) -> tuple[str, ...]:
    return tuple(
        name for name, decision in decisions.items() if decision.metric.gates and decision.verdict is Verdict.REGRESSED
    )


def _known_well(decision: Decision) -> bool:
    """Return whether a change is known to half of the threshold, or to a tenth of itself where it is large."""
    if decision.ratio is None or decision.interval is None:
        return True
    low, high = decision.interval
    wanted = max(decision.threshold_percent / 200, abs(decision.ratio - 1) / 10)
    return (high - low) / 2 <= wanted


def _share_s(case: PlannedCase) -> float:
    return SHARE_S if case.info.pinned else 2 * UNPINNED_BATCH_S


def void_reason(taken: CasePairs) -> str:
    """Return why there are too few pairs, in a sentence."""
    reasons = ", ".join(dict.fromkeys(taken.void))
    return f"{len(taken.void)} pairs were void after {format_duration(taken.sampled_s)}: {reasons}"


def _roots(sides: Sides) -> set[Path]:
    return {path for side in sides.both for path in (side.root, side.project)}


def _longest_repetition_s(pair: Pair) -> float:
    means = [sum(rows) / len(rows) for half in pair.halves if (rows := half.rows.get("wall_time_ns"))]
    return max(means, default=0.0) / 1e9
