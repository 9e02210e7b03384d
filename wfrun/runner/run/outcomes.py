"""What became of every planned case."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wfrun.runner.child.messages import Generation, Status
    from wfrun.runner.plan.planned import PlannedCase

__all__ = ["CapturedOutput", "Outcome", "RunResult"]


@dataclass(frozen=True, slots=True)
class CapturedOutput:
    """What a case wrote to its standard output and error, in order; the middle of a flood is dropped and counted."""

    text: str = ""
    dropped_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The one result of one planned case."""

    case: PlannedCase
    status: Status
    duration_s: float
    message: str = ""
    """One line for a person; empty when passed."""
    details: str = ""
    """Traceback with the values of a failed assertion's parts, or what is known of a crash."""
    output: CapturedOutput = CapturedOutput()
    items: int = 0
    notes: dict[str, Any] = field(default_factory=dict)
    """JSON values the case attached, by name; of a measured case those of its last process."""
    generations: tuple[Generation, ...] = ()
    """A measured case's figures, one entry per fresh process; empty otherwise."""
    control: tuple[Generation, ...] = ()
    """The figures of an empty case in the same suite, which memory is counted above."""
    unfinished_teardowns: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    """What tools such as ``--debug`` found, each in one line or more."""
    warnings: tuple[str, ...] = ()
    """Sentences for the reader that change nothing about how it ended."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """All outcomes of a session, and how it ended."""

    outcomes: tuple[Outcome, ...]
    """In the order they finished."""
    interrupted: bool = False
    faults: tuple[str, ...] = ()
    """Where wfrun contradicted itself: ids without an outcome or with several. Not empty means exit 5."""
    duration_s: float = 0.0

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The outcomes that make the session fail."""
        return tuple(outcome for outcome in self.outcomes if outcome.status.bad)
