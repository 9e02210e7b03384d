"""Counts that are taken for every case, and so must cost next to nothing."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from typing import Any, Final

from wfrun.runner.child.descendants import has_children

__all__ = ["at_most_tasks", "counts", "lowest_free"]

DESCRIPTORS: Final = "/proc/self/fd"


def at_most_tasks(most: int) -> bool:
    """Return whether no more tasks exist, on whatever loop; done ones that somebody holds count. False in doubt."""
    count = 0
    for tasks in _SETS:
        count += len(tasks)
    return count <= most and bool(_SETS)


def counts() -> tuple[int, int, bool]:
    """Return how many descriptors and threads this process has, and whether it has children; some 2 µs."""
    try:
        descriptors = os.stat(DESCRIPTORS).st_size  # noqa: PTH116 - a Path costs twice as much
    except OSError:
        descriptors = 0
    if not descriptors:
        # An older kernel or another system: the lowest number that is free grows with what is left open.
        descriptors = lowest_free()
    return descriptors, threading.active_count(), has_children()


def lowest_free() -> int:
    """Return the number that the next descriptor will get."""
    taken = os.dup(2)
    os.close(taken)
    return taken


def _task_sets() -> tuple[Any, ...]:
    """Return the sets of weak references in which asyncio keeps tasks; none from Python 3.14 on, which has others."""
    names = ("_all_tasks",) if sys.version_info < (3, 12) else ("_scheduled_tasks", "_eager_tasks")
    sets = [getattr(asyncio.tasks, name, None) for name in names]
    if sys.version_info >= (3, 14) or None in sets:
        return ()
    # What a WeakSet keeps them in may hold some that are gone: then they are counted, which is a doubt and no error.
    return tuple(getattr(each, "data", each) for each in sets)


_SETS: Final = _task_sets()
