"""What outlives wfrun for a moment, to end the children of a wfrun that was killed and can do nothing any more.

On Linux the kernel kills the children themselves, but not what their cases started. So a shell, which costs a megabyte
and a millisecond, reads from a pipe which process groups there are now; when the pipe ends, wfrun has, and it kills
what was named last. In the ordinary course of things nothing is.
"""

from __future__ import annotations

import atexit
import contextlib
import subprocess
from typing import Final

__all__ = ["Guardian", "guardian"]

_SCRIPT: Final = """
while read -r line; do groups=$line; done
for group in $groups; do kill -s KILL -- "-$group"; done
"""
LEAVING_S: Final = 1.0


class Guardian:
    """Kills process groups when this process ends without having taken them back."""

    def __init__(self) -> None:
        self._groups: dict[int, None] = {}
        self._shell: subprocess.Popen[bytes] | None = None

    def watch(self, group: int) -> None:
        """Kill ``group`` when this process ends from now on."""
        self._groups[group] = None
        self._tell()

    def forget(self, group: int) -> None:
        """Leave ``group`` alone: it is gone, and its number may soon be somebody else's."""
        self._groups.pop(group, None)
        self._tell()

    def _tell(self) -> None:
        if self._shell is None:
            self._shell = subprocess.Popen(
                ["/bin/sh", "-c", _SCRIPT],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in a terminal is for wfrun alone
                bufsize=0,
            )
            atexit.register(self._leave, self._shell)
        if self._shell.stdin is not None:
            line = " ".join(map(str, self._groups))
            with contextlib.suppress(OSError):  # somebody killed the shell: the children are on their own
                self._shell.stdin.write(f"{line}\n".encode())

    @staticmethod
    def _leave(shell: subprocess.Popen[bytes]) -> None:
        if shell.stdin is not None:
            shell.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            shell.wait(LEAVING_S)


guardian: Final = Guardian()
"""The one of this process."""
