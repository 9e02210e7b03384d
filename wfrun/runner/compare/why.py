"""Why a case got worse: what its functions did before and after, in exact counts, the likely reasons first.

Theory of operation. Counts are the same for the same work, so a function that is called more often, or asks for more
memory, has changed; times are not, so a time alone counts only where it grew by much. What a change costs is estimated
in parts of the whole repetition: for times by how much longer the function itself took, as far as its calls or a large
growth explain it; for memory by how much more of it the function asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wfrun.runner.record.measurements import FunctionRecord

__all__ = ["FunctionChange", "Why", "why"]

MOST: Final = 5
"""Functions named."""
LEAST_SHARE: Final = 0.01
"""Of the whole repetition; what costs less explains nothing."""
LONGER: Final = 1.25
"""Times of one counted repetition scatter; of a function that is called as often as before, less says nothing."""

Cost: TypeAlias = Literal["time", "memory"]


@dataclass(frozen=True, slots=True)
class FunctionChange:
    """What one function did before and after, and how much of the repetition that is likely to cost."""

    file: str
    """From the project's folder on, or from where libraries lie; ``~`` for what is written in C."""
    line: int
    """Its first line after the change; 0 for what is written in C."""
    name: str
    calls_before: int
    calls_after: int
    own_ns_before: int
    own_ns_after: int
    allocated_bytes_before: int
    allocated_bytes_after: int
    share: float
    """Of the whole repetition before: 0.25 means that this alone makes it a quarter more."""

    def describe(self) -> str:
        """Return a sentence such as ``parse() in app/codec.py:41 called 300 → 600 times``."""
        place = "" if self.file == "~" else f" in {self.file}:{self.line}"
        called = self.name if self.file == "~" else f"{self.name}()"
        facts = []
        if self.calls_before != self.calls_after:
            facts.append(f"called {self.calls_before:,} → {self.calls_after:,} times")
        if _differs(self.allocated_bytes_before, self.allocated_bytes_after):
            facts.append(f"asked for {self.allocated_bytes_before:,} → {self.allocated_bytes_after:,} B")
        if not facts:
            facts.append(f"took {self.own_ns_before / 1e3:,.0f} → {self.own_ns_after / 1e3:,.0f} µs by itself")
        return f"{called}{place} {', '.join(facts)}"


@dataclass(frozen=True, slots=True)
class Why:
    """The functions that are likely to have made a case worse, the dearest first; none where nothing stands out."""

    changes: tuple[FunctionChange, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """Return a sentence for each function."""
        return tuple(change.describe() for change in self.changes)


def why(before: Sequence[FunctionRecord], after: Sequence[FunctionRecord], cost: Cost = "time") -> Why:
    """Return which functions explain that a repetition takes more than before.

    Args:
        before: What the functions did, as a counting run kept it; functions that did little may be left out.
        after: The same, of the case as it is now.
        cost: What it takes more of: ``memory`` for a metric of memory or allocations, else ``time``.
    """
    old, new = _by_function(before), _by_function(after)
    changes = []
    whole = sum(_cost(each, cost) for each in before) or 1
    for key, now in new.items():
        then = old.get(key)
        change = _change(then, now, cost, whole)
        if change.share >= LEAST_SHARE:
            changes.append(change)
    changes.sort(key=lambda change: -change.share)
    return Why(tuple(changes[:MOST]))


def _by_function(functions: Sequence[FunctionRecord]) -> dict[tuple[str, str, int], FunctionRecord]:
    """Return the functions by file, name, and how many of that name stand above: lines move when code is edited."""
    found: dict[tuple[str, str, int], FunctionRecord] = {}
    for function in sorted(functions, key=lambda each: each.line):
        number = 0
        while (function.file, function.name, number) in found:
            number += 1
        found[function.file, function.name, number] = function
    return found


def _change(then: FunctionRecord | None, now: FunctionRecord, cost: Cost, whole: int) -> FunctionChange:
    calls, own_ns, allocated = (0, 0, 0) if then is None else (then.calls, then.own_ns, then.allocated_bytes)
    grown = _cost(now, cost) - (0 if then is None else _cost(then, cost))
    if cost == "time" and calls == now.calls and now.own_ns < LONGER * own_ns:
        grown = 0
    return FunctionChange(
        file=now.file,
        line=now.line,
        name=now.name,
        calls_before=calls,
        calls_after=now.calls,
        own_ns_before=own_ns,
        own_ns_after=now.own_ns,
        allocated_bytes_before=allocated,
        allocated_bytes_after=now.allocated_bytes,
        share=grown / whole,
    )


def _cost(function: FunctionRecord, cost: Cost) -> int:
    return function.own_ns if cost == "time" else function.allocated_bytes


def _differs(before: int, after: int) -> bool:
    return abs(after - before) > max(before, after) * 0.05
