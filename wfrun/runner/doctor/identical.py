"""The same code compared with itself, again and again: how often it is called different, and how small a change shows.

Pairs are taken as ``--against`` takes them, of a case of wfrun's own, with one look at the end of each comparison.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wfrun.authoring.info import Kind
from wfrun.errors import FileError
from wfrun.measure.environment import HARD_KEYS
from wfrun.runner.against.case import LEAD, TIMES_PERCENT, PairTaker
from wfrun.runner.against.side import Side
from wfrun.runner.against.sides import Sides
from wfrun.runner.compare.verdicts import Verdict
from wfrun.runner.discover.discover import discover
from wfrun.runner.options import Limits, Selection
from wfrun.runner.plan.plan import make_plan
from wfrun.runner.record.machine_noise import MachineNoise
from wfrun.runner.run.stopping import StopControl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pydantic import JsonValue

    from wfrun.runner.against.decide import Decision
    from wfrun.runner.plan.planned import PlannedCase

__all__ = ["identical_sides", "noise_of"]

SUITE: Final = Path(__file__).with_name("suite_identical.py")
SAMPLING_S: Final = 4.0
"""Sampling time of one comparison, as ``--against`` gives each case."""
LIMITS: Final = Limits(workers=1)


def identical_sides(budget_s: float, say: Callable[[str], None]) -> tuple[list[Decision], bool]:
    """Return what comparisons of identical sides said about the wall time: as many as fit into ``budget_s``, or one.

    Returns:
        The decisions, and whether Ctrl-C ended it before its time.

    Raises:
        FileError: The case could not be run; the text says why.
    """
    decisions: list[Decision] = []
    try:
        asyncio.run(_compare_all(budget_s, say, decisions))
    except KeyboardInterrupt:
        return decisions, True
    return decisions, False


def noise_of(decisions: Sequence[Decision], fingerprint: Mapping[str, JsonValue]) -> MachineNoise:
    """Return what these comparisons of identical sides say about the machine of this fingerprint.

    Raises:
        ValueError: There are none.
    """
    errors = [100 * ((decision.ratio or 1.0) - 1) for decision in decisions]
    return MachineNoise(
        measured=datetime.now(UTC).replace(microsecond=0),
        machine={key: fingerprint.get(key) for key in HARD_KEYS},
        comparisons=len(decisions),
        false_alarms=sum(each.verdict in {Verdict.REGRESSED, Verdict.IMPROVED} for each in decisions),
        inconclusive=sum(each.verdict is Verdict.INCONCLUSIVE for each in decisions),
        threshold_percent=decisions[0].threshold_percent,
        error_percent=round(statistics.fmean(error**2 for error in errors) ** 0.5, 3),
        minimum_detectable_effect_percent=round(statistics.median(map(_arm_percent, decisions)), 3),
        sampling_s=SAMPLING_S,
    )


def _arm_percent(decision: Decision) -> float:
    """Return the longer arm of the interval: a true change beyond it is shown in half of the comparisons or more."""
    if decision.interval is None or decision.ratio is None:
        return float(decision.could_have_seen_percent or 100.0)
    low, high = decision.interval
    return 100 * (max(high / decision.ratio, decision.ratio / low) - 1)


async def _compare_all(budget_s: float, say: Callable[[str], None], decisions: list[Decision]) -> None:
    case = await _case()
    here = Path.cwd().resolve()
    sides = Sides(Side("one side", here, here), Side("the other", here, here))
    stop = StopControl(lambda _: None, LIMITS.teardown_grace_s)
    taker = PairTaker(
        sides=sides,
        limits=LIMITS,
        budget_s=min(SAMPLING_S, budget_s),
        thresholds={LEAD: TIMES_PERCENT},
        cores=sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [],
        chance=random.Random(),  # noqa: S311 - chance against bad luck, not against people
        stop=stop,
        listener=lambda _: None,
        on_fixture_failure=lambda _: None,
    )
    try:
        await _until_spent(taker, case, budget_s, say, decisions)
    finally:
        await taker.close()


async def _until_spent(
    taker: PairTaker, case: PlannedCase, budget_s: float, say: Callable[[str], None], decisions: list[Decision]
) -> None:
    started_s = time.monotonic()
    longest_s = 0.0
    while not decisions or time.monotonic() - started_s + longest_s <= budget_s:
        since_s = time.monotonic()
        taken = await taker.compare(case, to_the_end=True)
        longest_s = max(longest_s, time.monotonic() - since_s)
        if taken.trouble is not None:
            raise FileError(f"the case of --aa did not run: {taken.trouble.result.message}")
        decision = taken.decisions.get(LEAD)
        if decision is None:
            raise FileError(f"no comparison could be made: {'; '.join(dict.fromkeys(taken.void)) or 'no figures'}")
        decisions.append(decision)
        say(f"comparison {len(decisions)}: {_shown(decision)}")


async def _case() -> PlannedCase:
    found = await discover((SUITE,))
    if found.failures:
        raise FileError(f"the case of --aa could not be loaded: {found.failures[0].message}")
    (case,) = make_plan(found.cases, Selection(kinds=frozenset({Kind.PERFORMANCE})), timeout_s=None).cases
    return case


def _shown(decision: Decision) -> str:
    if decision.ratio is None or decision.interval is None:
        return decision.verdict.value
    low, high = (100 * (end - 1) for end in decision.interval)
    return f"{100 * (decision.ratio - 1):+.2f} % ({low:+.2f} to {high:+.2f}), {decision.verdict.value}"
