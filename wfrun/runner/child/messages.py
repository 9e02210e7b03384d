"""What a child process tells its parent: plain values, as JSON in a frame."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, Final

from wfrun.authoring.attachments import Attachment

__all__ = [
    "DEAF_AND_DUMB",
    "EVENT_LOOP",
    "MOST_FUNCTIONS",
    "NOT_THERE",
    "CaseResult",
    "FixtureFailure",
    "Generation",
    "LoadFailure",
    "Status",
]

DEAF_AND_DUMB: Final = 113
"""Exit code of a child whose case closed the descriptors between it and its parent."""


MOST_FUNCTIONS: Final = 40
"""Functions that a counting run tells of: those that did most."""


class Status(StrEnum):
    """How a case ended. Exactly one of these for every planned case."""

    PASSED = "passed"
    FAILED = "failed"
    """An assertion did not hold, or the case raised."""
    ERROR = "error"
    """Set-up or tear-down failed, or the case could not be run as planned."""
    FLAKY = "flaky"
    """It failed, and passed when it was tried again; the parent's word, as a child makes one pass only."""
    SKIPPED = "skipped"
    EXPECTED_FAILURE = "expected failure"
    """It failed, as it says it is known to."""
    TIMED_OUT = "timed out"
    CRASHED = "crashed"
    """Its process ended underneath it."""
    INTERRUPTED = "interrupted"
    """Ctrl-C came while it ran."""
    NOT_RUN = "not run"
    """The session ended before its turn: after a failure with ``--fail-fast``, or by Ctrl-C."""

    @property
    def good(self) -> bool:
        """Whether the case ran, or said that it does not apply, and nothing was wrong."""
        return self in _GOOD

    @property
    def bad(self) -> bool:
        """Whether the case makes the session fail."""
        return self in _BAD


# Tuples find a member by its identity; a set would hash it, which for an enumeration is slow.
_GOOD: Final = (Status.PASSED, Status.FLAKY, Status.SKIPPED, Status.EXPECTED_FAILURE)
_BAD: Final = (Status.FAILED, Status.ERROR, Status.TIMED_OUT, Status.CRASHED)


@dataclass(frozen=True, slots=True)
class LoadFailure:
    """A suite file that could not be loaded."""

    file: str
    message: str
    """One line: the error's type and text."""
    traceback: str


NOT_THERE: Final = "the case that was planned is not there"
"""How the message begins where a child's suite file lacks the case that it is asked for."""

EVENT_LOOP: Final = "event loop"
"""In the place of a fixture's name: what cases left on their suite's loop did not let it close."""


@dataclass(frozen=True, slots=True)
class FixtureFailure:
    """A tear-down that failed after the cases which used the fixture had their results."""

    fixture: str
    scope: str
    message: str
    """One line: the error's type and text, or that it did not end."""
    traceback: str = ""
    file: str = ""
    """The suite file that was left then; empty at the end of a worker."""
    output: str = ""
    """What was printed meanwhile."""


@dataclass(frozen=True, slots=True)
class Generation:
    """What one fresh process measured of one case."""

    samples: dict[str, list[float]]
    """By metric (``wfrun.measure.metrics``): one number a repetition, or one a process."""
    latency: list[list[int]] = field(default_factory=list)
    """The merged latency histogram's pairs; empty where the case records none."""
    cpu: int | None = None
    """The core it was pinned to."""
    calibration_ns: list[float] = field(default_factory=list)
    """A fixed loop timed around the sampling: how fast the core was then."""
    others_share: float | None = None
    """The part of all processors' time that other programs took meanwhile; ``None`` where the system does not tell."""
    declared: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Metrics of the case's own, by name: unit, which direction is better, and threshold_percent."""
    void: str | None = None
    """Why this generation must not be used, such as a throttled control group."""
    functions: list[dict[str, Any]] = field(default_factory=list)
    """Of a counting run, what the functions did that did most: file, line, name, calls, own_ns, allocated_bytes."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


@dataclass(slots=True)
class CaseResult:
    """One pass over one case in one process, as that process saw it. Not frozen, as one is made for every case."""

    case_id: str
    status: Status
    duration_s: float
    message: str = ""
    """One line for a person; empty when passed."""
    details: str = ""
    """The traceback, with the values of a failed assertion's parts."""
    items: int = 0
    notes: dict[str, Any] = field(default_factory=dict)
    """JSON values that the case attached to its result, by name."""
    generation: Generation | None = None
    warnings: tuple[str, ...] = ()
    """Sentences for the reader that change nothing about how it ended, such as what was undone after it."""
    findings: tuple[str, ...] = ()
    """What tools such as ``--debug`` found, each in one line or more."""
    attachments: tuple[Attachment, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether there is nothing to say but how it ended and how long it took."""
        return not (
            self.message
            or self.details
            or self.items
            or self.notes
            or self.generation
            or self.warnings
            or self.findings
            or self.attachments
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values, without those that say nothing; the notes as they are, which may be anything."""
        values = {"case_id": self.case_id, "status": self.status, "duration_s": self.duration_s}
        if self.plain:
            return values
        values |= {name: value for name in _FURTHER if (value := getattr(self, name))}
        if self.generation is not None:
            values["generation"] = self.generation.to_json()
        if self.attachments:
            values["attachments"] = [attachment.to_json() for attachment in self.attachments]
        return values

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> CaseResult:
        """Return the result that :meth:`to_json` described."""
        status = Status(value["status"])
        if len(value) == _LEAST:
            return cls(value["case_id"], status, value["duration_s"])
        generation = value.get("generation")
        return cls(
            **{
                **value,
                "status": status,
                "attachments": tuple(Attachment(**attachment) for attachment in value.get("attachments", ())),
                "warnings": tuple(value.get("warnings", ())),
                "findings": tuple(value.get("findings", ())),
                "generation": None if generation is None else Generation(**generation),
            }
        )


_LEAST: Final = 3
"""Values that every result has: the case, how it ended, how long it took."""
_FURTHER: Final = tuple(each.name for each in fields(CaseResult))[_LEAST:]
