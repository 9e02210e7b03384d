"""One line for a case that has finished, and what may follow it: the forms that live progress and summary share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from rich.text import Text

from wfrun.runner.child.messages import EVENT_LOOP, Status
from wfrun.runner.report.text import first_and_last_lines, one_line, plural, printable, turn_name
from wfrun.units import format_bytes, format_duration

if TYPE_CHECKING:
    from wfrun.runner.child.messages import FixtureFailure
    from wfrun.runner.run.outcomes import CapturedOutput, Outcome

__all__ = [
    "STYLES",
    "attachment_lines",
    "findings_lines",
    "finished_line",
    "fixture_line",
    "output_lines",
    "told_when_verbose",
]

LABELS: Final = {
    Status.PASSED: "PASS",
    Status.FAILED: "FAIL",
    Status.ERROR: "ERROR",
    Status.FLAKY: "FLAKY",
    Status.SKIPPED: "SKIP",
    Status.EXPECTED_FAILURE: "XFAIL",
    Status.TIMED_OUT: "TIMEOUT",
    Status.CRASHED: "CRASH",
    Status.INTERRUPTED: "STOPPED",
    Status.NOT_RUN: "NOT RUN",
}

STYLES: Final = {
    Status.PASSED: "green",
    Status.FAILED: "bold red",
    Status.ERROR: "bold red",
    Status.FLAKY: "bold yellow",
    Status.SKIPPED: "yellow",
    Status.EXPECTED_FAILURE: "yellow",
    Status.TIMED_OUT: "bold red",
    Status.CRASHED: "bold red",
    Status.INTERRUPTED: "yellow",
    Status.NOT_RUN: "yellow",
}

OUTPUT_LINES: Final = (15, 45)
"""Lines of captured output shown from its beginning and its end, unless everything is wanted."""


def finished_line(outcome: Outcome) -> Text:
    """Return ``PASS  Suite · Case  (412 ms)``, with the reason of a skip behind it or of a failure below it."""
    line = Text.assemble(
        (f"{LABELS[outcome.status]:<4}  ", STYLES[outcome.status]),
        turn_name(outcome.case),
        (f"  ({format_duration(outcome.duration_s)})" if outcome.duration_s else "", "dim"),
    )
    if outcome.flaky:
        line.append(f"  passed at attempt {len(outcome.attempts) + 1}", "yellow")
    elif outcome.attempts:
        line.append(f"  failed {plural(len(outcome.attempts) + 1, 'time')}", "red")
    if outcome.message and outcome.status.good:
        line.append(f"  {one_line(outcome.message)}", "yellow")
    elif outcome.message:
        line.append(f"\n      {one_line(outcome.message)}", STYLES[outcome.status])
    return line


def findings_lines(outcome: Outcome) -> Text:
    """Return what tools found in a case, each thing from a line of its own on."""
    lines = Text()
    for finding in outcome.findings:
        first, *rest = printable(finding).splitlines() or [""]
        lines.append(f"\n      {first}" if lines else f"      {first}", "yellow" if first.startswith("! ") else "bold")
        lines.append("".join(f"\n        {line}" for line in rest))
    return lines


def fixture_line(failure: FixtureFailure) -> Text:
    """Return ``ERROR  tear-down of the suite fixture db`` with what went wrong below it."""
    what = "of the event loop" if failure.fixture == EVENT_LOOP else f"of the {failure.scope} fixture {failure.fixture}"
    line = Text.assemble(("ERROR  ", STYLES[Status.ERROR]), f"tear-down {one_line(what)}")
    return line.append(f"\n      {one_line(failure.message)}", STYLES[Status.ERROR])


def told_when_verbose(outcome: Outcome) -> Text | None:
    """Return what a case left behind besides its status: items, notes, output; ``None`` where that is nothing."""
    told = Text()
    if outcome.items:
        told.append(f"      {plural(outcome.items, 'item')}\n")
    for name, value in outcome.notes.items():
        told.append(f"      {one_line(name)}: {one_line(json.dumps(value, ensure_ascii=False, default=str))}\n")
    told.append_text(attachment_lines(outcome))
    told.append_text(output_lines(outcome.output, everything=True))
    told.rstrip()
    return told if told.plain else None


def attachment_lines(outcome: Outcome) -> Text:
    """Return a line for each attachment: its name and size."""
    lines = Text()
    for attachment in outcome.attachments:
        lines.append(f"      attached: {one_line(attachment.name)} ({format_bytes(attachment.size_bytes)})\n", "dim")
    return lines


def output_lines(output: CapturedOutput, *, everything: bool) -> Text:
    """Return captured output under a heading that says how much of it is missing; empty where there was none."""
    text = printable(output.text).rstrip()
    dropped = output.dropped_bytes
    if not (text or dropped):
        return Text()
    if not everything:
        text = first_and_last_lines(text, *OUTPUT_LINES)
    missing = f", {dropped:,} bytes ({format_bytes(dropped)}) from its middle dropped" if dropped else ""
    lines = Text(f"      captured output{missing}:\n", "dim")
    for line in text.splitlines():
        lines.append(f"      | {line}\n")
    return lines
