"""The last stage of a session: print the summary, and write the files that were asked for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wfrun.errors import FileError
from wfrun.files import write_atomically
from wfrun.runner.record.json_text import json_bytes
from wfrun.runner.report.console import make_console, print_parts
from wfrun.runner.report.junit import junit_xml
from wfrun.runner.report.summary import summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from wfrun.runner.report.console import ReportConsole
    from wfrun.runner.report.story import SessionStory

__all__ = ["STANDARD_OUTPUT", "report_session", "session_console"]

STANDARD_OUTPUT: Final = Path("-")
"""What ``--json -`` arrives as."""


def session_console(json_path: Path | None) -> ReportConsole:
    """Return where a session is told to people: standard output, unless that is taken by its record as JSON."""
    return make_console(sys.stderr) if json_path == STANDARD_OUTPUT else make_console()


def report_session(
    story: SessionStory,
    console: Console,
    *,
    verbosity: int = 0,
    junit_path: Path | None = None,
    json_path: Path | None = None,
) -> None:
    """Print the end of a session and write its files.

    A file that cannot be written does not keep the summary from being printed or the other file from being written.

    Args:
        story: The session.
        console: Where the summary goes; for a session the one of :func:`session_console`.
        verbosity: -1 quiet, 0 normal, 1 for tables, tracebacks and output without shortening.
        junit_path: Where to write JUnit XML; ``None`` for nowhere.
        json_path: Where to write the record as JSON; ``-`` for standard output, ``None`` for nowhere.

    Raises:
        FileError: A file could not be written; the text says which and why.
    """
    print_parts(console, summary(story, verbosity=verbosity))
    failures: list[str] = []
    if junit_path is not None:
        _try_writing(junit_path, lambda: junit_xml(story), failures)
    if json_path is not None and story.record is not None:
        record = story.record
        _try_writing(json_path, lambda: json_bytes(record), failures)
    if failures:
        raise FileError("; ".join(failures))


def _try_writing(path: Path, content: Callable[[], bytes], failures: list[str]) -> None:
    try:
        if path == STANDARD_OUTPUT:
            sys.stdout.buffer.write(content())
            sys.stdout.buffer.flush()
        elif path.exists() and not path.is_file():
            # A device or a named pipe must be written into; replacing it would take it from everybody else.
            with path.open("wb") as stream:
                stream.write(content())
        else:
            write_atomically(path, content())
    except BrokenPipeError:
        raise
    except FileError as error:
        failures.append(str(error))
    except OSError as error:
        failures.append(f"cannot write {path}: {error.strerror or error}")
