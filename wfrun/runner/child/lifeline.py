"""A child ends when its parent does, however the parent ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from typing import Final

__all__ = ["die_with_parent"]

PR_SET_PDEATHSIG: Final = 1


def die_with_parent(parent_pid: int, command_descriptor: int) -> None:
    """Arrange that this process is killed when its parent ends.

    On Linux the kernel does it, even while this process is busy in C. Elsewhere a thread waits for the end of the
    command pipe, which works as long as Python code runs.

    Args:
        parent_pid: The parent as the parent knows itself; where it is gone already, this process exits.
        command_descriptor: A pipe whose other end only the parent holds.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent_pid:
            os._exit(1)
    else:
        threading.Thread(target=_watch, args=(parent_pid, command_descriptor), daemon=True).start()


def _watch(parent_pid: int, command_descriptor: int) -> None:
    # The pipe itself is read by the main thread, so look at whether it is still held, not into it.
    import select  # noqa: PLC0415 - not needed on Linux
    import time  # noqa: PLC0415

    while os.getppid() == parent_pid:
        select.select([], [], [command_descriptor], 1.0)
        time.sleep(0.2)
    os._exit(1)
