"""Signals, asked about for every case: the public functions turn numbers into members of enums each time.

That takes thirty times as long as the system call itself; where there is no quicker way, they are what is used.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["handler_of", "unblock"]

_direct: Final = sys.modules.get("_signal", signal)
_mask: Final[Callable[[int, Iterable[int]], object]] = getattr(_direct, "pthread_sigmask", signal.pthread_sigmask)

handler_of: Final[Callable[[int], Any]] = getattr(_direct, "getsignal", signal.getsignal)
"""Return what is called when a signal comes; ``SIG_DFL`` and ``SIG_IGN`` as their numbers."""


def unblock(numbers: Iterable[int]) -> None:
    """Let signals through to this thread."""
    _mask(int(signal.SIG_UNBLOCK), numbers)
