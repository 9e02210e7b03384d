"""What was measured where there is nothing to compare with: each metric's figures and how its samples lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wfrun.runner.compare.verdicts import LatencyCompared
from wfrun.runner.report.figures import measured_outcomes
from wfrun.runner.report.page.charts import latency_curves, over_repetitions
from wfrun.runner.report.page.drawing import BINS, strip
from wfrun.runner.report.page.markup import anchor, label, text
from wfrun.runner.report.text import case_title, plural
from wfrun.units import format_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wfrun.runner.record.measurements import CaseMeasurements, MetricRecord
    from wfrun.runner.record.session_record import OutcomeRecord, SessionRecord
    from wfrun.runner.report.page.nights import Nights

__all__ = ["measured"]

DRAWN_BYTES: Final = 100_000
"""Given to the drawings of samples; metrics beyond it have their figures alone."""


def measured(record: SessionRecord | None, nights: Nights) -> Iterator[str]:
    """Yield the section: a group for each measured case, the one that takes longest first."""
    found = [] if record is None else measured_outcomes(record)
    if not found:
        return
    yield '<section id="measured"><h2>Measured, the slowest first</h2>'
    yield '<p class="dim">The floor is what a thing costs when nothing disturbs it: the 5th percentile over all '
    yield "processes, the 95th where higher is better; ± is its 99 % interval.</p>"
    yield '<div class="filter" hidden>'
    yield '<label>Find <input type="search" data-find placeholder="case or metric"></label></div>'
    yield '<table class="metrics figures" data-sorts data-word="6"><thead><tr>'
    for name in ("case and metric", "floor", "±", "median", "p99"):
        yield f'<th scope="col" data-sort>{name}'
    yield '<th scope="col">samples<th scope="col" data-sort>processes</thead>'
    rows = sum(len(measurements.metrics) for _, measurements in found)
    bins = BINS if rows <= 400 else 12
    room, left_out = DRAWN_BYTES, 0
    for outcome, measurements in found:
        yield f"<tbody id=m-{anchor(outcome.id)}>{_title(outcome)}"
        for name, metric in measurements.metrics.items():
            drawn = strip((), metric.samples, bins)
            room -= len(drawn)
            left_out += bool(drawn) and room < 0
            yield _row(name, metric, drawn if room >= 0 else "")
        more = "".join((*_more(measurements), *nights.curves(outcome.id)))
        yield f"<tr class=more><td colspan=7><details><summary>figures</summary>{more}</details>" if more else ""
    yield "</table>"
    if left_out:
        told = plural(left_out, "metric")
        yield f'<p class="dim">The samples of {told} are not drawn, to keep the page small.</p>'
    yield "</section>"


def _title(outcome: OutcomeRecord) -> str:
    title = text(f"{outcome.suite} · {case_title(outcome)}")
    return f"<tr class=g><th colspan=7 scope=rowgroup>{title} <code>{text(outcome.id)}</code>"


def _row(name: str, metric: MetricRecord, drawn: str) -> str:
    floor, median, p99 = (text(format_value(value, metric.unit)) for value in (metric.floor, metric.p50, metric.p99))
    used = sum(bool(process) for process in metric.samples)
    return f"<tr><th>{text(label(name))}<td>{floor}<td>{_half_width(metric)}<td>{median}<td>{p99}<td>{drawn}<td>{used}"


def _half_width(metric: MetricRecord) -> str:
    if metric.interval is None or metric.floor <= 0:
        return "-"
    wide = max(metric.interval[1] - metric.floor, metric.floor - metric.interval[0])
    return f"{100 * wide / metric.floor:.1f} %"


def _more(measurements: CaseMeasurements) -> Iterator[str]:
    yield latency_curves(LatencyCompared(new=measurements.latency))
    for name, metric in measurements.metrics.items():
        if metric.unit == "B":
            yield over_repetitions(label(name), metric.unit, metric.samples)
