"""The memory of a process and of everything below it, from outside."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TreeMemory", "tree_memory"]

PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class TreeMemory:
    """What a tree of processes holds in RAM."""

    total_bytes: int
    largest_pid: int
    """The process that holds most of it."""
    largest_bytes: int


def tree_memory(pid: int, *, exact: bool = False) -> TreeMemory:
    """Return the memory of process ``pid`` and its descendants; on Linux some 40 µs for each process.

    Args:
        pid: The root; where it is gone, everything is 0.
        exact: Count memory that several of them share once and not for each, which takes milliseconds. Only Linux can;
            elsewhere, and without it, the figure is an upper bound.
    """
    sizes = dict(_sizes_of_linux(pid, exact=exact) if sys.platform == "linux" else _sizes_elsewhere(pid))
    if not sizes:
        return TreeMemory(0, pid, 0)
    largest = max(sizes, key=lambda each: sizes[each])
    return TreeMemory(sum(sizes.values()), largest, sizes[largest])


def _sizes_of_linux(root: int, *, exact: bool) -> Iterator[tuple[int, int]]:
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        try:
            size = _proportional_bytes(pid) if exact else _resident_bytes(pid)
            for task in (PROC / str(pid) / "task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except (OSError, ValueError):
            # It is gone, or its thread is.
            continue
        yield pid, size


def _resident_bytes(pid: int) -> int:
    return int((PROC / str(pid) / "statm").read_bytes().split(None, 2)[1]) * os.sysconf("SC_PAGE_SIZE")


def _proportional_bytes(pid: int) -> int:
    try:
        text = (PROC / str(pid) / "smaps_rollup").read_bytes()
    except OSError:
        return _resident_bytes(pid)
    return next((int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith(b"Pss:")), 0)


def _sizes_elsewhere(root: int) -> Iterator[tuple[int, int]]:
    import psutil  # type: ignore[import-untyped]  # noqa: PLC0415 - Linux never needs it

    try:
        process = psutil.Process(root)
        for each in (process, *process.children(recursive=True)):
            yield each.pid, int(each.memory_info().rss)
    except psutil.Error:
        return
