"""What the machine does beside measuring: load, stolen time, busy neighbours, memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from wfrun.runner.doctor.findings import Finding, Level, unknown
from wfrun.units import format_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from wfrun.runner.doctor.moment import Moment

__all__ = ["bustle"]

LOAD: Final = (0.25, 0.75)
"""Waiting or running programs for each processor: from which on to beware, and from which on it is bad."""
STEAL_PERCENT: Final = (1.0, 5.0)
NEIGHBOUR: Final = (0.1, 0.5)
"""The part of one processor that another program takes."""
MEMORY: Final = (0.15, 0.05)
"""The part of memory that is available: below which to beware, and below which it is bad."""
MUCH_SWAPPED_PAGES: Final = 256
"""In a second: a mebibyte."""
MOST_NAMED: Final = 4


def bustle(moment: Moment, root: Path) -> Iterable[Finding]:
    """Yield a finding for each side of what was seen."""
    yield _load(moment)
    yield _steal(moment)
    yield _neighbours(moment)
    yield _memory(moment)
    yield _swap(moment, root)


def _load(moment: Moment) -> Finding:
    loads, cores = moment.conditions.get("load_average"), os.cpu_count() or 1
    if not isinstance(loads, list) or not loads:
        return unknown("load", "the system does not tell")
    level = _level(loads[0] / cores, LOAD)
    advice = "others want the processors: wait until they are done, or stop them" if level is not Level.GOOD else ""
    values = {"load_average": loads, "processors": cores}
    return Finding("load", level, f"{loads[0]:.2f} on {cores} processor{'s' * (cores != 1)}", advice, values)


def _steal(moment: Moment) -> Finding:
    if moment.steal_percent is None:
        return unknown("steal", "this platform does not count the time that other virtual machines take")
    level = _level(moment.steal_percent, STEAL_PERCENT)
    advice = "" if level is Level.GOOD else "the host gives your processors to others: another time, or another host"
    values = {"percent": round(moment.steal_percent, 2)}
    return Finding("steal", level, f"{moment.steal_percent:.1f} % over {moment.seconds:.0f} s", advice, values)


def _neighbours(moment: Moment) -> Finding:
    named = moment.busy[:MOST_NAMED]
    cores = os.cpu_count() or 1
    # What comes and goes within the second shows in the system's own account alone.
    total = max(sum(each.share for each in moment.busy), (moment.others_share or 0.0) * cores)
    busy = [{"name": each.name, "pid": each.pid, "share": round(each.share, 3)} for each in moment.busy]
    values = {"busy": busy, "others_processors": round(total, 3)}
    level = _level(total, NEIGHBOUR)
    taken = f"{total * 100:.0f} % of a processor"
    if not named and level is Level.GOOD:
        return Finding("neighbours", level, "no other program is busy", values=values)
    if not named:
        advice = "programs that come and go: stop what starts them, or wait"
        return Finding("neighbours", level, f"{taken}, by none for long", advice, values)
    shown = ", ".join(f"{each.name} {each.share * 100:.0f} %" for each in named)
    more = f" and {len(moment.busy) - MOST_NAMED} more" if len(moment.busy) > MOST_NAMED else ""
    advice = "" if level is Level.GOOD else f"stop them, or wait: kill -STOP {named[0].pid} halts the busiest"
    return Finding("neighbours", level, f"{taken}: {shown}{more}", advice, values)


def _memory(moment: Moment) -> Finding:
    total, free = (moment.conditions.get(f"memory_{name}_bytes") for name in ("total", "available"))
    if not isinstance(total, int) or not isinstance(free, int) or not total:
        return unknown("memory", "the system does not tell")
    level = Level.BAD if free / total < MEMORY[1] else Level.BEWARE if free / total < MEMORY[0] else Level.GOOD
    advice = "" if level is Level.GOOD else "caches give way and the system may swap: free some"
    values = {"total_bytes": total, "available_bytes": free}
    return Finding("memory", level, f"{format_bytes(free)} of {format_bytes(total)} available", advice, values)


def _swap(moment: Moment, root: Path) -> Finding:
    if moment.swapped_pages is None:
        return unknown("swapping", "the system does not tell")
    used = _swap_used_bytes(root)
    values = {"pages": moment.swapped_pages, "used_bytes": used}
    if moment.swapped_pages:
        advice = "memory is short: what is measured waits for the disk; free some"
        level = Level.BAD if moment.swapped_pages > MUCH_SWAPPED_PAGES else Level.BEWARE
        return Finding("swapping", level, f"{moment.swapped_pages} pages in {moment.seconds:.0f} s", advice, values)
    beside = f"; {format_bytes(used)} lie in swap" if used else ""
    return Finding("swapping", Level.GOOD, f"nothing moves{beside}", values=values)


def _swap_used_bytes(root: Path) -> int | None:
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
        facts = {line.partition(":")[0]: int(line.split()[1]) for line in lines if line.startswith("Swap")}
        return 1024 * (facts["SwapTotal"] - facts["SwapFree"])
    except (OSError, ValueError, KeyError, IndexError):
        return None


def _level(value: float, limits: tuple[float, float]) -> Level:
    return Level.BAD if value >= limits[1] else Level.BEWARE if value >= limits[0] else Level.GOOD
