"""The figures of the measured cases as a table, the slowest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich import box
from rich.text import Text

from wfrun.runner.report.text import case_title, one_line, plural
from wfrun.units import format_value

if TYPE_CHECKING:
    from rich.table import Table

    from wfrun.runner.record.measurements import CaseMeasurements
    from wfrun.runner.record.session_record import OutcomeRecord, SessionRecord

__all__ = ["COLUMNS", "declared_lines", "figures_table", "measured_outcomes"]

COLUMNS: Final = {
    "throughput": "throughput_per_s",
    "time": "wall_time_ns",
    "p50": "latency_p50_ns",
    "p99": "latency_p99_ns",
    "peak memory": "peak_rss_bytes",
}
SHOWN: Final = 20
"""Cases shown at most, unless all are wanted."""


def figures_table(record: SessionRecord, *, everything: bool = False) -> Table | None:
    """Return a row for each measured case, the one that takes longest first; ``None`` where nothing was measured.

    Each figure is the median of all its samples; p50 and p99 are of single operations, where the case records them,
    and peak memory is counted above an empty case. Beyond twenty cases the faster ones are only counted, unless
    ``everything`` is wanted.
    """
    measured = measured_outcomes(record)
    if not measured:
        return None
    # Most sessions measure nothing, and start faster without it.
    from rich.table import Table  # noqa: PLC0415

    shown = measured if everything else measured[:SHOWN]
    faster = len(measured) - len(shown)
    table = Table(
        title=Text("Measured, the slowest first", "bold"),
        title_justify="left",
        caption=Text(f"and {plural(faster, 'faster case')}; --verbose shows all") if faster else None,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("case", overflow="fold", ratio=1)
    for heading in ("processes", *COLUMNS):
        table.add_column(heading, justify="right", no_wrap=True)
    for outcome, measurements in shown:
        figures = [_figure(measurements, metric) for metric in COLUMNS.values()]
        table.add_row(
            Text(one_line(f"{outcome.suite} · {case_title(outcome)}")), Text(_processes(measurements)), *figures
        )
    return table


def declared_lines(record: SessionRecord) -> list[Text]:
    """Return a line for each metric that a measured case declared: the median of all its samples."""
    return [
        Text.assemble(
            (f" {one_line(f'{outcome.suite} · {case_title(outcome)}')}  ", "dim"),
            f"{name}  {format_value(metric.p50, metric.unit)}",
        )
        for outcome, measurements in measured_outcomes(record)
        for name, metric in measurements.metrics.items()
        if metric.declared
    ]


def measured_outcomes(record: SessionRecord) -> list[tuple[OutcomeRecord, CaseMeasurements]]:
    """Return the cases that have figures, with them, the one that takes longest first."""
    pairs = ((outcome, outcome.measurements) for outcome in record.outcomes if outcome.measurements is not None)
    measured = [(outcome, measurements) for outcome, measurements in pairs if measurements.metrics]
    return sorted(measured, key=lambda pair: -_median(pair[1], "wall_time_ns"))


def _processes(measurements: CaseMeasurements) -> str:
    # A process left out of the figures is said here, or a reader would trust a half-measured case.
    void = len(measurements.void)
    counted = max((len(metric.samples) for metric in measurements.metrics.values()), default=0)
    return f"{counted} ({void} left out)" if void else str(counted)


def _median(measurements: CaseMeasurements, metric: str) -> float:
    found = measurements.metrics.get(metric)
    return 0.0 if found is None else found.p50


def _figure(measurements: CaseMeasurements, metric: str) -> Text:
    found = measurements.metrics.get(metric)
    return Text("-", "dim") if found is None else Text(format_value(found.p50, found.unit))
