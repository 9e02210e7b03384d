"""What happens on the machine during a second: time stolen, memory swapped, who else is busy."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psutil  # type: ignore[import-untyped]

from wfrun.measure.environment import conditions, steal_percent
from wfrun.measure.neighbours import Neighbours
from wfrun.measure.throttle import throttled_since, throttling

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wfrun.measure.reading import Reading
    from wfrun.measure.throttle import Throttling

__all__ = ["Busy", "Moment", "watch"]

LEAST_SHARE: Final = 0.02
"""Of one processor; who takes less is not named."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Another program that used the processor."""

    name: str
    pid: int
    share: float
    """Of one processor: 1.0 is all of it."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What was seen."""

    seconds: float
    conditions: Mapping[str, object]
    """At its end."""
    steal_percent: float | None
    throttled: Reading[Throttling]
    swapped_pages: int | None
    busy: tuple[Busy, ...]
    """The busiest first; without this process, and without what came or went meanwhile."""
    others_share: float | None
    """The part of all processors' time that others took, those that came or went included."""


def watch(seconds: float, root: Path) -> Moment:
    """Look at the machine for so long."""
    processes = _processes()
    neighbours = Neighbours()
    before, throttled, swapped = conditions(), throttling(), _swapped(root)
    started_s = time.perf_counter()
    used_s = {pid: spent for pid, process in processes.items() if (spent := _used_s(process)) is not None}
    time.sleep(seconds)
    busy = [
        Busy(_name(process), pid, (now_s - used_s[pid]) / (time.perf_counter() - started_s))
        for pid, process in processes.items()
        if pid in used_s and (now_s := _used_s(process)) is not None
    ]
    passed_s = time.perf_counter() - started_s
    after, swapped_now = conditions(), _swapped(root)
    return Moment(
        seconds=passed_s,
        conditions=after,
        steal_percent=steal_percent(before, after),
        throttled=throttled_since(throttled),
        swapped_pages=None if swapped is None or swapped_now is None else swapped_now - swapped,
        others_share=neighbours.share().value,
        busy=tuple(sorted((each for each in busy if each.share >= LEAST_SHARE), key=lambda each: -each.share)),
    )


def _processes() -> dict[int, psutil.Process]:
    return {process.pid: process for process in psutil.process_iter() if process.pid != os.getpid()}


def _used_s(process: psutil.Process) -> float | None:
    try:
        times = process.cpu_times()
    except psutil.Error:  # it has ended, or may not be looked at
        return None
    return float(times.user + times.system)


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.Error:
        return "unknown"


def _swapped(root: Path) -> int | None:
    try:
        pairs = [line.split() for line in (root / "proc/vmstat").read_text().splitlines()]
        counts = {name: int(value) for name, value in pairs}
        return counts["pswpin"] + counts["pswpout"]
    except (OSError, ValueError, KeyError):
        return None
