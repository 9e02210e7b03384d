"""What was seen in a second, and from where on it matters."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from wfrun.measure.reading import Reading
from wfrun.measure.throttle import Throttling
from wfrun.runner.doctor.bustle import bustle
from wfrun.runner.doctor.findings import Finding, Level
from wfrun.runner.doctor.moment import Busy, Moment, watch

CORES = os.cpu_count() or 1
QUIET: dict[str, Any] = {"load_average": [0.0, 0.0, 0.0], "memory_total_bytes": 100, "memory_available_bytes": 90}


def found(name: str, **changes: Any) -> Finding:
    seen = {"seconds": 1.0, "conditions": QUIET, "steal_percent": 0.0, "swapped_pages": 0, "busy": ()}
    throttled = Reading(Throttling(0, 0))
    moment = Moment(**{**seen, "throttled": throttled, "others_share": 0.0, **changes})
    (finding,) = [each for each in bustle(moment, Path("/nowhere")) if each.name == name]
    return finding


@pytest.mark.parametrize(
    ("name", "changes", "level"),
    [
        ("load", {}, Level.GOOD),
        ("load", {"conditions": {**QUIET, "load_average": [0.5 * CORES, 0, 0]}}, Level.BEWARE),
        ("load", {"conditions": {**QUIET, "load_average": [2.0 * CORES, 0, 0]}}, Level.BAD),
        ("load", {"conditions": {}}, Level.UNKNOWN),
        ("steal", {}, Level.GOOD),
        ("steal", {"steal_percent": 2.0}, Level.BEWARE),
        ("steal", {"steal_percent": 20.0}, Level.BAD),
        ("steal", {"steal_percent": None}, Level.UNKNOWN),
        ("neighbours", {}, Level.GOOD),
        ("neighbours", {"busy": (Busy("rsync", 7, 0.2),)}, Level.BEWARE),
        ("neighbours", {"busy": (Busy("rsync", 7, 0.3), Busy("cc1", 8, 0.3))}, Level.BAD),
        ("neighbours", {"others_share": 1.0}, Level.BAD),
        ("neighbours", {"others_share": None}, Level.GOOD),
        ("memory", {}, Level.GOOD),
        ("memory", {"conditions": {**QUIET, "memory_available_bytes": 10}}, Level.BEWARE),
        ("memory", {"conditions": {**QUIET, "memory_available_bytes": 1}}, Level.BAD),
        ("memory", {"conditions": {}}, Level.UNKNOWN),
        ("swapping", {}, Level.GOOD),
        ("swapping", {"swapped_pages": 3}, Level.BEWARE),
        ("swapping", {"swapped_pages": 3000}, Level.BAD),
        ("swapping", {"swapped_pages": None}, Level.UNKNOWN),
    ],
)
def test_a_line(name: str, changes: dict[str, Any], level: Level) -> None:
    finding = found(name, **changes)

    assert finding.level is level
    assert bool(finding.advice) is (level in {Level.BEWARE, Level.BAD})


def test_busy_programs_are_named_the_busiest_first() -> None:
    finding = found("neighbours", busy=(Busy("rsync", 7, 0.3), Busy("cc1", 8, 0.25)))

    assert finding.fact == "55 % of a processor: rsync 30 %, cc1 25 %"
    assert "kill -STOP 7" in finding.advice


def test_watching_works_where_no_file_is(tmp_path: Path) -> None:
    moment = watch(0.05, tmp_path)

    assert moment.swapped_pages is None
    assert moment.seconds >= 0.05
