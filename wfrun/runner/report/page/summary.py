"""The head of a page: what came of the session in one sentence, the counts, and what to do next."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wfrun.runner.child.messages import Status
from wfrun.runner.compare.verdicts import Verdict
from wfrun.runner.report.delta_table import failing_lines
from wfrun.runner.report.page.markup import anchor, label, listed, text
from wfrun.runner.report.repetition import repetition_lines
from wfrun.runner.report.text import one_line, plural, shown_path
from wfrun.units import format_duration, format_percent
from wfrun.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wfrun.runner.compare.verdicts import Comparison, MetricComparison
    from wfrun.runner.report.story import SessionStory

__all__ = ["Headline", "head", "headline"]

_MOST_NAMED: Final = 3
"""Cases, and metrics of each, that got worse and are named in the head; the table has them all."""


@dataclass(frozen=True, slots=True)
class Headline:
    """What came of a session, for those who read one sentence."""

    said: str
    tone: str
    """good, bad or doubt."""


def headline(story: SessionStory) -> Headline:
    """Return the sentence that matters most: whether there is no trust, a failure, a regression, or nothing of it."""
    result, comparison = story.result, story.comparison
    counts = result.outcomes.counts()
    ran = len(result.outcomes) - counts[Status.NOT_RUN]
    if result.faults:
        return Headline("wfrun contradicted itself: do not trust this session", "bad")
    if result.interrupted:
        ended = ran - counts[Status.INTERRUPTED]
        return Headline(f"Interrupted: {ended:,} of {plural(len(story.plan.cases), 'case')} came to an end", "doubt")
    broken = [f"{len(result.failed):,} of {plural(ran, 'case')} failed"] if result.failed else []
    if story.discovery.failures:
        broken.append(f"{plural(len(story.discovery.failures), 'suite file')} did not load")
    if result.fixture_failures:
        broken.append(f"{plural(len(result.fixture_failures), 'tear-down')} failed")
    worse = [] if comparison is None or not comparison.regressed else [_worse(comparison)]
    failing = comparison is not None and bool(comparison.failing)
    if comparison is not None and failing and not worse:
        worse = [line.partition(":")[0] for line in failing_lines(comparison)][:1]
    if broken or worse:
        return Headline(_sentence([*broken, *worse]), "bad" if broken or failing else "doubt")
    if not ran:
        return Headline("No case ran", "doubt")
    passed = "The one case passed" if ran == 1 else f"All {ran:,} cases passed"
    if counts[Status.PASSED] < ran:
        passed = f"None of {plural(ran, 'case')} failed"
    return Headline(passed + ("" if comparison is None else f", {_compared(comparison)}"), "good")


def head(story: SessionStory) -> Iterator[str]:
    """Yield the head of the page."""
    said = headline(story)
    yield f'<header class="{said.tone}"><p class="brand">wfrun<span> {text(__version__)}</span>'
    yield '<button type="button" id="theme" hidden>theme</button></p>'
    yield f"<h1>{text(said.said)}</h1>"
    yield from _counts(story)
    yield f'<p class="dim">{text(" · ".join(_facts(story)))}</p>'
    steps = list(_steps(story))
    if steps:
        yield f'<div class="next"><h2>What to do next</h2><ul>{"".join(steps)}</ul></div>'
    told = [*(f"fault of wfrun itself: {fault}" for fault in story.result.faults), *story.notes]
    yield listed([*told, *(line.plain for line in repetition_lines(story.result))])
    yield "</header>"


def _counts(story: SessionStory) -> Iterator[str]:
    counts = story.result.outcomes.counts()
    shown = [
        (counts[status], status.value, "good" if status is Status.PASSED else "bad" if status.bad else "doubt")
        for status in (*(s for s in Status if s.bad), *(s for s in Status if not s.bad))
        if counts[status] and status is not Status.NOT_RUN
    ]
    if story.not_run:
        shown.append((len(story.not_run), "not run", "doubt"))
    if story.comparison is not None:
        verdicts = Counter(row.verdict for row in story.comparison.metrics if row.gates)
        tones = {Verdict.REGRESSED: "bad", Verdict.IMPROVED: "good", Verdict.INCONCLUSIVE: "doubt"}
        shown += [(verdicts[v], f"{v.value}", tones.get(v, "dim")) for v in Verdict if verdicts[v]]
    chips = "".join(f'<li class="{tone}"><b>{count:,}</b> {text(what)}' for count, what, tone in shown)
    yield f'<ul class="counts" aria-label="Counts">{chips}</ul>'


def _facts(story: SessionStory) -> Iterator[str]:
    record = story.record
    if record is not None:
        yield f"{record.created:%Y-%m-%d %H:%M %Z}"
        if record.source is not None and record.source.sha:
            branch = f" on {record.source.branch}" if record.source.branch else ""
            yield f"commit {record.source.sha[:10]}{branch}{' with changes' if record.source.dirty else ''}"
    yield format_duration(story.result.duration_s)
    yield f"{plural(story.plan.discovered, 'case')} found"
    yield f"seed {story.plan.seed}"
    if story.comparison is not None:
        yield f"compared with {shown_path(story.comparison.baseline_path)}"


def _steps(story: SessionStory) -> Iterator[str]:
    failed = story.result.failed
    if failed:
        hints = story.hints(failed[0])
        command = hints[0].command if hints and len(failed) == 1 else "wfrun --last-failed"
        what = "the failed case" if len(failed) == 1 else f"the {len(failed):,} failed cases"
        yield f"<li>Run {what} again: <code>{text(command)}</code>"
    comparison = story.comparison
    if comparison is None:
        return
    worse: dict[str, list[MetricComparison]] = {}
    for row in comparison.regressed:
        worse.setdefault(row.case_id, []).append(row)
    for case_id, rows in list(worse.items())[:_MOST_NAMED]:
        changes = ", ".join(map(_how_much, rows[:_MOST_NAMED]))
        changes += f" and {plural(len(rows) - _MOST_NAMED, 'other metric')}" if len(rows) > _MOST_NAMED else ""
        yield f'<li>See why <a href="#m-{anchor(case_id)}">{text(rows[0].title)}</a> got worse: {text(changes)}'
    if len(worse) > _MOST_NAMED:
        yield f"<li>and {plural(len(worse) - _MOST_NAMED, 'other case')} that got worse, in the table below"
    first = next(iter(worse), None)
    if first is not None and comparison.baseline_path.suffix == ".json":
        command = shlex.join(["wfrun", "baseline", "accept", first, "--reason", "…"])
        yield f"<li>Or live with it: <code>{text(command)}</code>"
    open_ = [row for row in comparison.metrics if row.gates and row.verdict is Verdict.INCONCLUSIVE]
    if open_:
        seen = open_[0].could_have_seen_percent if len(open_) == 1 else None
        least = "" if seen is None else f"; it could have shown {seen:.1f} % or more"
        yield f"<li>{plural(len(open_), 'metric')} could not be decided{least}: measure longer, or on a quieter machine"
    missing = {row.case_id for row in comparison.metrics if row.verdict is Verdict.MISSING}
    if missing:
        yield f"<li>{plural(len(missing), 'case')} of {text(_old_side(comparison))} had metrics that are missing now"


def _worse(comparison: Comparison) -> str:
    cases = {row.case_id for row in comparison.regressed}
    if len(comparison.regressed) == 1:
        row = comparison.regressed[0]
        return f"{row.title}: {_how_much(row)}"
    return f"{plural(len(cases), 'case')} got worse than {_old_side(comparison)}"


def _old_side(comparison: Comparison) -> str:
    return "the baseline" if comparison.old_name == "baseline" else comparison.old_name


def _how_much(row: MetricComparison) -> str:
    change = "worse" if row.ratio is None else format_percent(row.ratio)
    return f"{label(row.metric)} {change}"


def _compared(comparison: Comparison) -> str:
    verdicts = Counter(row.verdict for row in comparison.metrics if row.gates)
    if not verdicts or set(verdicts) <= {Verdict.NOT_COMPARABLE, Verdict.MISSING, Verdict.NEW}:
        return "nothing could be compared"
    if verdicts[Verdict.INCONCLUSIVE]:
        return f"no regression shown, {plural(verdicts[Verdict.INCONCLUSIVE], 'metric')} undecided"
    return (
        f"{plural(verdicts[Verdict.IMPROVED], 'metric')} improved" if verdicts[Verdict.IMPROVED] else "none got worse"
    )


def _sentence(parts: list[str]) -> str:
    said = one_line(", ".join(parts))
    return said[:1].upper() + said[1:]
