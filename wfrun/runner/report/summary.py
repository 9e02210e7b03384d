"""The end of a session for people: what failed and why, what was measured, what to do next, and the counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from wfrun.runner.child.messages import Status
from wfrun.runner.report.delta_table import delta_table
from wfrun.runner.report.figures import declared_lines, figures_table
from wfrun.runner.report.lines import STYLES, attachment_lines, finished_line, fixture_line, output_lines
from wfrun.runner.report.repetition import repetition_lines
from wfrun.runner.report.stats import stats_lines
from wfrun.runner.report.text import first_and_last_lines, one_line, plural, printable, shown_path
from wfrun.runner.run.outcomes import CapturedOutput
from wfrun.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from wfrun.runner.child.messages import FixtureFailure, LoadFailure
    from wfrun.runner.report.commands import Hint
    from wfrun.runner.report.story import SessionStory
    from wfrun.runner.run.outcomes import Outcome

__all__ = ["counts_line", "summary"]

FAILURES_IN_FULL: Final = 40
"""Failures told with everything that is known; of further ones only the line is repeated."""
TRACE_LINES: Final = (25, 60)
"""Lines of a traceback shown from its beginning and its end, unless everything is wanted."""


def summary(story: SessionStory, *, verbosity: int = 0) -> list[RenderableType]:
    """Return the end of the session part by part as it is printed, the most important last.

    Args:
        story: The session.
        verbosity: -1 and 0 tell the same here; 1 shortens nothing.
    """
    everything = verbosity > 0
    parts: list[RenderableType] = []
    for failure in story.discovery.failures:
        parts += [Text(), _load_failure(failure, everything=everything)]
    told = [outcome for outcome in story.result.outcomes.told if _is_told(outcome)]
    for outcome in told[:FAILURES_IN_FULL]:
        parts += [Text(), _failure(outcome, story.hints(outcome), everything=everything)]
    for broken in story.result.fixture_failures:
        parts += [Text(), _fixture_failure(broken, everything=everything)]
    if len(told) > FAILURES_IN_FULL:
        parts += [Text(), Text(f"and {len(told) - FAILURES_IN_FULL} more, told in one line each:", "bold")]
        parts += [finished_line(outcome) for outcome in told[FAILURES_IN_FULL:]]
    figures = None if story.record is None else figures_table(story.record, everything=everything)
    if figures is not None:
        parts += [Text(), figures]
    declared = [] if story.record is None else declared_lines(story.record)
    if declared:
        parts += [Text("Declared by the cases", "bold"), *declared]
    if story.comparison is not None:
        parts += [Text(), *delta_table(story.comparison, everything=everything)]
    if story.stages_s:
        parts += [Text(), *stats_lines(story)]
    if story.table:
        parts += [Text(), Text(printable(story.table))]
    parts.append(Text())
    parts += _remarks(story)
    parts.append(counts_line(story))
    return parts


def counts_line(story: SessionStory) -> Text:
    """Return the last line: how many cases ended how, how long it took, and the seed that repeats it."""
    counts = story.result.outcomes.counts()
    not_run = story.not_run
    line = Text()
    # The bad news first; Status lists what a reader can be glad of before what needs work.
    for status in (*[s for s in Status if not s.good], *[s for s in Status if s.good]):
        count = counts[status]
        if count and status is not Status.NOT_RUN:
            line.append(" · " if line else "").append(f"{count:,} {status.value}", STYLES[status])
    if not_run:
        line.append(" · " if line else "").append(f"{len(not_run):,} not run", "yellow")
    if story.result.fixture_failures:
        failures = plural(len(story.result.fixture_failures), "tear-down")
        line.append(" · " if line else "").append(f"{failures} failed", "bold red")
    if story.discovery.failures:
        failures = plural(len(story.discovery.failures), "suite file")
        line.append(" · " if line else "").append(f"{failures} did not load", "bold red")
    if not line:
        line.append("no case ran", "yellow")
    others = story.plan.discovered - len({case.info.id for case in story.plan.cases})
    line.append(f" · {others:,} not selected" if others > 0 else "", "dim")
    line.append(f" · {format_duration(story.result.duration_s)} · seed {story.plan.seed}", "dim")
    return line


def _load_failure(failure: LoadFailure, *, everything: bool) -> Text:
    text = Text.assemble(("LOAD  ", "bold red"), (shown_path(failure.file), "bold"))
    text.append(f"\n      {one_line(failure.message)}", "bold red")
    return text.append_text(_block(failure.traceback, everything=everything))


def _is_told(outcome: Outcome) -> bool:
    if outcome.status is Status.NOT_RUN:
        return False
    return not outcome.status.good or outcome.flaky or bool(outcome.unfinished_teardowns)


def _failure(outcome: Outcome, hints: list[Hint], *, everything: bool) -> Text:
    info = outcome.case.info
    text = finished_line(outcome)
    text.append(f"\n      {shown_path(info.file)}:{info.line}  {one_line(info.id)}", "dim")
    for number, attempt in enumerate(outcome.attempts, 1):
        text.append(f"\n      attempt {number}: {attempt.status.value}  {one_line(attempt.message)}", "yellow")
    first = outcome.attempts[0] if outcome.flaky else outcome
    text.append_text(_block(first.details, everything=everything))
    if outcome.attachments:
        text.append("\n").append_text(attachment_lines(outcome))
        text.rstrip()
    for teardown in outcome.unfinished_teardowns:
        text.append(f"\n      tear-down did not finish: {one_line(teardown)}", "yellow")
    output = output_lines(first.output, everything=everything)
    if output:
        text.append("\n").append_text(output)
        text.rstrip()
    for hint in hints:
        text.append(f"\n      {hint.about}", "dim").append(f"\n        {printable(hint.command)}")
    return text


def _fixture_failure(failure: FixtureFailure, *, everything: bool) -> Text:
    text = fixture_line(failure)
    if failure.file:
        text.append(f"\n      {shown_path(failure.file)}", "dim")
    text.append_text(_block(failure.traceback, everything=everything))
    output = output_lines(CapturedOutput(failure.output), everything=everything)
    if output:
        text.append("\n").append_text(output)
        text.rstrip()
    return text


def _block(details: str, *, everything: bool) -> Text:
    details = printable(details).rstrip()
    if not everything:
        details = first_and_last_lines(details, *TRACE_LINES)
    return Text("".join(f"\n      {line}" for line in details.splitlines()))


def _remarks(story: SessionStory) -> Iterable[Text]:
    for fault in story.result.faults:
        yield Text(f"fault of wfrun itself, please report it: {one_line(fault)}", "bold red")
    if story.record is not None:
        yield from (Text(f"! {one_line(warning)}", "yellow") for warning in story.record.warnings)
    if story.result.interrupted:
        yield Text("interrupted: what had finished is reported, the rest is not", "yellow")
    yield from (Text(one_line(note)) for note in story.notes)
    yield from repetition_lines(story.result)
    failed = {outcome.case.info.id for outcome in story.result.failed}
    if len(failed) > 1:
        yield Text(f"to run the {len(failed):,} failed cases again: add --last-failed", "dim")
