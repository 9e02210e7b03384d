"""How much of the machine other programs took, while something was measured.

Whoever else runs slows a measurement even from another core: memory, caches and the clock's head-room are shared. A
loop that only computes does not notice; the system's own account of its processors does.
"""

from __future__ import annotations

import os
import resource
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from wfrun.measure.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["Neighbours", "busy_s"]

_PROC = Path("/proc")


class Neighbours:
    """Watches from now on what others take; the processes below this one are its own.

    The system counts in ticks, commonly of 10 ms, so a look over less than a tenth of a second says little.
    """

    def __init__(self) -> None:
        self._started_s = time.perf_counter()
        self._busy = busy_s()
        self._own_s = _own_s()

    def share(self) -> Reading[float]:
        """Return the part of all processors' time that others took so far: 0.5 for one of two processors.

        What a hypervisor gave to other machines counts as taken. None where the system does not tell.
        """
        busy, doubt = busy_s()
        if busy is None or self._busy.value is None:
            return Reading(None, doubt)
        passed_s = (time.perf_counter() - self._started_s) * (os.cpu_count() or 1)
        taken_s = busy - self._busy.value - (_own_s() - self._own_s)
        return Reading(min(1.0, max(0.0, taken_s / max(passed_s, 1e-9))))


def busy_s(processors: Collection[int] | None = None) -> Reading[float]:
    """Return for how long ``processors``, all of them unless named, have been busy with anything, added up."""
    try:
        lines = (_PROC / "stat").read_text().splitlines()
    except OSError as error:
        return Reading(None, f"what other programs do is not known: {error}")
    names = {"cpu"} if processors is None else {f"cpu{number}" for number in processors}
    ticks = 0
    for name, *fields in map(str.split, lines):
        if name in names:
            user, nice, system, _idle, _waiting, irq, softirq, steal = map(int, fields[:8])
            ticks += user + nice + system + irq + softirq + steal
    return Reading(ticks / os.sysconf("SC_CLK_TCK"))


def _own_s() -> float:
    """Return the processor time of this process and of all below it, those that ended and were waited for included."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    own_s = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    waiting = _children("self")
    ticks = 0
    while waiting:
        pid = waiting.pop()
        with suppress(OSError):  # It may have ended a moment ago: then it is among the children.
            fields = (_PROC / pid / "stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
            waiting += _children(pid)
    return own_s + ticks / os.sysconf("SC_CLK_TCK")


def _children(pid: str) -> list[str]:
    found: list[str] = []
    with suppress(OSError):
        for task in (_PROC / pid / "task").iterdir():
            found += (task / "children").read_text().split()
    return found
