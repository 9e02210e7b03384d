"""What others on the machine take away: without knowing it, a busy machine looks like a system that does not scale.

Linux tells it. Where the system does not, nobody else is taken to use the processors, and the bars are as strict as
the machine is busy.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from wfrun.measure import neighbours

__all__ = ["busy_s", "processors", "queued_s"]

NANOSECOND_S: Final = 1e-9


def processors() -> list[int]:
    """Return the numbers of the processors that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def busy_s() -> float:
    """Return for how long the processors that this process may use have been busy with anything, in all."""
    return neighbours.busy_s(processors()).value or 0.0


def queued_s() -> float:
    """Return for how long this thread could have gone on, had a processor been free for it."""
    _running, queued, *_ = [*map(int, _read("/proc/thread-self/schedstat").split()), 0, 0]
    return queued * NANOSECOND_S


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
