"""Whose code a file is, and how a line of it is named: tools blame the user's lines, not what those called."""

from __future__ import annotations

import linecache
import re
import sys
import sysconfig
import zlib
from pathlib import Path
from typing import Final

from wfrun.runner.child.failures import own_file

__all__ = ["file_name_of", "is_users", "short_place", "source_line"]

_PACKAGE: Final = Path(__file__).parents[3]
_SHIPPED: Final = str(_PACKAGE / "suites")
_ELSEWHERE: Final = (
    "<",
    str(_PACKAGE),
    f"{sys.prefix}/bin/",
    *(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")),
)
LONGEST_NAME: Final = 100
LONGEST_LINE: Final = 70


def is_users(file: str) -> bool:
    """Return whether a file is neither the interpreter's, nor an installed library's, nor wfrun's own."""
    return not file.startswith(_ELSEWHERE) or (file.startswith(_SHIPPED) and not own_file(file))


def short_place(file: str, line: int) -> str:
    """Return ``file:line`` from the current folder on, where the file lies in it."""
    try:
        shown = str(Path(file).relative_to(Path.cwd()))
    except (ValueError, OSError):
        shown = file
    return f"{shown}:{line}"


def source_line(file: str, line: int) -> str:
    """Return the text of a line, shortened; empty where it cannot be read."""
    text = linecache.getline(file, line).strip()
    return text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}…"


def file_name_of(case_id: str) -> str:
    """Return a name for files about a case, distinct for each id."""
    name = re.sub(r"[^\w.=-]+", "-", case_id).strip("-.")
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}-{zlib.crc32(case_id.encode()):08x}"
