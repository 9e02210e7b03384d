"""Why a case got worse: the functions that now do more, with what they did then and do now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wfrun.runner.report.page.markup import text
from wfrun.units import format_bytes, format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from wfrun.runner.compare.verdicts import MetricComparison
    from wfrun.runner.compare.why import FunctionChange

__all__ = ["reasons"]

MOST: Final = 6
"""Functions of a case."""
MOST_SHARE: Final = 10.0
"""Beyond ten times of the whole before, a percentage says nothing that then and now do not say better."""


def reasons(rows: Sequence[MetricComparison]) -> Iterator[str]:
    """Yield the functions that are likely to have made a case worse; nothing where none stands out.

    A slower function makes several metrics of its case worse: it stands here once, with its share of the time where
    the time got worse, as shares of calls and of memory are not to be held against it.
    """
    found: dict[tuple[str, int, str], FunctionChange] = {}
    for row in sorted(rows, key=lambda row: row.unit not in {"ns", "/s"}):
        for change in row.why:
            found.setdefault((change.file, change.line, change.name), change)
    if not found:
        return
    yield "<p class=whyhead>Likely why, the dearest first</p><ul class=why>"
    yield from map(_function, list(found.values())[:MOST])
    yield "</ul>"


def _function(change: FunctionChange) -> str:
    place = f" <code>{text(change.file)}:{change.line}</code>" if change.line else ""
    facts = [
        _moved("called {} times", change.calls_before, change.calls_after, _count),
        _moved("{} by itself", change.own_ns_before, change.own_ns_after, lambda ns: format_duration(ns * 1e-9)),
        _moved("asked for {}", change.allocated_bytes_before, change.allocated_bytes_after, format_bytes),
    ]
    share = f" <i>{change.share:+.0%}</i>" if change.share < MOST_SHARE else ""
    return f"<li><b>{text(change.name)}</b>{place}{share}<br>{text(' · '.join(filter(None, facts)))}"


def _moved(told: str, before: float | None, after: float, shown: Callable[[float], str]) -> str:
    """Return what moved as a sentence; empty for what is as it was."""
    if before == after:
        return ""
    return told.format(f"{'few' if before is None else shown(before)} → {shown(after)}")


def _count(calls: float) -> str:
    return f"{calls:,.0f}"
