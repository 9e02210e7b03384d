"""The processes that this one and what it started have started: adopted when orphaned, listed, ended.

On Linux this process is made the one that adopts orphans below it, so a daemon that left its group and session becomes
a child of it, and is found as one. Only children are ever signalled: until they are collected here, their ids cannot
belong to anybody else. Ending a child brings up its own children in the next look.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from typing import Final

__all__ = ["adopt_orphans", "children", "command_line", "end_children", "has_children"]

PR_SET_CHILD_SUBREAPER: Final = 36
TASKS: Final = Path("/proc/self/task")
SWEEP_S: Final = 1.0
"""How long ending children, and theirs, may take."""


def adopt_orphans() -> None:
    """Become the parent of every descendant whose parent ends; Linux only, elsewhere that is process 1."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def has_children() -> bool:
    """Return whether there are any, dead and not collected ones included; about 1 µs. False where nothing tells."""
    if sys.platform == "darwin":
        return False
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def children() -> dict[int, bool]:
    """Return the ids of all children, each with whether it still runs; some 50 µs."""
    found: dict[int, bool] = {}
    for task in TASKS.glob("*/children"):
        with contextlib.suppress(OSError):  # a thread that has ended meanwhile
            found |= {int(pid): _runs(int(pid)) for pid in task.read_text().split()}
    return found


def command_line(pid: int) -> str:
    """Return what the process was started as, shortened; empty where it is gone."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return ""
    line = " ".join(words).strip()
    return line if len(line) <= 80 else f"{line[:79]}…"


def end_children(known: set[int]) -> None:
    """Kill every child that is not ``known``, then the orphans this leaves, and collect them all."""
    until_s = time.monotonic() + SWEEP_S
    while (strangers := set(children()) - known) and time.monotonic() < until_s:
        for pid in strangers:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        for pid in strangers:
            with contextlib.suppress(ChildProcessError):
                # Its starter may be waiting for it in a thread; either of them collects it.
                os.waitid(os.P_PID, pid, os.WEXITED)


def _runs(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return stat[stat.rindex(b")") + 2 :][:1] not in b"ZX"
