"""Where each thread was when the process ended, printed by the process itself as it ends.

It goes to a copy of the error output that cases do not know of, so that one who closes the outputs is told of too.
"""

from __future__ import annotations

import faulthandler
import os
import signal
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["tell_of_ends"]

ERR: Final = 2


def tell_of_ends() -> Callable[[], None]:
    """Print stacks when a fatal signal comes, at SIGUSR1, and when this process (no fork of it) calls ``os._exit``.

    Returns:
        What makes SIGUSR1 do so again after somebody took it over.
    """
    told = os.dup(ERR)
    faulthandler.enable(told)

    def listen() -> None:
        faulthandler.unregister(signal.SIGUSR1)
        faulthandler.register(signal.SIGUSR1, told, all_threads=True)

    listen()
    os._exit = _telling(os._exit, os.getpid(), told)  # type: ignore[assignment]
    return listen


def _telling(leave: Callable[[int], NoReturn], pid: int, told: int) -> Callable[[int], NoReturn]:
    def _exit(status: int) -> NoReturn:
        if os.getpid() == pid:
            # The one way out that nothing else notices.
            try:
                os.write(told, f"Fatal Python error: os._exit({status})\n\n".encode())
                faulthandler.dump_traceback(told, all_threads=False)
            except OSError:
                pass
        leave(status)

    return _exit
