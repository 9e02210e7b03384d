"""What ``--json`` writes: everything one session produced."""

from typing import Literal

from pydantic import AwareDatetime, Field, JsonValue

from wfrun.authoring.info import Kind, Tier
from wfrun.runner.child.messages import Status
from wfrun.runner.record.comparison_record import ComparedWith
from wfrun.runner.record.measurements import CaseMeasurements, ClosedModel

__all__ = [
    "SESSION_SCHEMA",
    "AttachmentRecord",
    "AttemptRecord",
    "CommandRecord",
    "FixtureFailureRecord",
    "LoadFailureRecord",
    "OutcomeRecord",
    "Protocol",
    "SessionRecord",
    "SourceRecord",
]

SESSION_SCHEMA = 1
"""The newest form of a session record that this wfrun reads and writes."""


class SourceRecord(ClosedModel):
    """Which source was tested: the commit, and what differed from it."""

    sha: str | None = Field(description="commit that was checked out; null before the first one")
    branch: str | None = Field(description="branch that was checked out; null for none")
    dirty: bool = Field(description="whether files differed from the commit")
    diff_hash: str | None = Field(description="hash of that difference; null when there was none")


class Protocol(ClosedModel):
    """How measured cases were sampled."""

    generations: int = Field(description="fresh processes per case, unless the case asked for another number")
    sampling_s: float = Field(description="time spent on repetitions in each process after one warm-up, in seconds")
    min_repetitions: int = Field(description="fewest repetitions in a process")
    max_repetitions: int = Field(description="most repetitions in a process")


class LoadFailureRecord(ClosedModel):
    """A suite file that could not be loaded."""

    file: str = Field(description="path of the suite file")
    message: str = Field(description="the error's type and text, on one line")
    traceback: str = Field(description="where it happened")


class AttemptRecord(ClosedModel):
    """A pass over a case that failed and was tried again."""

    status: Status = Field(description="failed, error, timed out or crashed")
    duration_s: float = Field(description="seconds that this attempt took")
    message: str = Field(description="one line for a person")
    details: str = Field(description="traceback, or what is known of a crash")
    output: str = Field(description="what it wrote to standard output and error")


class FixtureFailureRecord(ClosedModel):
    """A tear-down that failed after the cases which used the fixture had their results."""

    fixture: str = Field(description="its name")
    scope: str = Field(description="suite, session or shared")
    file: str = Field(description="path of the suite file that was left; empty at the end of a worker")
    message: str = Field(description="one line for a person")
    traceback: str = Field(description="where it happened")
    output: str = Field(description="what was printed meanwhile")


class CommandRecord(ClosedModel):
    """A command that makes a failure come back."""

    about: str = Field(description="what is known of the command, and for whom it is")
    command: str = Field(description="the words, quoted for a shell, to be run in the same folder")


class AttachmentRecord(ClosedModel):
    """What a case kept beside its result."""

    name: str = Field(description="what the case called it")
    size_bytes: int = Field(description="bytes of the whole, of which at most the first mebibyte is kept")
    text: str | None = Field(description="what is kept of it; null where it is no text")
    base64: str | None = Field(description="what is kept of it where it is no text; null where it is")


class OutcomeRecord(ClosedModel):
    """What became of one case."""

    id: str = Field(description="folder/suite::function[parameter=value]")
    title: str = Field(description="the case's title, with its parameters")
    suite: str = Field(description="the suite's title")
    kinds: tuple[Kind, ...] = Field(description="unit, integration, e2e, performance, stress")
    tier: Tier = Field(default=Tier.STANDARD, description="fast, standard, slow or infrastructure")
    tags: tuple[str, ...] = Field(description="the suite's and the case's")
    parameters: dict[str, str] = Field(description="each parameter's value, as text")
    file: str = Field(description="absolute path of the suite file")
    line: int = Field(description="line of the case's function, from 1")
    source_hash: str = Field(description="changes when the text of the case's function does")
    seed: int = Field(description="what the case's random numbers came from")
    measured: bool = Field(description="whether it was repeated in several fresh processes")
    status: Status = Field(
        description="passed, failed, error (set-up or tear-down), flaky, skipped, expected failure, timed out, crashed "
        "or interrupted"
    )
    duration_s: float = Field(description="seconds from its start to its outcome, all processes together")
    message: str = Field(description="one line for a person; empty when passed")
    details: str = Field(description="traceback with the values of a failed assertion, or what is known of a crash")
    output: str = Field(description="what it wrote to standard output and error")
    output_dropped_bytes: int = Field(description="bytes of output left out of the middle")
    items: int = Field(description="items one repetition worked on; 0 where the case does not count")
    notes: dict[str, JsonValue] = Field(
        description="values the case attached, by name; under waits who waited for what when it was stopped"
    )
    attachments: tuple[AttachmentRecord, ...] = Field(
        default=(), description="texts, bytes and files that it kept, by context.attach"
    )
    unfinished_teardowns: tuple[str, ...] = Field(description="tear-downs that were cut short or failed")
    findings: tuple[str, ...] = Field(default=(), description="what tools such as --debug found")
    measurements: CaseMeasurements | None = Field(description="null for a case that was not measured")
    turn: int = Field(default=0, description="which of its turns, from 1, where cases were repeated; else 0")
    attempts: tuple[AttemptRecord, ...] = Field(default=(), description="failures before this result, with --retries")
    reproduce: tuple[CommandRecord, ...] = Field(default=(), description="commands that make the failure come back")


class SessionRecord(ClosedModel):
    """One ``wfrun`` invocation."""

    format: Literal["wfrun-session"] = Field(default="wfrun-session", description="tells this file from others")
    schema_version: Literal[1] = Field(default=1, description="form of this file")
    created: AwareDatetime = Field(description="when the session ended, ISO 8601 with its offset from UTC")
    tool_version: str = Field(description="version of wfrun that wrote it")
    seed: int = Field(description="seed of the session; --seed repeats it")
    fingerprint: dict[str, JsonValue] = Field(
        description="the machine and interpreter; cpu_model, cpu_count, architecture and python_minor decide "
        "whether times may be compared, the rest explains"
    )
    conditions: dict[str, JsonValue] = Field(description="what the machine was doing: load, memory, limits")
    source: SourceRecord | None = Field(description="null outside a git repository")
    source_doubt: str = Field(default="", description="why source is null")
    protocol: Protocol = Field(description="how measured cases were sampled")
    duration_s: float = Field(description="seconds from the first case's start to the last outcome")
    interrupted: bool = Field(description="whether Ctrl-C ended it")
    faults: tuple[str, ...] = Field(description="where wfrun contradicted itself; not empty means no trust")
    discovered: int = Field(description="cases there were to choose from")
    planned: int = Field(description="cases that were to run, each turn counted where they were repeated")
    selected: int = Field(default=0, description="cases that were chosen, in all shards together")
    in_shard: int = Field(default=0, description="those of them that fell to this shard")
    selection: str = Field(
        default="", description="hash of the ids of the chosen cases: the same for the shards of one selection"
    )
    shard: str | None = Field(default=None, description="which part of the chosen cases ran, such as 1/3; null for all")
    order: Literal["file", "random"] = Field(default="file", description="in which order cases started")
    exit_code: int | None = Field(default=None, description="what the session ended with; null where it is not known")
    load_failures: tuple[LoadFailureRecord, ...] = Field(description="suite files that could not be loaded")
    fixture_failures: tuple[FixtureFailureRecord, ...] = Field(
        default=(), description="tear-downs of fixtures that failed after their cases had ended"
    )
    outcomes: tuple[OutcomeRecord, ...] = Field(description="in the order they finished")
    warnings: tuple[str, ...] = Field(
        default=(), description="doubts about what is recorded, and what suites changed and wfrun undid"
    )
    comparison: ComparedWith | None = Field(
        default=None, description="what the session was compared with, and the verdicts; null for nothing"
    )

    @property
    def measured_green(self) -> tuple[OutcomeRecord, ...]:
        """The cases that were measured, passed, and have figures."""
        passed = (outcome for outcome in self.outcomes if outcome.status is Status.PASSED)
        return tuple(outcome for outcome in passed if outcome.measurements and outcome.measurements.metrics)
