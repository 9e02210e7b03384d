"""What became of every planned case."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, overload

from wfrun.runner.child.messages import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wfrun.authoring.attachments import Attachment
    from wfrun.runner.child.messages import CaseResult, FixtureFailure, Generation
    from wfrun.runner.plan.planned import Plan, PlannedCase

__all__ = ["NO_OUTPUT", "Attempt", "CapturedOutput", "Outcome", "Outcomes", "RunResult", "captured", "outcome_of"]


@dataclass(frozen=True, slots=True)
class CapturedOutput:
    """What a case wrote to its standard output and error, in order; the middle of a flood is dropped and counted."""

    text: str = ""
    dropped_bytes: int = 0


NO_OUTPUT: Final = CapturedOutput()


def captured(taken: tuple[str, int]) -> CapturedOutput:
    """Return what was taken of a child's output; one value for all cases that printed nothing."""
    return CapturedOutput(*taken) if any(taken) else NO_OUTPUT


@dataclass(frozen=True, slots=True)
class Attempt:
    """A pass over a case that failed and was tried again."""

    status: Status
    duration_s: float
    message: str
    details: str
    output: CapturedOutput


@dataclass(frozen=True, slots=True)
class Outcome:
    """The one result of one planned case, or of one turn of it where cases are repeated."""

    case: PlannedCase
    status: Status
    duration_s: float
    message: str = ""
    """One line for a person; empty when passed."""
    details: str = ""
    """Traceback with the values of a failed assertion's parts, or what is known of a crash."""
    output: CapturedOutput = NO_OUTPUT
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
    attachments: tuple[Attachment, ...] = ()
    """What the case kept beside its result."""
    warnings: tuple[str, ...] = ()
    """Sentences for the reader that change nothing about how it ended."""
    attempts: tuple[Attempt, ...] = ()
    """The failures before this result, where cases are tried again; of a flaky case at least one."""
    process_cases: Sequence[PlannedCase] = ()
    """What its process ran, in order; shared by all outcomes of that process, and growing while it lives."""
    counted: Generation | None = None
    """What a repetition was counted to do, by a process of its own; ``None`` where it was not."""
    place: int = 0
    """How many of ``process_cases`` came before it."""

    @property
    def before(self) -> tuple[PlannedCase, ...]:
        """What ran before it in the same process, the first first; it may have left something behind."""
        return tuple(self.process_cases[: self.place])

    @property
    def flaky(self) -> bool:
        """Whether it failed, and passed when it was tried again."""
        return self.status is Status.FLAKY

    @property
    def near_time_out(self) -> bool:
        """Whether it passed, and may soon take too long: on a busier machine, or as it grows."""
        slow = self.duration_s > self.case.timeout_s / 2
        return slow and self.status is Status.PASSED and not self.case.measured

    @property
    def plain(self) -> bool:
        """Whether there is nothing to say but that it passed, and what it took."""
        return self.status is Status.PASSED and not (
            self.message
            or self.details
            or self.output.text
            or self.output.dropped_bytes
            or self.items
            or self.notes
            or self.generations
            or self.control
            or self.unfinished_teardowns
            or self.findings
            or self.attachments
            or self.warnings
            or self.attempts
            or self.process_cases
            or self.near_time_out
        )


class Outcomes(Sequence[Outcome]):
    """Outcomes in the order they finished.

    Of a plain one only what it took is kept, and it is made anew whenever it is looked at: there may be very many.
    """

    __slots__ = ("_kept", "_took_s", "told")

    def __init__(self, outcomes: Iterable[Outcome] = ()) -> None:
        self._kept: list[PlannedCase | Outcome] = []
        self._took_s = array("d")
        self.told: list[Outcome] = []
        """Those that are not plain, in the same order; all that did not pass are among them."""
        self.extend(outcomes)

    def extend(self, outcomes: Iterable[Outcome]) -> None:
        """Add what finished next."""
        for outcome in outcomes:
            plain = outcome.plain
            self._kept.append(outcome.case if plain else outcome)
            self._took_s.append(outcome.duration_s)
            if not plain:
                self.told.append(outcome)

    def cases(self) -> Iterator[PlannedCase]:
        """Return the case of each outcome, in order."""
        return (each.case if isinstance(each, Outcome) else each for each in self._kept)

    def counts(self) -> Counter[Status]:
        """Return how many ended how."""
        counts = Counter(outcome.status for outcome in self.told)
        counts[Status.PASSED] += len(self) - len(self.told)
        return counts

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Outcome]:
        for each, took_s in zip(self._kept, self._took_s, strict=True):
            yield each if isinstance(each, Outcome) else Outcome(each, Status.PASSED, took_s)

    @overload
    def __getitem__(self, index: int) -> Outcome: ...
    @overload
    def __getitem__(self, index: slice) -> Outcomes: ...
    def __getitem__(self, index: int | slice) -> Outcome | Outcomes:
        if isinstance(index, slice):
            return Outcomes(self[number] for number in range(*index.indices(len(self))))
        each = self._kept[index]
        return each if isinstance(each, Outcome) else Outcome(each, Status.PASSED, self._took_s[index])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __repr__(self) -> str:
        return f"<{len(self)} outcomes>"


@dataclass(frozen=True, slots=True, repr=False)
class RunResult:
    """All outcomes of a session, and how it ended."""

    outcomes: Outcomes
    """In the order they finished."""
    interrupted: bool = False
    faults: tuple[str, ...] = ()
    """Where wfrun contradicted itself: ids without an outcome or with several. Not empty means exit 5."""
    duration_s: float = 0.0
    plan: Plan | None = None
    """What ran, turn by turn: what was planned, with a case for each turn where cases were repeated."""
    rounds: int = 1
    """How often the checked cases were gone through; the last time perhaps not to its end."""
    green: Counter[str] = field(default_factory=Counter)
    """By id, the green turns of earlier rounds whose outcomes were not kept; see ``--until-failed``."""
    fixture_failures: tuple[FixtureFailure, ...] = ()
    """Tear-downs that failed after the cases which used the fixture had their results."""

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The outcomes that make the session fail."""
        return tuple(outcome for outcome in self.outcomes.told if outcome.status.bad)

    @property
    def flaky(self) -> tuple[Outcome, ...]:
        """The outcomes of cases that failed and then passed."""
        return tuple(outcome for outcome in self.outcomes.told if outcome.flaky)

    def __repr__(self) -> str:
        # Short, because asyncio makes the text of what it ran whenever it gives back the signal handlers.
        return f"<RunResult of {len(self.outcomes)} outcomes>"


def outcome_of(
    case: PlannedCase, result: CaseResult, output: CapturedOutput = NO_OUTPUT, unfinished_teardowns: Sequence[str] = ()
) -> Outcome:
    """Return what became of ``case`` in one pass."""
    return Outcome(
        case=case,
        status=result.status,
        duration_s=result.duration_s,
        message=result.message,
        details=result.details,
        output=output,
        items=result.items,
        notes=result.notes,
        unfinished_teardowns=tuple(unfinished_teardowns),
        findings=result.findings,
        attachments=result.attachments,
        warnings=result.warnings,
    )
