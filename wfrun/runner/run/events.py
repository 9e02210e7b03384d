"""What happens during a run, as values that reporters listen to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wfrun.runner.child.messages import FixtureFailure
    from wfrun.runner.plan.planned import Plan, PlannedCase
    from wfrun.runner.run.outcomes import Outcome, RunResult

__all__ = [
    "CaseFinished",
    "CaseStarted",
    "FixtureFailed",
    "GenerationFinished",
    "InterruptRequested",
    "RoundFinished",
    "RunEvent",
    "RunFinished",
    "RunStarted",
]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The plan is made and the first case is about to start."""

    plan: Plan
    workers: int
    confirming: bool = False
    """Whether these cases ran before, looked slower, and are measured a second time."""
    rounds: int | None = 1
    """How often the checked cases are gone through; ``None`` for until one fails."""


@dataclass(frozen=True, slots=True)
class CaseStarted:
    """A worker began a case."""

    case: PlannedCase
    worker: int


@dataclass(frozen=True, slots=True)
class GenerationFinished:
    """One fresh process of a measured case is done, or one pair of them: ``done`` of at most ``planned``."""

    case: PlannedCase
    done: int
    planned: int
    figure: str = ""
    """What is known so far, where that can be told."""


@dataclass(frozen=True, slots=True)
class CaseFinished:
    """A case has its outcome."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class RoundFinished:
    """All checked cases had their turn number ``number``."""

    number: int
    outcomes: Sequence[Outcome]


@dataclass(frozen=True, slots=True)
class FixtureFailed:
    """The tear-down of a fixture that outlived its cases failed."""

    failure: FixtureFailure


@dataclass(frozen=True, slots=True)
class InterruptRequested:
    """Ctrl-C: the first (``times`` 1) lets tear-downs run, the second ends everything at once."""

    times: int
    grace_s: float


@dataclass(frozen=True, slots=True)
class RunFinished:
    """Every case has its outcome, or never will."""

    result: RunResult


RunEvent = (
    RunStarted
    | CaseStarted
    | FixtureFailed
    | GenerationFinished
    | CaseFinished
    | RoundFinished
    | InterruptRequested
    | RunFinished
)
