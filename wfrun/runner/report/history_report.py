"""A history for people: a table of what each metric did, and what a check of the last night says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich import box
from rich.table import Table
from rich.text import Text

from wfrun.runner.compare.nightly import FailOn
from wfrun.runner.compare.nights import NIGHTS_NEEDED
from wfrun.runner.record.history import nights_on
from wfrun.runner.report.sparkline import sparkline
from wfrun.runner.report.text import case_name, one_line, plural, shown_path
from wfrun.units import format_percent, format_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rich.console import RenderableType

    from wfrun.runner.compare.nightly import Finding, NightlyCheck
    from wfrun.runner.compare.nights import Look, Move
    from wfrun.runner.record.history import History, HistoryNight, Night

__all__ = ["added_line", "check_lines", "damage_lines", "headline", "history_table"]

_WORDS: Final = {
    FailOn.STEP: ("WORSE", "bold red"),
    FailOn.CREEP: ("CREPT", "bold red"),
    FailOn.IMPROVED: ("better", "green"),
    FailOn.MISSING: ("missing", "yellow"),
}
SHOWN_NIGHTS: Final = 16
SHOWN_CHANGES: Final = 3
"""Of each metric, the newest."""
_WORST_FIRST: Final = tuple(_WORDS)


def headline(path: Path, history: History, machine: str) -> Text:
    """Return which history and which machine this is about, and how many nights they have."""
    nights = nights_on(history, machine)
    others = len(history.nights) - len(nights)
    facts = nights[-1].fingerprint
    name = one_line(f"{facts.get('cpu_model') or 'a machine'}, {facts.get('cpu_count')} cores")
    beside = f"; {plural(others, 'night')} of other machines" if others else ""
    about = f"{plural(len(nights), 'night')} of machine {machine} ({name}, Python {facts.get('python_minor')})"
    return Text(f"{shown_path(path)}: {about}{beside}", "bold")


def added_line(path: Path, night: HistoryNight, history: History) -> Text:
    """Return what was added."""
    commit = night.source.sha if night.source is not None else None
    at = f" at {commit[:10]}" if commit else ""
    nights = plural(len(nights_on(history, night.machine)), "night")
    what = f"{plural(len(night.cases), 'case')}, {plural(len(night.sessions), 'session')}"
    return Text(
        f"{shown_path(path)}: added the night of {night.created:%Y-%m-%d}{at} ({what}); {nights} of this machine"
    )


def damage_lines(path: Path, history: History) -> list[Text]:
    """Return a line for each line of the file that was skipped."""
    return [
        Text(f"! {shown_path(path)}, line {damage.line} is skipped and kept: {one_line(damage.why)}", "yellow")
        for damage in history.damage
    ]


def history_table(looks: Sequence[Look]) -> list[RenderableType]:
    """Return what each metric did, those of a case below each other, and then where levels changed."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    # A title has its row above its metrics: a column of its own would leave neither enough room on 80 columns.
    table.add_column("case, metric", overflow="fold", ratio=1, min_width=18)
    table.add_column(f"last {SHOWN_NIGHTS} nights", no_wrap=True)
    for heading in ("last", "band", "anchor"):
        table.add_column(heading, justify="right", no_wrap=True)
    before = ""
    for look in looks:
        series = look.series
        if series.case_id != before:
            table.add_row(Text(case_name(series.case)))
            before = series.case_id
        last = series.nights[-1]
        table.add_row(
            Text(f"  {series.metric}" + ("" if series.gates else " (advice)")),
            Text(sparkline(series.values, SHOWN_NIGHTS)),
            Text(format_value(last.value, series.unit) + (f" ({series.absent} ago)" if series.absent else "")),
            Text(_band(look), "dim"),
            Text(_to_anchor(look) if look.moves else "~", "" if look.moves else "dim"),
        )
    return [table, *(_change(look, move) for look in looks for move in look.moves[-SHOWN_CHANGES:])]


def check_lines(check: NightlyCheck) -> list[Text]:
    """Return what a check says, what fails it first."""
    if not check.enough:
        return [Text(f"not enough nights yet ({check.nights} of {check.needed})", "yellow")]
    lines: list[Text] = []
    for finding in sorted(check.findings, key=lambda each: (not each.fails, _WORST_FIRST.index(each.what))):
        lines.extend(_finding(finding))
    told = {id(finding.look) for finding in check.findings}
    lines.extend(_still(look) for look in check.moved if id(look) not in told)
    if check.few:
        least = min(len(look.series.nights) for look in check.few)
        has = plural(len(check.few), "metric")
        lines.append(Text(f"{has} with not enough nights yet ({least} of {check.needed})", "yellow"))
    lines.append(_counts(check))
    return lines


def _finding(finding: Finding) -> Iterable[Text]:
    word, style = _WORDS[finding.what]
    series = finding.look.series
    name = f"{case_name(series.case)}, {series.metric}"
    advice = "" if series.gates else " (advice)"
    if finding.move is None:
        yield Text.assemble((word, style), f"  {name}{advice}: not measured in the last night")
        return
    move = finding.move
    old, new = format_value(move.old, series.unit), format_value(move.new, series.unit)
    change = "" if move.ratio is None else f"  {format_percent(move.ratio)}"
    yield Text.assemble((word, style), f"  {name}{advice}  {old} → {new}{change}")
    if move.kind == "creep":
        yield Text(f"       little by little since the night of {_day(move.since)}, away from its anchor")
    else:
        yield Text(f"       since the night of {_day(move.since)}, {_between(move)}")


def _still(look: Look) -> Text:
    series = look.series
    since = series.nights[look.start_at]
    return Text(
        f"told before: {case_name(series.case)}, {series.metric} is {_to_anchor(look)} from its anchor, "
        f"at this level since the night of {_day(since)}{_at(since)}",
        "dim",
    )


def _between(move: Move) -> str:
    before, since = move.before.commit, move.since.commit
    if before is None or since is None:
        return "outside a git repository"
    if before == since:
        dirty = ", with uncommitted changes" if move.since.dirty or move.before.dirty else ""
        return f"without a new commit ({since[:10]}{dirty}): the machine, what is installed, or the surroundings"
    return f"between commits {before[:10]} and {since[:10]}" + (
        ", with uncommitted changes" if move.since.dirty else ""
    )


def _counts(check: NightlyCheck) -> Text:
    worse = sum(finding.what in {FailOn.STEP, FailOn.CREEP} and finding.look.series.gates for finding in check.findings)
    improved = sum(finding.what is FailOn.IMPROVED and finding.look.series.gates for finding in check.findings)
    missing = sum(finding.what is FailOn.MISSING and finding.look.series.gates for finding in check.findings)
    parts = [(worse, "worse"), (improved, "better"), (missing, "missing"), (check.within, "within the band")]
    return Text(
        " · ".join(f"{plural(count, 'metric')} {what}" for count, what in parts if count) or "no metric that gates"
    )


def _change(look: Look, move: Move) -> Text:
    series = look.series
    change = f"→ {format_value(move.new, series.unit)}" if move.ratio is None else format_percent(move.ratio)
    if move.kind == "creep":
        when = f"little by little up to the night of {_day(series.nights[move.found_at])}"
    else:
        when = f"since the night of {_day(move.since)}, {_between(move)}"
    return Text(f"{case_name(series.case)}, {series.metric}: {change} {when}")


def _band(look: Look) -> str:
    unit = look.series.unit
    if look.band is None:
        return "new level" if look.enough else f"{len(look.series.nights)} of {NIGHTS_NEEDED} nights"
    low, high = look.band
    return f"{format_value(low, unit)} … {format_value(high, unit)}"


def _to_anchor(look: Look) -> str:
    return "-" if look.above_anchor is None or not look.enough else format_percent(look.above_anchor)


def _day(night: Night) -> str:
    return f"{night.created:%Y-%m-%d}"


def _at(night: Night) -> str:
    return "" if night.commit is None else f" ({night.commit[:10]})"
