"""Processes that cases started and left behind, found by a mark in their environment.

Most are in the process group of the child that started them and end with it. One that made a session of its own, as a
daemon does, is in no group and soon has another parent: only what it inherited still tells where it came from.
"""

from __future__ import annotations

import secrets
from typing import Final

__all__ = ["MARK", "end_leftovers"]

NAME: Final = "WFRUN_STARTED_BY"
MARK: Final = {NAME: secrets.token_hex(16)}
"""What every child of this process has in its environment, and so has what the child starts."""


def end_leftovers() -> int:
    """Kill every process that carries this process's mark, and return how many they were; some milliseconds.

    To be called when no child runs: children carry it too.
    """
    import psutil  # type: ignore[import-untyped]  # noqa: PLC0415 - the children's starter needs only the mark

    ended = 0
    for process in psutil.process_iter():
        try:
            if process.environ().get(NAME) == MARK[NAME]:
                process.kill()
                ended += 1
        except (psutil.Error, OSError):
            # It is gone already, or somebody else's and no business of ours.
            continue
    return ended
