"""One call of git, about the repository around a folder and no other."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["call_git"]

# These make git look elsewhere than at the folder it is run in; inside a hook they are set for the hook's repository.
MISLEADING: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE")


def call_git(
    folder: Path, *words: str, timeout_s: float, looks_only: bool = False
) -> subprocess.CompletedProcess[bytes]:
    """Run git in ``folder`` to its end; it asks nobody anything, and speaks English.

    Args:
        folder: In a repository, or not.
        words: What git is to do.
        timeout_s: When to give up.
        looks_only: Whether it must not take locks, so that it neither changes the repository nor disturbs a command
            beside it.

    Raises:
        OSError: There is no git.
        subprocess.TimeoutExpired: It took too long.
    """
    environment = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    environment |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"} | ({"GIT_OPTIONAL_LOCKS": "0"} if looks_only else {})
    # Without a monitor process, which would stay.
    command = ["git", "-c", "core.fsmonitor=false", "-c", "advice.detachedHead=false", *words]
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout_s,
        check=False,
    )
