"""The cases of a session: a table of all of them, in which each unfolds to what is known of it."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Final

from wfrun.runner.child.messages import Status
from wfrun.runner.report.page.markup import anchor, block, table, text
from wfrun.runner.report.page.waits import wait_drawing
from wfrun.runner.report.text import plural, shown_path, turn_name
from wfrun.units import format_bytes, format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wfrun.runner.report.story import SessionStory
    from wfrun.runner.run.outcomes import Outcome

__all__ = ["cases", "failed_cases", "fixture_failures", "load_failures"]

ORDER: Final = (
    *(status for status in Status if status.bad),
    Status.FLAKY,
    Status.INTERRUPTED,
    Status.NOT_RUN,
    Status.EXPECTED_FAILURE,
    Status.SKIPPED,
    Status.PASSED,
)


def load_failures(story: SessionStory) -> Iterator[str]:
    """Yield the suite files that did not load."""
    if not story.discovery.failures:
        return
    yield '<section id="load"><h2>Suite files that did not load</h2>'
    for failure in story.discovery.failures:
        yield (
            f'<details class="card bad" open><summary><b class="bad">load</b> {text(shown_path(failure.file))}: '
            f"{text(failure.message)}</summary>{block(failure.traceback)}</details>"
        )
    yield "</section>"


def fixture_failures(story: SessionStory) -> Iterator[str]:
    """Yield the tear-downs that failed after their cases had ended."""
    if not story.result.fixture_failures:
        return
    yield '<section id="fixtures"><h2>Tear-downs that failed after the cases</h2>'
    for failure in story.result.fixture_failures:
        where = f" in {text(shown_path(failure.file))}" if failure.file else ""
        yield (
            f'<details class="card bad" open><summary><b class="bad">tear-down</b> {text(failure.scope)} fixture '
            f"{text(failure.fixture)}{where}: {text(failure.message)}</summary>"
            f"{block(failure.traceback)}{block(failure.output)}</details>"
        )
    yield "</section>"


def failed_cases(story: SessionStory) -> Iterator[str]:
    """Yield what failed and what was flaky, unfolded: this is what one came to read."""
    told = sorted((outcome for outcome in story.result.outcomes if _is_told(outcome)), key=_urgency)
    if not told:
        return
    yield '<section id="failed"><h2>What failed</h2>'
    for outcome in told:
        yield (
            f'<details class="card {tone(outcome.status)}" id="{_anchor(outcome)}" open><summary>'
            f'<b class="{tone(outcome.status)}">{outcome.status.value}</b> {text(turn_name(outcome.case))} '
            f"<small>{text(format_duration(outcome.duration_s))}</small></summary>{_body(story, outcome)}</details>"
        )
    yield "</section>"


def cases(story: SessionStory) -> Iterator[str]:
    """Yield a table of every case that ran, in which each unfolds, or leads to where it is told."""
    ran = [outcome for outcome in story.result.outcomes if outcome.status is not Status.NOT_RUN]
    yield '<section id="cases"><h2>Cases</h2>'
    if ran:
        yield from _filter(Counter(outcome.status for outcome in ran))
        yield '<table class="cases" data-sorts data-word="0"><thead><tr>'
        yield "".join(f'<th scope="col" data-sort>{name}' for name in ("status", "case", "kind", "time"))
        yield "</thead><tbody>"
        longest_s = max(outcome.duration_s for outcome in ran) or 1.0
        for outcome in sorted(ran, key=_urgency):
            yield _case(story, outcome, longest_s)
        yield "</table>"
    if story.not_run:
        names = "".join(f"<li>{text(turn_name(case))}" for case in story.not_run)
        yield f'<details class="fold"><summary>{len(story.not_run):,} not run</summary><ul>{names}</ul></details>'
    yield "</section>"


def tone(status: Status) -> str:
    """Return the class of a status."""
    return "good" if status is Status.PASSED else "bad" if status.bad else "doubt"


def _filter(counts: Counter[Status]) -> Iterator[str]:
    yield '<div class="filter" hidden>'
    yield '<label>Find <input type="search" data-find placeholder="case, tag or text"></label>'
    yield '<span role="group" aria-label="Show cases by status">'
    yield f'<button type="button" data-only="" aria-pressed="true">all {counts.total():,}</button>'
    for status in ORDER:
        if counts[status]:
            yield (
                f'<button type="button" data-only="{status.value}" aria-pressed="false">'
                f"{status.value} {counts[status]:,}</button>"
            )
    yield "</span></div>"


def _case(story: SessionStory, outcome: Outcome, longest_s: float) -> str:
    share = round(100 * outcome.duration_s / longest_s)
    name = text(turn_name(outcome.case))
    if _is_told(outcome):
        told = f'<a href="#{_anchor(outcome)}">{name}</a>'
    else:
        told = f"<details><summary>{name}</summary>{_body(story, outcome)}</details>"
    return (
        f"<tr class={tone(outcome.status)}><td>{outcome.status.value}<td>{told}"
        f"<td>{text(', '.join(outcome.case.info.kinds))}"
        f"<td>{text(format_duration(outcome.duration_s))}<svg class=share><rect width={share}% height=4 /></svg>"
    )


def _is_told(outcome: Outcome) -> bool:
    return outcome.status.bad or outcome.flaky


def _urgency(outcome: Outcome) -> int:
    return ORDER.index(outcome.status)


def _anchor(outcome: Outcome) -> str:
    return f"f-{anchor(outcome.case.info.id)}" + (f"-{outcome.case.turn}" if outcome.case.turn else "")


def _body(story: SessionStory, outcome: Outcome) -> str:
    return "".join(_parts(story, outcome))


def _parts(story: SessionStory, outcome: Outcome) -> Iterator[str]:
    if outcome.message:
        yield f"<p class={tone(outcome.status)}>{text(outcome.message)}</p>"
    info = outcome.case.info
    facts = [f"{shown_path(info.file)}:{info.line}"]
    if outcome.status is not Status.PASSED:
        facts += [info.tier.value, f"seed {outcome.case.seed}"]
    facts += [f"tags {', '.join(info.tags)}"] if info.tags else []
    yield f"<p class=dim><code>{text(info.id)}</code> · {text(' · '.join(facts))}</p>"
    for hint in story.hints(outcome):
        yield f"<p>{text(hint.about)}</p>{block(hint.command)}"
    yield wait_drawing(outcome.notes.get("waits"))
    for number, attempt in enumerate(outcome.attempts, 1):
        yield f"<p>attempt {number}: {attempt.status.value} {text(attempt.message)}</p>{block(attempt.details)}"
        yield block(attempt.output.text)
    yield block(outcome.details)
    for told in (*outcome.warnings, *outcome.findings):
        yield f"<p class=doubt>{text(told)}</p>"
    for teardown in outcome.unfinished_teardowns:
        yield f"<p class=doubt>tear-down did not finish: {text(teardown)}</p>"
    yield _notes(outcome)
    for attachment in outcome.attachments:
        told = f"attachment {text(attachment.name)}, {format_bytes(attachment.size_bytes)}"
        content = block(attachment.text or "")
        yield f"<details><summary>{told}</summary>{content}</details>" if content else f"<p>{told}</p>"
    if outcome.output.text.strip():
        dropped = outcome.output.dropped_bytes
        missing = f", {plural(dropped, 'byte')} from its middle dropped" if dropped else ""
        yield f"<p class=dim>output{missing}</p>{block(outcome.output.text)}"


def _notes(outcome: Outcome) -> str:
    """Return what the case noted; who waited for whom is drawn already, and told in words by the details."""
    drawn = {"waits"} if wait_drawing(outcome.notes.get("waits")) else set()
    notes = [
        (name, json.dumps(value, ensure_ascii=False, default=str))
        for name, value in outcome.notes.items()
        if name not in drawn
    ]
    return table(("note", "value"), notes) if notes else ""
