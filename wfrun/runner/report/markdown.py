"""A session in Markdown, as GitHub and other places show it: the counts, then what failed, then the figures."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

from wfrun.runner.child.messages import Status
from wfrun.runner.compare.verdicts import Verdict
from wfrun.runner.report.delta_table import ORDER, change_shown, doubts_told, failing_lines, reasons_told, verdict_shown
from wfrun.runner.report.figures import COLUMNS, measured_outcomes
from wfrun.runner.report.repetition import repetition_lines
from wfrun.runner.report.summary import counts_line
from wfrun.runner.report.text import (
    case_title,
    first_and_last_lines,
    one_line,
    plural,
    printable,
    shown_path,
    turn_name,
)
from wfrun.units import format_duration, format_percent, format_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wfrun.runner.compare.verdicts import Comparison, MetricComparison
    from wfrun.runner.report.story import SessionStory
    from wfrun.runner.run.outcomes import Outcome

__all__ = ["comparison_markdown", "session_markdown"]

MOST_FAILURES: Final = 50
"""Told with their tracebacks; GitHub refuses a summary of more than a megabyte."""
LINES: Final = (25, 40)
MOST_DOUBTS: Final = 12
MOST_SAME: Final = 300
SLOWEST: Final = 10
MARKS: Final = {True: "✅", False: "❌"}


def session_markdown(story: SessionStory) -> str:
    """Return the whole page, which ends with a line break."""
    result = story.result
    good = not (result.failed or result.fixture_failures or story.discovery.failures or result.faults)
    good = good and not result.interrupted and not (story.comparison is not None and story.comparison.failing)
    parts = [f"## {MARKS[good]} wfrun: {_plain(counts_line(story).plain)}"]
    parts += [f"**fault of wfrun itself**: {_plain(fault)}" for fault in story.result.faults]
    for failure in story.discovery.failures:
        summary = f"<b>LOAD</b> {_plain(shown_path(failure.file))}: {_plain(failure.message)}"
        parts.append(_folded(summary, [_block(failure.traceback)]))
    for broken in result.fixture_failures:
        summary = f"<b>tear-down</b> {broken.scope} fixture {_plain(broken.fixture)}: {_plain(broken.message)}"
        parts.append(_folded(summary, [_block(broken.traceback), _block(broken.output)]))
    told = [o for o in story.result.outcomes if o.status.bad] + list(story.result.flaky)
    parts += [_failure(story, outcome) for outcome in told[:MOST_FAILURES]]
    if len(told) > MOST_FAILURES:
        rows = [[o.status.value, turn_name(o.case), o.message] for o in told[MOST_FAILURES:]]
        parts.append(_table(["status", "case", "message"], rows))
    parts += [_plain(line.plain) for line in repetition_lines(story.result)]
    if story.comparison is not None:
        parts += ["### " + _compared_with(story.comparison), *_compared(story.comparison)]
    if figures := _figures(story):
        parts += ["### Measured", figures]
    parts.append(_slowest(story))
    parts += [_plain(note) for note in story.notes]
    return "\n\n".join(part for part in parts if part) + "\n"


def comparison_markdown(comparison: Comparison) -> str:
    """Return a comparison as a page of its own, which ends with a line break."""
    return (
        "\n\n".join([f"## {MARKS[not comparison.failing]} {_compared_with(comparison)}", *_compared(comparison)]) + "\n"
    )


def _failure(story: SessionStory, outcome: Outcome) -> str:
    info = outcome.case.info
    shown = outcome.attempts[0] if outcome.flaky else outcome
    summary = f"<b>{outcome.status.value}</b> {_plain(turn_name(outcome.case))}: {_plain(shown.message)}"
    body = [f"<code>{_plain(info.id)}</code>, {_plain(shown_path(info.file))}:{info.line}"]
    body += [_block(shown.details)] if shown.details else []
    body += ["Output:\n\n" + _block(shown.output.text)] if shown.output.text.strip() else []
    for hint in story.hints(outcome):
        body += [_plain(hint.about), _block(hint.command)]
    return _folded(summary, body)


def _compared_with(comparison: Comparison) -> str:
    return "Compared with " + _plain(shown_path(comparison.baseline_path))


def _compared(comparison: Comparison) -> Iterator[str]:
    """Yield what changed or is in doubt as a table, the doubts in words, and folded what stayed the same."""
    rows = sorted(comparison.metrics, key=lambda row: ORDER.index(row.verdict))
    told = [row for row in rows if _is_told(row)]
    head = ["case", "metric", comparison.old_name, comparison.new_name, "change", "interval", "verdict"]
    if told:
        yield _table([_plain(name) for name in head], map(_compared_row, told))
    yield from (_plain(line) for line in failing_lines(comparison))
    if reasons := list(reasons_told(told)):
        yield "\n".join(f"- {_plain(line)}" for line in reasons)
    doubts = list(doubts_told(comparison, told))
    if doubts:
        yield "\n".join(f"- {_plain(doubt)}" for doubt in doubts[:MOST_DOUBTS])
    if len(doubts) > MOST_DOUBTS:
        yield f"and {len(doubts) - MOST_DOUBTS} more doubts"
    same = [row for row in rows if row.gates and row.verdict is Verdict.SAME]
    if same:
        table = _table([_plain(name) for name in head], map(_compared_row, same[:MOST_SAME]))
        yield _folded(f"{plural(len(same), 'metric')} the same", [table])


def _is_told(row: MetricComparison) -> bool:
    return row.verdict in {Verdict.REGRESSED, Verdict.IMPROVED} or (row.gates and row.verdict is not Verdict.SAME)


def _compared_row(row: MetricComparison) -> list[str]:
    interval = "" if row.interval is None else f"{format_percent(row.interval[0])} … {format_percent(row.interval[1])}"
    old, new = _value(row.old, row.unit), _value(row.new, row.unit)
    return [row.title, row.metric, old, new, change_shown(row), interval, verdict_shown(row)]


def _figures(story: SessionStory) -> str:
    measured = [] if story.record is None else measured_outcomes(story.record)
    rows = []
    for outcome, measurements in measured:
        found = [measurements.metrics.get(metric) for metric in COLUMNS.values()]
        values = ["-" if metric is None else format_value(metric.p50, metric.unit) for metric in found]
        rows.append([f"{outcome.suite} · {case_title(outcome)}", *values])
    return _table(["case", *COLUMNS], rows) if rows else ""


def _slowest(story: SessionStory) -> str:
    ran = [o for o in story.result.outcomes if o.status is not Status.NOT_RUN and not o.case.measured]
    slowest = sorted(ran, key=lambda outcome: -outcome.duration_s)[:SLOWEST]
    rows = [[o.status.value, turn_name(o.case), format_duration(o.duration_s)] for o in slowest]
    return _folded("the slowest cases", [_table(["status", "case", "time"], rows)]) if rows else ""


def _value(value: float | None, unit: str) -> str:
    return "-" if value is None else format_value(value, unit)


def _folded(summary: str, body: Iterable[str]) -> str:
    # The empty lines make what is inside Markdown again.
    return "\n\n".join([f"<details><summary>{summary}</summary>", *body, "</details>"])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def lines() -> Iterator[str]:
        yield _row(head)
        yield _row(["---"] * len(head))
        for row in rows:
            yield _row([_plain(cell) for cell in row])

    return "\n".join(lines())


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _block(text: str) -> str:
    """Return ``text`` as it is, between fences that it does not contain itself."""
    text = first_and_last_lines(printable(text).rstrip(), *LINES)
    longest = max((len(found) for found in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"


def _plain(text: str) -> str:
    """Return ``text`` on one line with nothing in it that Markdown, or HTML in it, would take for its own."""
    escaped = html.escape(one_line(text), quote=False)
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", escaped)
