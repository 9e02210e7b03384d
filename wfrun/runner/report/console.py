"""The one way to a terminal, a pipe or a file for everything that wfrun prints for people."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import IO, TYPE_CHECKING, Final

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.console import RenderableType

__all__ = ["ReportConsole", "animated", "make_console", "print_parts"]

WIDTH_ELSEWHERE: Final = 120
"""Columns where no terminal says how wide it is: tables in a log are better wide than folded."""


class ReportConsole(Console):
    """A console whose reader may leave: the session goes on, and its exit code stays true."""

    def on_broken_pipe(self) -> None:
        """Print nothing more; called by rich when writing met a closed pipe."""
        self.quiet = True
        # What is buffered would fail once more when the stream is closed at the end: let it go nowhere.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


def make_console(
    file: IO[str] | None = None, *, width: int | None = None, environment: Mapping[str, str] | None = None
) -> ReportConsole:
    """Return a console on ``file``, or on standard output.

    ``NO_COLOR``, ``FORCE_COLOR``, ``TERM`` and ``COLUMNS`` are honoured. Text is printed as it is: square brackets and
    colons in titles are not read as markup or emoji. What the stream cannot encode is printed as an escape.
    """
    environment = os.environ if environment is None else environment
    stream = file if file is not None else sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    if width is None and not environment.get("COLUMNS", "").isdigit() and not _watched(stream):
        width = WIDTH_ELSEWHERE
    return ReportConsole(
        file=file,
        width=width,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        _environ=environment,
    )


def print_parts(console: Console, parts: Iterable[RenderableType]) -> None:
    """Print text as it is, for a terminal to wrap and a log to keep on one line; everything else fits the width."""
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, Text))


def animated(console: Console, environment: Mapping[str, str] | None = None) -> bool:
    """Return whether a live view may redraw itself: on a terminal that a person watches, not in CI or a dumb one."""
    environment = os.environ if environment is None else environment
    in_ci = environment.get("CI", "").lower() not in {"", "0", "false"}
    # FORCE_COLOR makes rich take a pipe for a terminal; colours may go there, redrawing must not.
    return _watched(console.file) and console.is_interactive and not console.is_dumb_terminal and not in_ci


def _watched(stream: IO[str] | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # it is closed
        return False
