"""How long the calling thread was ready to run and was given no core: time that is the machine's, not the code's.

Linux counts it for each thread, in nanoseconds, where the kernel keeps scheduling statistics; reading it costs some
400 ns. A neighbour that takes a core half of the time doubles what work takes on the clock, and leaves the time on the
clock less this delay as it was. Sleeping is no delay; being woken late from it is.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["RunDelay"]

_FILE: Final = Path("/proc/thread-self/schedstat")


class RunDelay:
    """The delay of the thread that makes this, read as often as wanted; always 0 where the system does not tell."""

    __slots__ = ("_descriptor",)

    def __init__(self) -> None:
        try:
            self._descriptor = os.open(_FILE, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._descriptor = -1

    @property
    def known(self) -> bool:
        """Whether the system tells."""
        return self._descriptor >= 0

    def total_ns(self) -> int:
        """Return the delay since the thread began."""
        if self._descriptor < 0:
            return 0
        # "time on a core, time waited for one, times put on one"
        return int(os.pread(self._descriptor, 64, 0).split()[1])

    def close(self) -> None:
        """Give the descriptor back."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
