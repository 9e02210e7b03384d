"""What was measured of a command: a table for people, and the same as JSON."""

from __future__ import annotations

import shlex
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson
from rich import box
from rich.table import Table
from rich.text import Text

from wfrun.measure.metrics import METRICS
from wfrun.runner.against.rows import decided_row
from wfrun.runner.compare.verdicts import Comparison
from wfrun.runner.report.delta_table import delta_table
from wfrun.runner.report.text import plural
from wfrun.stats.percentiles import percentiles
from wfrun.units import format_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from wfrun.runner.against.commands import CommandRuns, Run
    from wfrun.runner.compare.verdicts import MetricComparison

__all__ = ["command_json", "command_parts"]

FIGURES: Final = ("wall_time_ns", "cpu_time_ns", "peak_rss_bytes")


def command_parts(taken: CommandRuns, names: Sequence[str]) -> list[RenderableType]:
    """Return what people read; ``names`` are those of the base and the changed place, or of the one there is."""
    if taken.base and taken.decisions:
        comparison = Comparison(Path(names[0]), tuple(_rows(taken)), old_name=names[0], new_name=names[-1])
        told = f"{plural(len(taken.base), 'pair')} of runs: {shlex.join(taken.words)}"
        return [*delta_table(comparison, everything=True), Text(told, "dim")]
    if not taken.changed:
        return [Text("nothing was measured")]
    table = Table(
        title=Text(shlex.join(taken.words), "bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    table.add_column("")
    for heading in ("median", "least", "p95", "most"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name in FIGURES:
        values = _values(taken.changed, name)
        shown = (statistics.median(values), min(values), *percentiles(values, [95.0]), max(values))
        unit = METRICS[name].unit
        table.add_row(Text(name), *(Text(format_value(value, unit)) for value in shown))
    return [table, Text(plural(len(taken.changed), "run"), "dim")]


def command_json(taken: CommandRuns, names: Sequence[str]) -> str:
    """Return everything that was measured, as JSON."""
    sides = {names[-1]: taken.changed} if not taken.base else dict(zip(names, (taken.base, taken.changed), strict=True))
    document: dict[str, Any] = {
        "format": "wfrun-command",
        "schema_version": 1,
        "command": list(taken.words),
        "interrupted": taken.interrupted,
        "runs": {
            name: [{figure: getattr(run, figure) for figure in FIGURES} for run in runs] for name, runs in sides.items()
        },
        "metrics": [
            {
                "metric": row.metric,
                "unit": row.unit,
                "old": row.old,
                "new": row.new,
                "ratio": row.ratio,
                "interval": row.interval,
                "threshold_percent": row.threshold_percent,
                "could_have_seen_percent": row.could_have_seen_percent,
                "gates": row.gates,
                "verdict": row.verdict,
            }
            for row in _rows(taken)
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


def _rows(taken: CommandRuns) -> list[MetricComparison]:
    return [
        decided_row(
            decision,
            case_id=taken.words[0],
            title=shlex.join(taken.words),
            old_samples=tuple((value,) for value in _values(taken.base, name)),
            new_samples=tuple((value,) for value in _values(taken.changed, name)),
        )
        for name, decision in taken.decisions.items()
    ]


def _values(runs: Sequence[Run], name: str) -> list[float]:
    return [float(getattr(run, name)) for run in runs]
