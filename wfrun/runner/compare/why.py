"""Why a case got worse: what its functions did before and after, in exact counts, the likely reasons first.

Theory of operation. Counts are the same for the same work, so a function that is called more often, or asks for more
memory, has changed; times are not, so a time alone counts only where it grew by much. What a change costs is estimated
in parts of the whole repetition: for times by how much longer the function itself took, as far as its calls or a large
growth explain it; for memory by how much more of it the function asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from wfrun.runner.child.messages import MOST_FUNCTIONS
from wfrun.units import format_bytes, format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wfrun.runner.record.measurements import FunctionRecord

__all__ = ["Cost", "FunctionChange", "cost_of", "why"]

MOST: Final = 5
"""Functions named."""
LEAST_SHARE: Final = 0.01
"""Of the whole repetition; what costs less explains nothing."""
LONGER: Final = 1.25
"""Times of one counted repetition scatter; of a function that is called as often as before, less says nothing."""

Cost: TypeAlias = Literal["time", "memory", "calls"]
"""What there is more of."""


@dataclass(frozen=True, slots=True)
class FunctionChange:
    """What one function did before and after, and how much of the repetition that is likely to cost."""

    file: str
    """From the project's folder on, or from where libraries lie."""
    line: int
    """Its first line after the change."""
    name: str
    calls_before: int | None
    """``None`` where it was not among the functions that were kept then, so that it may have been called a little."""
    calls_after: int
    own_ns_before: int
    own_ns_after: int
    allocated_bytes_before: int
    allocated_bytes_after: int
    share: float
    """Of the whole repetition before: 0.25 means that this alone makes it a quarter more."""

    def describe(self) -> str:
        """Return a sentence such as ``parse() in app/codec.py:41 called 300 → 600 times``."""
        facts = []
        if self.calls_before is None:
            facts.append(f"called {self.calls_after:,} times, and hardly before")
        elif self.calls_before != self.calls_after:
            facts.append(f"called {self.calls_before:,} → {self.calls_after:,} times")
        if _differs(self.allocated_bytes_before, self.allocated_bytes_after):
            before, after = format_bytes(self.allocated_bytes_before), format_bytes(self.allocated_bytes_after)
            facts.append(f"asked for {before} → {after}")
        if not facts:
            before, after = format_duration(self.own_ns_before / 1e9), format_duration(self.own_ns_after / 1e9)
            facts.append(f"took {before} → {after} by itself")
        return f"{self.name}() in {self.file}:{self.line} {', '.join(facts)}"


def why(
    before: Sequence[FunctionRecord], after: Sequence[FunctionRecord], cost: Cost = "time"
) -> tuple[FunctionChange, ...]:
    """Return the functions that are likely to be why a repetition takes more than before, the dearest first.

    There are none where nothing stands out, as where it waits longer for something else.

    Args:
        before: What the functions did, as a counting run kept it; functions that did little may be left out.
        after: The same, of the case as it is now.
        cost: What it takes more of, see :func:`cost_of`.
    """
    old, new = _by_function(before), _by_function(after)
    changes = []
    whole = sum(_cost(each, cost) for each in before) or 1
    for key, now in new.items():
        then = old.get(key)
        change = _change(then, now, cost, whole, cut=len(before) >= MOST_FUNCTIONS)
        if change.share >= LEAST_SHARE:
            changes.append(change)
    changes.sort(key=lambda change: -change.share)
    return tuple(changes[:MOST])


def _by_function(functions: Sequence[FunctionRecord]) -> dict[tuple[str, str, int], FunctionRecord]:
    """Return the functions by file, name, and how many of that name stand above: lines move when code is edited."""
    found: dict[tuple[str, str, int], FunctionRecord] = {}
    for function in sorted(functions, key=lambda each: each.line):
        number = 0
        while (function.file, function.name, number) in found:
            number += 1
        found[function.file, function.name, number] = function
    return found


def _change(then: FunctionRecord | None, now: FunctionRecord, cost: Cost, whole: int, *, cut: bool) -> FunctionChange:
    calls, own_ns, allocated = (0, 0, 0) if then is None else (then.calls, then.own_ns, then.allocated_bytes)
    grown = _cost(now, cost) - (0 if then is None else _cost(then, cost))
    if cost == "time" and calls == now.calls and now.own_ns < LONGER * own_ns:
        grown = 0
    return FunctionChange(
        file=now.file,
        line=now.line,
        name=now.name,
        calls_before=None if then is None and cut else calls,
        calls_after=now.calls,
        own_ns_before=own_ns,
        own_ns_after=now.own_ns,
        allocated_bytes_before=allocated,
        allocated_bytes_after=now.allocated_bytes,
        share=grown / whole,
    )


def cost_of(metric: str, unit: str) -> Cost:
    """Return what a change of ``metric``, in ``unit``, for the worse is to be explained by."""
    if unit == "B":
        return "memory"
    return "calls" if metric in {"function_calls", "loop_handles", "loop_iterations"} else "time"


def _cost(function: FunctionRecord, cost: Cost) -> int:
    costs = {"time": function.own_ns, "memory": function.allocated_bytes, "calls": function.calls}
    return costs[cost]


def _differs(before: int, after: int) -> bool:
    return abs(after - before) > max(before, after) * 0.05
