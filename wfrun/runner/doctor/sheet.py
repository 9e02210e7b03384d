"""The doctor's sheet: every finding with its verdict, on one screen or as JSON."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import orjson
from rich.table import Table
from rich.text import Text

from wfrun.measure.environment import fingerprint
from wfrun.runner.doctor.bustle import bustle
from wfrun.runner.doctor.findings import Finding, Level
from wfrun.runner.doctor.hardware import hardware
from wfrun.runner.doctor.interpreter import interpreter
from wfrun.runner.doctor.moment import watch
from wfrun.runner.record.machine_noise import known_noise, noise_shown
from wfrun.runner.report.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.console import RenderableType

__all__ = ["examine", "sheet_json", "sheet_parts"]

WATCHED_S: Final = 1.0
STYLES: Final = {Level.GOOD: "green", Level.BEWARE: "yellow", Level.BAD: "bold red", Level.UNKNOWN: "dim"}


def examine(root: Path, folder: Path, environment: Mapping[str, str] = os.environ) -> list[Finding]:
    """Return what was found, after a second of watching; what a platform does not tell is unknown, and no error.

    Args:
        root: ``/``, or a tree that stands in for it.
        folder: The project's.
        environment: The variables of this process.
    """
    moment = watch(WATCHED_S, root)
    return [*bustle(moment, root), *hardware(root, folder, environment), *interpreter(environment), _noise()]


def sheet_parts(findings: Sequence[Finding]) -> list[RenderableType]:
    """Return a line for each finding with what to do about it, and how many there are of each verdict."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for finding in findings:
        told = Text(one_line(finding.fact))
        if finding.advice:
            told.append(f": {one_line(finding.advice)}", "dim")
        table.add_row(Text(finding.level.value, STYLES[finding.level]), Text(finding.name), told)
    return [table, Text(), _conclusion(findings)]


def sheet_json(findings: Sequence[Finding]) -> str:
    """Return the same as JSON, with the figures behind each line."""
    lines = [
        {
            "name": each.name,
            "level": each.level.value,
            "fact": each.fact,
            "advice": each.advice,
            "values": dict(each.values),
        }
        for each in findings
    ]
    whole = {"format": "wfrun-doctor", "schema_version": 1, "level": _worst(findings).value, "findings": lines}
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2).decode()


def _noise() -> Finding:
    noise = known_noise(fingerprint())
    if noise is None:
        advice = "wfrun doctor --aa measures how small a change shows, and how often none is taken for one"
        return Finding("noise", Level.UNKNOWN, "not measured yet on this machine", advice)
    alarms = noise["false_alarms"]
    advice = "" if alarms == 0 else "unchanged code was called different: do something about the lines above"
    return Finding(
        "noise",
        Level.GOOD if alarms == 0 else Level.BAD,
        noise_shown({"machine_noise": noise}).removeprefix("this machine, "),
        advice,
        noise,
    )


def _worst(findings: Sequence[Finding]) -> Level:
    levels = {finding.level for finding in findings}
    return next((level for level in (Level.BAD, Level.BEWARE) if level in levels), Level.GOOD)


def _conclusion(findings: Sequence[Finding]) -> Text:
    counts = {level: sum(each.level is level for each in findings) for level in Level}
    line = Text(" · ").join(Text(f"{count} {level.value}", STYLES[level]) for level, count in counts.items() if count)
    verdict = {
        Level.GOOD: "fit to measure on",
        Level.BEWARE: "fit to measure on, with more noise than need be",
        Level.BAD: "not fit to measure on as it is",
    }[_worst(findings)]
    return line.append(f": {verdict}", "bold")
