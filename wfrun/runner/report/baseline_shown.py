"""A baseline for people: where it comes from, its sessions, its figures with their scatter, what was accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from wfrun.measure.environment import HARD_KEYS
from wfrun.measure.metrics import METRICS
from wfrun.runner.compare.accepting import accepted_shown
from wfrun.runner.report.text import one_line, plural, shown_path
from wfrun.stats.percentiles import pooled_floor
from wfrun.units import format_value

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from rich.console import RenderableType

    from wfrun.runner.record.models import Baseline

__all__ = ["baseline_parts"]


def baseline_parts(baseline: Baseline, path: Path, now: datetime, *, everything: bool) -> Iterable[RenderableType]:
    """Yield the baseline part by part; metrics that gate nothing only where ``everything`` is wanted."""
    sizes = f"{plural(len(baseline.cases()), 'case')} in {plural(len(baseline.sessions), 'session')}"
    yield Text(f"{shown_path(path)}: {sizes}", "bold")
    yield Text(f"source:  {_source(baseline)}")
    yield Text("machine: " + ", ".join(f"{key.replace('_', ' ')} {baseline.fingerprint.get(key)}" for key in HARD_KEYS))
    for session in baseline.sessions:
        load = session.conditions.get("load_average")
        busy = f", load {load[0]}" if isinstance(load, list) and load else ""
        protocol = f"{session.protocol.generations} processes of {session.protocol.sampling_s:g} s"
        cases = plural(len(session.cases), "case")
        when = f"{session.created:%Y-%m-%d %H:%M}"
        yield Text(f"session: {when}, {cases}, {protocol}, seed {session.seed}{busy}, wfrun {session.tool_version}")
    yield _figures(baseline, everything=everything)
    for change in baseline.accepted:
        over = "EXPIRED, counts again: " if change.expires is not None and change.expires <= now else ""
        unit = _unit(baseline, change.case_id, change.metric)
        values = f"{format_value(change.new, unit)} instead of {format_value(change.old, unit)}"
        line = f"{change.case_id}, {change.metric}: {over}{values}, {accepted_shown(change)}"
        yield Text(one_line(line), "yellow" if over else "")


def _source(baseline: Baseline) -> str:
    source = baseline.source
    if source is None:
        return "no commit is known"
    branch = f" on {source.branch}" if source.branch else ""
    return f"commit {(source.sha or 'none')[:10]}{branch}{', with uncommitted changes' if source.dirty else ''}"


def _figures(baseline: Baseline, *, everything: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("case, metric", overflow="fold", ratio=1, min_width=18)
    for heading in ("floor", "median", "between sessions", "processes"):
        table.add_column(heading, justify="right", no_wrap=True)
    for case_id, case in baseline.cases().items():
        table.add_row(Text(one_line(case.title) or case_id), "", "", "", Text(one_line(case_id), "dim"))
        spreads = baseline.spread_between_sessions_percent.get(case_id, {})
        for name, metric in case.measurements.metrics.items():
            gates = name in METRICS and METRICS[name].gates
            if not (everything or gates or metric.threshold_percent is not None):
                continue
            processes = [p for kept in baseline.metric_by_session(case_id, name) for p in kept.samples if p]
            floor = pooled_floor(processes, metric.better) if processes else metric.floor
            spread = f"{spreads[name]:.1f} %" if name in spreads else "-"
            values = (format_value(floor, metric.unit), format_value(metric.p50, metric.unit))
            table.add_row(Text(f"  {name}"), *values, spread, str(len(processes)))
    return table


def _unit(baseline: Baseline, case_id: str, metric: str) -> str:
    case = baseline.cases().get(case_id)
    return case.measurements.metrics[metric].unit if case and metric in case.measurements.metrics else ""
