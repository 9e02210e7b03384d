"""What a file is called for people, and the same in two copies of one project."""

from __future__ import annotations

import functools
import os
import sysconfig
from pathlib import Path
from typing import Final

__all__ = ["project_file"]

_LIBRARIES: Final = tuple(
    sorted({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}, key=len, reverse=True)
)
_OWN: Final = str(Path(__file__).parents[3])


@functools.cache
def project_file(file: str) -> str:
    """Return ``file`` from the current folder on, or from where libraries lie; as it is where it lies in neither."""
    for folder in (*_LIBRARIES, os.getcwd(), _OWN):  # noqa: PTH109 - text, as code objects have it
        if file.startswith(f"{folder}{os.sep}"):
            return file[len(folder) + 1 :].replace(os.sep, "/")
    return file
