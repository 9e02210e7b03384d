"""Named shared memory that a case makes and does not live to unlink: named so that the parent can tell whose it is."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Final

__all__ = ["name_shared_memory", "unlink_shared_memory"]

FOLDER: Final = Path("/dev/shm")  # noqa: S108 - where Linux keeps it; nothing is made here
MODULE: Final = "multiprocessing.shared_memory"
LONGEST_NAME: Final = 40


def name_shared_memory(owner: str) -> None:
    """Make what this process creates from now on begin with ``owner``; nothing where it has not been imported yet."""
    module = sys.modules.get(MODULE)
    if module is not None and sys.platform == "linux" and owner:
        # Set anew each time, as that is cheaper than to ask.
        vars(module).update(_SHM_NAME_PREFIX=f"/{owner}-", _SHM_SAFE_NAME_LENGTH=LONGEST_NAME)


def unlink_shared_memory(owner: str) -> None:
    """Remove what ``owner`` has left, once it is gone."""
    if owner and FOLDER.is_dir():
        for segment in FOLDER.glob(f"{owner}-*"):
            with contextlib.suppress(OSError):
                segment.unlink()
