"""What every bench module shares: a bar that is met or missed, and candidates measured in turns.

Absolute times on a shared machine say little, so each bar is a ratio of candidates that take turns within one run:
whatever slows the machine for a moment slows both. The order rotates each round, and the ratio is the median of the
rounds' own ratios.
"""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Bar", "Candidate", "interleave", "ratio_bar", "ratios"]

Candidate: TypeAlias = Callable[[int], float]
"""Takes the round's number, returns what the turn cost."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One promise about performance, and what was measured."""

    name: str
    ratio: float
    """What was measured: usually how many times as fast as the peer, else an amount that ``details`` gives a unit."""
    required: float | None
    """``None`` for a figure that is shown and not promised."""
    better: Literal[">=", "<="] = ">="
    details: str = ""

    @property
    def met(self) -> bool:
        """Whether the promise holds; what is not promised cannot be missed."""
        if self.required is None:
            return True
        return self.ratio >= self.required if self.better == ">=" else self.ratio <= self.required


def interleave(candidates: Mapping[str, Candidate], rounds: int = 7) -> dict[str, list[float]]:
    """Run every candidate once a round, in an order that rotates; return what each returned, by round.

    A candidate takes the round's number, to make inputs nobody had before, and returns its cost: a time it took
    itself, for an item or for everything, in the same unit as its peers. One round before the first warms up and
    does not count. Garbage is collected before each turn and not during it.
    """
    names = list(candidates)
    costs: dict[str, list[float]] = {name: [] for name in names}
    for round_number in range(-1, rounds):
        shift = round_number % len(names)
        for name in names[shift:] + names[:shift]:
            gc.collect()
            gc.disable()
            try:
                cost = candidates[name](round_number + 1)
            finally:
                gc.enable()
            if round_number >= 0:
                costs[name].append(cost)
    return costs


def ratios(costs: Mapping[str, list[float]], peer: str, ours: str) -> list[float]:
    """Return, round by round, how many times as fast ``ours`` was as ``peer``."""
    return [theirs / mine for theirs, mine in zip(costs[peer], costs[ours], strict=True)]


def ratio_bar(name: str, costs: Mapping[str, list[float]], peer: str, ours: str, required: float | None) -> Bar:
    """Return the bar that ``ours`` is ``required`` times as fast as ``peer``, if that is promised; costs are in ns."""
    each = ratios(costs, peer, ours)
    details = (
        f"{peer} {statistics.median(costs[peer]):,.0f} ns, {ours} {statistics.median(costs[ours]):,.0f} ns, "
        f"rounds {min(each):.2f} to {max(each):.2f}"
    )
    return Bar(name, statistics.median(each), required, details=details)
