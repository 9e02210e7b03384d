"""Counts that are taken for every case, and so must cost next to nothing."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from typing import Any, Final

from wfrun.runner.child.descendants import has_children

__all__ = ["DESCRIPTORS", "DescriptorCount", "FolderLook", "at_most_tasks", "counts", "lowest_free"]

DESCRIPTORS: Final = "/proc/self/fd"
STEP_NS: Final = 100_000_000
"""More than the steps in which any usual file system counts time, some milliseconds."""


def at_most_tasks(most: int) -> bool:
    """Return whether no more tasks exist, on whatever loop; done ones that somebody holds count. False in doubt."""
    count = 0
    for tasks in _SETS:
        count += len(tasks)
    return count <= most and bool(_SETS)


def counts() -> tuple[int, int, bool]:
    """Return how many descriptors and threads this process has, and whether it has children; some 2 µs."""
    return descriptor_count(), threading.active_count(), has_children()


class DescriptorCount:
    """Says how many descriptors this process has, by a folder that it keeps open: to look it up takes twice as long.

    Args:
        folder: Where the system lists them.
    """

    def __init__(self, folder: str = DESCRIPTORS) -> None:
        self._path = folder
        self._folder = -1
        self._known: tuple[int, int] | None = None
        """What tells the folder from whatever else may get its number once a case has closed it."""

    def __call__(self) -> int:
        """Return the number; where the system does not count, the lowest that is free: that grows with what is left."""
        found = self._look()
        if found is None:
            self._open()
            found = self._look()
        return found or lowest_free()

    def _look(self) -> int | None:
        if self._folder < 0:
            return 0 if self._known else None
        try:
            found = os.fstat(self._folder)
        except OSError:
            return None
        return found.st_size if (found.st_dev, found.st_ino) == self._known else None

    def _open(self) -> None:
        self._known = (0, 0)
        self._folder = -1
        try:
            self._folder = os.open(self._path, os.O_RDONLY)
            found = os.fstat(self._folder)
        except OSError:
            # Another system, or no room: not tried again.
            return
        self._known = found.st_dev, found.st_ino


class FolderLook:
    """Tells by one question that a folder holds what it held when it was listed, or that it must be listed again.

    The clock of a file system moves in steps, so a change may carry the time of one just before it. Therefore a folder
    that has only just changed as it is listed counts as changed.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._changed_ns = 0

    def begin(self) -> None:
        """Note the time of its last change; to be called before it is listed."""
        try:
            changed_ns = os.stat(self._folder).st_mtime_ns  # noqa: PTH116 - a Path costs twice as much
        except OSError:
            changed_ns = 0
        self._changed_ns = changed_ns if time.time_ns() - changed_ns > STEP_NS else 0

    @property
    def unchanged(self) -> bool:
        """Whether it certainly holds what it held then."""
        try:
            return os.stat(self._folder).st_mtime_ns == self._changed_ns  # noqa: PTH116 - as above
        except OSError:
            return False


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

descriptor_count = DescriptorCount()
