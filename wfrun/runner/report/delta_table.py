"""A comparison with a baseline, for people: a table with the regressions first, and the doubts in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich import box
from rich.text import Text

from wfrun.runner.compare.verdicts import Verdict
from wfrun.runner.report.text import one_line, plural, shown_path
from wfrun.units import format_percent, format_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType
    from rich.table import Table

    from wfrun.runner.compare.verdicts import Comparison, MetricComparison

__all__ = [
    "ORDER",
    "change_shown",
    "delta_table",
    "doubts_told",
    "failing_lines",
    "reasons_told",
    "regression",
    "verdict_shown",
]

ORDER: Final = (
    Verdict.REGRESSED,
    Verdict.IMPROVED,
    Verdict.INCONCLUSIVE,
    Verdict.NOT_COMPARABLE,
    Verdict.MISSING,
    Verdict.NEW,
    Verdict.SAME,
)
STYLES: Final = {
    Verdict.REGRESSED: "bold red",
    Verdict.IMPROVED: "green",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.NOT_COMPARABLE: "yellow",
    Verdict.MISSING: "yellow",
    Verdict.NEW: "cyan",
    Verdict.SAME: "dim",
}
NOTHING_SHOWN: Final = "~"
REASONS: Final = 3
"""Functions named for a metric that regressed."""


def delta_table(comparison: Comparison, *, everything: bool = False) -> list[RenderableType]:
    """Return the comparison as a table, regressions first, then the verdicts counted and the doubts in words.

    A change is printed only where the samples show one; elsewhere stands ``~``. Metrics that gate nothing are left
    out with their doubts unless they regressed or improved, or ``everything`` is wanted.
    """
    shown = [metric for metric in comparison.metrics if everything or _tells_something(metric)]
    parts: list[RenderableType] = []
    if shown:
        parts.append(_table(comparison, sorted(shown, key=_urgency)))
    else:
        parts.append(Text(f"Compared with {shown_path(comparison.baseline_path)}: no metric to judge"))
    parts.extend(Text(line) for line in reasons_told(shown))
    parts.append(_counts(comparison, len(comparison.metrics) - len(shown)))
    parts.extend(Text(line, "bold") for line in failing_lines(comparison))
    if comparison.machine_noise:
        parts.append(Text(comparison.machine_noise, "dim"))
    parts.extend(Text(f"! {doubt}", "yellow") for doubt in doubts_told(comparison, shown))
    return parts


def change_shown(metric: MetricComparison) -> str:
    """Return the change as a percentage where one was shown, else ``~``."""
    if metric.ratio is None or metric.verdict not in {Verdict.REGRESSED, Verdict.IMPROVED}:
        return NOTHING_SHOWN
    return format_percent(metric.ratio)


def regression(metric: MetricComparison) -> str:
    """Return a regression with its figures, in one sentence."""
    old, new = ("?" if value is None else format_value(value, metric.unit) for value in (metric.old, metric.new))
    text = f"{metric.metric} went from {old} to {new}: {change_shown(metric)}"
    if metric.interval is not None:
        text += f" (between {format_percent(metric.interval[0])} and {format_percent(metric.interval[1])})"
    return f"{text}, threshold {metric.threshold_percent:g} %"


def doubts_told(comparison: Comparison, shown: Iterable[MetricComparison]) -> Iterable[str]:
    """Yield each doubt once, on one line, with the metrics among ``shown`` that it concerns or their number."""
    # One doubt about a machine concerns every metric of every case: it is told once, with how many it concerns.
    concerned: dict[str, list[str]] = {warning: [] for warning in comparison.warnings}
    for metric in shown:
        for warning in (*metric.warnings, *([metric.accepted] if metric.accepted else [])):
            concerned.setdefault(warning, []).append(f"{one_line(metric.title) or metric.case_id}, {metric.metric}")
    for warning, places in concerned.items():
        where = "" if not places else f"{places[0]}: " if len(places) == 1 else f"{plural(len(places), 'metric')}: "
        yield f"{where}{one_line(warning)}"


def verdict_shown(metric: MetricComparison) -> str:
    """Return the verdict, and what a reader must know beside it."""
    beside = ["accepted"] if metric.accepted else [] if metric.gates else ["advice"]
    beside += ["case changed"] if metric.source_changed else []
    return metric.verdict.value + (f" ({', '.join(beside)})" if beside else "")


def failing_lines(comparison: Comparison) -> Iterable[str]:
    """Yield what the exit code follows from, where ``--fail-on`` makes it another than a reader would think."""
    others = [m for m in comparison.failing if m.verdict is not Verdict.REGRESSED or m.accepted]
    if others:
        reasons = ", ".join(sorted({"case changed" if m.source_changed else m.verdict.value for m in others}))
        yield f"fails for {plural(len(others), 'metric')} as --fail-on asks: {reasons}"
    spared = [m for m in comparison.regressed if m not in comparison.failing]
    if spared:
        yield f"{plural(len(spared), 'regressed metric')} {'does' if len(spared) == 1 else 'do'} not fail: --fail-on"


def reasons_told(shown: Iterable[MetricComparison]) -> Iterable[str]:
    """Yield for each metric that regressed what is likely to be the reason, where something stands out."""
    told: set[tuple[str, str]] = set()
    for metric in sorted(shown, key=_urgency):
        for change in metric.why[:REASONS]:
            line = one_line(change.describe())
            # A slower function makes the time, the throughput and the percentiles of its case worse.
            if (metric.case_id, line) not in told:
                told.add((metric.case_id, line))
                yield f"why {metric.metric} of {one_line(metric.title) or metric.case_id}: {line}"


def _tells_something(metric: MetricComparison) -> bool:
    return metric.gates or metric.verdict in {Verdict.REGRESSED, Verdict.IMPROVED}


def _urgency(metric: MetricComparison) -> tuple[int, bool, str, str]:
    return ORDER.index(metric.verdict), not metric.gates, one_line(metric.title), metric.case_id


def _table(comparison: Comparison, metrics: list[MetricComparison]) -> Table:
    # Most sessions compare nothing, and start faster without it.
    from rich.table import Table  # noqa: PLC0415

    table = Table(
        title=Text(f"Compared with {shown_path(comparison.baseline_path)}", "bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    # A title has its row above its metrics: a column of its own would leave neither enough room on 80 columns.
    table.add_column("case, metric", overflow="fold", ratio=1, min_width=18)
    for heading in (comparison.old_name, comparison.new_name, "change", "interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict", overflow="fold", min_width=10)
    before: tuple[str, Verdict] | None = None
    for metric in metrics:
        # The metrics of a case that share a verdict stand together; those of another verdict have another place.
        if before != (metric.case_id, metric.verdict):
            table.add_row(Text(one_line(metric.title) or metric.case_id))
            before = (metric.case_id, metric.verdict)
        style = "yellow" if metric.accepted else STYLES[metric.verdict]
        table.add_row(
            Text(f"  {metric.metric}"),
            Text(_value(metric.old, metric.unit)),
            Text(_value(metric.new, metric.unit)),
            Text(change_shown(metric), style),
            Text(_interval(metric), "dim"),
            Text(verdict_shown(metric), style),
        )
    return table


def _value(value: float | None, unit: str) -> str:
    return "-" if value is None else format_value(value, unit)


def _interval(metric: MetricComparison) -> str:
    if metric.interval is None:
        return ""
    low, high = metric.interval
    return f"{format_percent(low).removesuffix(' %')} … {format_percent(high)}"


def _counts(comparison: Comparison, left_out: int) -> Text:
    line = Text()
    for verdict in ORDER:
        count = sum(metric.verdict is verdict for metric in comparison.metrics)
        if count:
            line.append(" · " if line else "").append(f"{count} {verdict.value}", STYLES[verdict])
    if left_out:
        line.append(f" ({plural(left_out, 'metric')} given as advice only not shown; --verbose shows all)", "dim")
    return line
