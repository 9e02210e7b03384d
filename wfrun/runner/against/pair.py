"""One pair: two fresh processes, one of each tree, that take turns on one core.

Whatever slows the machine down for more than a few milliseconds slows both halves down. What is left is chance between
processes, their memory layout above all, which more pairs average out. The halves share a hash seed, which decides the
order in sets and dictionaries of some programs, and a new pair has another one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from wfrun.runner.child.messages import CaseResult, Status
from wfrun.runner.child.process import ChildDied, ChildProcess

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

    from wfrun.runner.against.side import Side
    from wfrun.runner.run.stopping import StopControl

__all__ = ["BATCH_S", "UNPINNED_BATCH_S", "Half", "Pair", "PairPlan", "SideTrouble", "take_pair"]

BATCH_S: Final = 0.006
"""How long a side goes on before the other has its turn: long beside a turn's change, short beside a bad stretch."""
UNPINNED_BATCH_S: Final = 0.12
"""The same for a case that uses several cores. After an idle turn the system first has to spread its processes over
them again, which takes some milliseconds, so that short turns would measure little else."""
ENDED: Final = "the session was ended"
REACTION_S: Final = 5.0
"""A child ends its own passes at their time-out; this long after it should have, it is killed."""


@dataclass(frozen=True, slots=True)
class PairPlan:
    """How one pair is taken."""

    sampling_s: float
    """How long both halves sample together."""
    batch_s: float
    """How long one goes on before the other has its turn."""
    cpu: int | None
    """The core of both; ``None`` for any."""
    hash_seed: int
    output_bytes: int
    timeout_s: float


@dataclass(slots=True)
class Half:
    """What one process of a pair measured."""

    rows: dict[str, list[float]] = field(default_factory=dict)
    """By metric, one number a repetition."""
    whole: dict[str, float] = field(default_factory=dict)
    """By metric, one number for the process."""
    latency: list[list[int]] = field(default_factory=list)
    declared: dict[str, dict[str, Any]] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    """By name, the file of each module that it imported."""


@dataclass(frozen=True, slots=True)
class SideTrouble:
    """One side's case did not succeed, so there is nothing to compare."""

    side: int
    """0 for the base, 1 for the changed tree."""
    result: CaseResult
    output: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two halves: the base's, then the changed tree's."""

    halves: tuple[Half, Half]
    cpu: int | None
    sampled_s: float
    void: str = ""
    """Why it must not be used."""


async def take_pair(
    commands: Sequence[Mapping[str, Any]],
    sides: Sequence[Side],
    plan: PairPlan,
    chance: random.Random,
    stop: StopControl,
) -> Pair | SideTrouble:
    """Take one pair.

    Args:
        commands: For each side, how its child is asked to open the case.
        sides: The base and the changed tree.
        plan: How.
        chance: Decides who begins each turn.
        stop: Interrupts the children where the user wants the session to end; the pair is void then.
    """
    environment = {"PYTHONHASHSEED": str(plan.hash_seed)}
    children = [ChildProcess(plan.output_bytes, place=side.place(environment)) for side in sides]
    with contextlib.ExitStack() as stack:
        for child in children:
            stack.enter_context(stop.holding(child))
        try:
            return await _Pairing(children, plan, chance, stop).take(commands)
        finally:
            # Not one after the other: each takes a moment to end.
            await asyncio.gather(*(child.close() for child in children))


class _Pairing:
    """The conversation with both children."""

    def __init__(
        self, children: Sequence[ChildProcess], plan: PairPlan, chance: random.Random, stop: StopControl
    ) -> None:
        self._children = children
        self._plan = plan
        self._chance = chance
        self._stop = stop
        self._halves = (Half(), Half())

    async def take(self, commands: Sequence[Mapping[str, Any]]) -> Pair | SideTrouble:
        sampled_s = 0.0
        try:
            opened = await asyncio.gather(
                *(self._ask(number, {**command, "cpu": self._plan.cpu}) for number, command in enumerate(commands))
            )
            for number, answer in enumerate(opened):
                if (trouble := self._trouble(number, answer)) is not None:
                    return self._ended(trouble, sampled_s)
            while sampled_s < self._plan.sampling_s and not self._stop.no_more:
                started_s = time.perf_counter()
                for number in self._chance.choice(((0, 1), (1, 0))):
                    answer = await self._ask(number, {"do": "batch", "least_s": self._plan.batch_s})
                    for name, values in answer["rows"].items():
                        self._halves[number].rows.setdefault(name, []).extend(values)
                    if (trouble := self._trouble(number, answer["failed"])) is not None:
                        return self._ended(trouble, sampled_s)
                sampled_s += time.perf_counter() - started_s
            return await self._closed(sampled_s)
        except _HalfDied as death:
            if self._stop.no_more:
                return Pair(self._halves, self._plan.cpu, sampled_s, ENDED)
            result = CaseResult("", Status.CRASHED, 0.0, death.how)
            return SideTrouble(death.number, result, self._children[death.number].take_output()[0])

    def _ended(self, trouble: SideTrouble, sampled_s: float) -> Pair | SideTrouble:
        # A case that is interrupted because the session ends says nothing about its tree.
        if self._stop.no_more:
            return Pair(self._halves, self._plan.cpu, sampled_s, ENDED)
        return trouble

    async def _closed(self, sampled_s: float) -> Pair:
        void = ENDED if self._stop.no_more else ""
        for number, half in enumerate(self._halves):
            answer = await self._ask(number, {"do": "close"})
            half.whole, half.latency = answer["samples"], answer["latency"]
            half.declared, half.modules = answer["declared"], answer["modules"]
            void = void or answer["void"] or ""
        return Pair(self._halves, self._plan.cpu, sampled_s, void)

    async def _ask(self, number: int, command: dict[str, Any]) -> dict[str, Any]:
        child = self._children[number]
        try:
            async with asyncio.timeout(self._plan.timeout_s + REACTION_S):
                return await child.ask(command)
        except TimeoutError:
            await child.kill_with_stacks()
            raise _HalfDied(number, "did not react to its time-out, and was killed") from None
        except ChildDied as death:
            raise _HalfDied(number, death.how) from None

    def _trouble(self, number: int, answer: dict[str, Any] | None) -> SideTrouble | None:
        if answer is None:
            return None
        result = CaseResult.from_json(answer)
        if result.status is Status.PASSED:
            return None
        return SideTrouble(number, result, self._children[number].take_output()[0])


class _HalfDied(Exception):
    def __init__(self, number: int, how: str) -> None:
        super().__init__(how)
        self.number = number
        self.how = how
