"""A session as one page of HTML that needs nothing but itself: to be kept, sent, and read without a script."""

from __future__ import annotations

import json
from collections import Counter
from html import escape
from typing import TYPE_CHECKING, Final

from wfrun.runner.child.messages import Status
from wfrun.runner.report.delta_table import change_shown
from wfrun.runner.report.figures import COLUMNS, measured_outcomes
from wfrun.runner.report.html_style import SCRIPT, STYLE
from wfrun.runner.report.repetition import repetition_lines
from wfrun.runner.report.summary import counts_line
from wfrun.runner.report.text import case_title, one_line, printable, shown_path, turn_name
from wfrun.units import format_bytes, format_duration, format_value
from wfrun.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wfrun.runner.compare.verdicts import Comparison
    from wfrun.runner.report.story import SessionStory
    from wfrun.runner.run.outcomes import Outcome

__all__ = ["session_page"]

ORDER: Final = (
    *(status for status in Status if status.bad),
    Status.FLAKY,
    Status.INTERRUPTED,
    Status.NOT_RUN,
    Status.EXPECTED_FAILURE,
    Status.SKIPPED,
    Status.PASSED,
)
# The browser may load nothing, whatever a case printed or a title says.
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def session_page(story: SessionStory) -> str:
    """Return the whole document: the counts, then the cases with the failed ones first, then the figures."""
    counts = one_line(counts_line(story).plain)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>wfrun: {escape(counts)}</title>",
            f"<style>{STYLE}</style>",
            "</head>",
            "<body>",
            *_header(story, counts),
            *_load_failures(story),
            *_fixture_failures(story),
            *_cases(story),
            *_comparison(story.comparison),
            *_figures(story),
            f"<script>{SCRIPT}</script>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _header(story: SessionStory, counts: str) -> Iterator[str]:
    yield f"<header><h1>wfrun: {escape(counts)}</h1>"
    facts = [f"wfrun {__version__}", f"{story.plan.discovered:,} cases found", f"seed {story.plan.seed}"]
    record = story.record
    if record is not None:
        facts.append(f"{record.created:%Y-%m-%d %H:%M %Z}")
        facts += [str(record.fingerprint[key]) for key in ("cpu_model", "python") if record.fingerprint.get(key)]
        if record.source is not None and record.source.sha:
            changed = " with changes" if record.source.dirty else ""
            facts.append(f"commit {record.source.sha[:10]}{changed}")
    yield f'<p class="dim">{escape(" · ".join(facts))}</p>'
    warnings = () if record is None else record.warnings
    remarks = [*(f"fault of wfrun itself: {fault}" for fault in story.result.faults), *warnings, *story.notes]
    remarks += [line.plain for line in repetition_lines(story.result)]
    yield from (f"<p>{escape(one_line(remark))}</p>" for remark in remarks)
    yield "</header>"


def _load_failures(story: SessionStory) -> Iterator[str]:
    if story.discovery.failures:
        yield "<h2>Suite files that did not load</h2>"
    for failure in story.discovery.failures:
        yield (
            f'<details open><summary><span class="status bad">load</span> {_text(shown_path(failure.file))}: '
            f"{_text(failure.message)}</summary>{_block(failure.traceback)}</details>"
        )


def _fixture_failures(story: SessionStory) -> Iterator[str]:
    if story.result.fixture_failures:
        yield "<h2>Tear-downs that failed after the cases</h2>"
    for failure in story.result.fixture_failures:
        where = f" in {_text(shown_path(failure.file))}" if failure.file else ""
        yield (
            f'<details open><summary><span class="status bad">tear-down</span> {_text(failure.scope)} fixture '
            f"{_text(failure.fixture)}{where}: {_text(failure.message)}</summary>"
            f"{_block(failure.traceback)}{_block(failure.output)}</details>"
        )


def _cases(story: SessionStory) -> Iterator[str]:
    ran = [outcome for outcome in story.result.outcomes if outcome.status is not Status.NOT_RUN]
    yield "<h2>Cases</h2>"
    yield from _filter(Counter(outcome.status for outcome in ran))
    yield '<div class="cases">'
    longest_s = max((outcome.duration_s for outcome in ran), default=0.0) or 1.0
    for outcome in sorted(ran, key=lambda outcome: ORDER.index(outcome.status)):
        yield _case(story, outcome, longest_s)
    yield "</div>"
    if story.not_run:
        names = "".join(f"<li>{_text(turn_name(case))}</li>" for case in story.not_run)
        yield f"<details><summary>{len(story.not_run):,} not run</summary><ul>{names}</ul></details>"


def _filter(counts: Counter[Status]) -> Iterator[str]:
    yield '<div class="filter" role="group" aria-label="Show cases by status">'
    yield f'<button type="button" data-status="" aria-pressed="true">all {counts.total():,}</button>'
    for status in ORDER:
        if counts[status]:
            yield (
                f'<button type="button" class="{_tone(status)}" data-status="{status.value}" aria-pressed="false">'
                f"{status.value} {counts[status]:,}</button>"
            )
    yield "</div>"


def _case(story: SessionStory, outcome: Outcome, longest_s: float) -> str:
    share = 100 * outcome.duration_s / longest_s
    row = (
        f'<span class="status {_tone(outcome.status)}">{outcome.status.value}</span>'
        f"<span>{_text(turn_name(outcome.case))}</span>"
        f'<span class="track"><span class="bar" style="display:block;width:{share:.1f}%"></span></span>'
        f'<span class="time">{_text(format_duration(outcome.duration_s))}</span>'
    )
    # What passed is folded away, and what failed is what one came to read.
    unfolded = " open" if outcome.status.bad else ""
    body = "".join(_body(story, outcome))
    return (
        f'<details class="case" data-status="{outcome.status.value}"{unfolded}><summary class="row">{row}</summary>'
        f'<div class="body">{body}</div></details>'
    )


def _body(story: SessionStory, outcome: Outcome) -> Iterator[str]:
    info = outcome.case.info
    facts = [
        f"{shown_path(info.file)}:{info.line}",
        ", ".join(info.kinds),
        info.tier.value,
        f"seed {outcome.case.seed}",
    ]
    facts += [f"tags {', '.join(info.tags)}"] if info.tags else []
    yield f'<p class="dim"><code>{_text(info.id)}</code> · {_text(" · ".join(facts))}</p>'
    if outcome.message:
        yield f'<p class="{_tone(outcome.status)}">{_text(outcome.message)}</p>'
    for number, attempt in enumerate(outcome.attempts, 1):
        yield f"<p>attempt {number}: {attempt.status.value} {_text(attempt.message)}</p>{_block(attempt.details)}"
        yield _block(attempt.output.text)
    yield _block(outcome.details)
    for told in (*outcome.warnings, *outcome.findings):
        yield f'<p class="doubt">{_text(told)}</p>'
    for teardown in outcome.unfinished_teardowns:
        yield f'<p class="doubt">tear-down did not finish: {_text(teardown)}</p>'
    for hint in story.hints(outcome):
        yield f"<p>{_text(hint.about)}</p>{_block(hint.command)}"
    if outcome.notes:
        notes = ((name, json.dumps(value, ensure_ascii=False, default=str)) for name, value in outcome.notes.items())
        yield _table(("note", "value"), notes)
    for attachment in outcome.attachments:
        told = f"attachment {_text(attachment.name)}, {format_bytes(attachment.size_bytes)}"
        content = _block(attachment.text or "")
        yield f"<details><summary>{told}</summary>{content}</details>" if content else f"<p>{told}</p>"
    if outcome.output.text.strip():
        dropped = outcome.output.dropped_bytes
        missing = f", {dropped:,} bytes from its middle dropped" if dropped else ""
        yield f'<p class="dim">output{missing}</p>{_block(outcome.output.text)}'


def _comparison(comparison: Comparison | None) -> Iterator[str]:
    if comparison is None:
        return
    yield f"<h2>Compared with {_text(shown_path(comparison.baseline_path))}</h2>"
    rows = (
        (m.title, m.metric, _value(m.old, m.unit), _value(m.new, m.unit), change_shown(m), m.verdict.value)
        for m in sorted(comparison.metrics, key=lambda m: (m.verdict.value != "regressed", not m.gates, m.case_id))
    )
    yield _table(("case", "metric", "baseline", "now", "change", "verdict"), rows)
    yield from (f'<p class="doubt">{_text(warning)}</p>' for warning in comparison.warnings)


def _figures(story: SessionStory) -> Iterator[str]:
    measured = [] if story.record is None else measured_outcomes(story.record)
    if not measured:
        return
    yield "<h2>Measured, the slowest first</h2>"
    rows = []
    for outcome, measurements in measured:
        found = [measurements.metrics.get(metric) for metric in COLUMNS.values()]
        values = ["-" if metric is None else format_value(metric.p50, metric.unit) for metric in found]
        rows.append([f"{outcome.suite} · {case_title(outcome)}", *values])
    yield _table(("case", *COLUMNS), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    headings = "".join(f'<th scope="col">{_text(cell)}</th>' for cell in head)
    lines = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{headings}</tr></thead><tbody>{lines}</tbody></table></div>'


def _value(value: float | None, unit: str) -> str:
    return "-" if value is None else format_value(value, unit)


def _tone(status: Status) -> str:
    return "good" if status is Status.PASSED else "bad" if status.bad else "doubt"


def _text(text: str) -> str:
    return escape(one_line(text))


def _block(text: str) -> str:
    plain = printable(text).rstrip()
    return f"<pre>{escape(plain)}</pre>" if plain else ""
