"""The last stage of a session: print the summary, and write the files that were asked for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.text import Text

from wfrun.errors import FileError
from wfrun.files import parts, write_atomically
from wfrun.runner.record.json_text import json_bytes
from wfrun.runner.report.console import make_console, print_parts
from wfrun.runner.report.github import annotation_lines
from wfrun.runner.report.junit import junit_xml
from wfrun.runner.report.markdown import session_markdown
from wfrun.runner.report.summary import summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rich.console import Console

    from wfrun.runner.report.console import ReportConsole
    from wfrun.runner.report.github import GitHub
    from wfrun.runner.report.story import SessionStory

__all__ = ["STANDARD_OUTPUT", "report_session", "session_console", "write_report"]

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
    html_path: Path | None = None,
    markdown_path: Path | None = None,
    github: GitHub | None = None,
) -> None:
    """Print the end of a session and write its files.

    A file that cannot be written does not keep the summary from being printed or the other file from being written.

    Args:
        story: The session.
        console: Where the summary goes; for a session the one of :func:`session_console`.
        verbosity: -1 quiet, 0 normal, 1 for tables, tracebacks and output without shortening.
        junit_path: Where to write JUnit XML; ``None`` for nowhere.
        json_path: Where to write the record as JSON; ``-`` for standard output, ``None`` for nowhere.
        html_path: Where to write the session as a page; ``None`` for nowhere.
        markdown_path: Where to write a summary in Markdown; ``None`` for nowhere.
        github: The step of a GitHub workflow that is to show failures and the summary; ``None`` elsewhere.

    Raises:
        FileError: A file could not be written; the text says which and why.
    """
    print_parts(console, summary(story, verbosity=verbosity))
    failures: list[str] = []
    if github is not None:
        _tell_github(story, console, github, failures)
    if html_path is not None:
        _write_page(html_path, story, failures)
    if markdown_path is not None:
        write_report(markdown_path, lambda: _encoded(session_markdown(story)), failures)
    if junit_path is not None:
        write_report(junit_path, lambda: junit_xml(story), failures)
    if json_path is not None and story.recording is not None:
        write_report(json_path, story.recording.json, failures)
    elif json_path is not None and story.record is not None:
        record = story.record
        write_report(json_path, lambda: json_bytes(record), failures)
    if failures:
        raise FileError("; ".join(failures))


def _write_page(path: Path, story: SessionStory, failures: list[str]) -> None:
    # Sessions without a page start faster without what draws one.
    from wfrun.runner.report.page.nights import nights_here  # noqa: PLC0415
    from wfrun.runner.report.page.page import session_page  # noqa: PLC0415

    write_report(path, lambda: _encoded(session_page(story, nights_here(story.record))), failures)


def _tell_github(story: SessionStory, console: Console, github: GitHub, failures: list[str]) -> None:
    for line in annotation_lines(story, github.repository):
        console.print(Text(line), soft_wrap=True)
    if github.summary_path is None:
        return
    try:
        # Earlier commands of the step have written there too.
        with github.summary_path.open("ab") as stream:
            stream.write(_encoded(session_markdown(story)))
    except OSError as error:
        failures.append(f"cannot write {github.summary_path}: {error.strerror or error}")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def write_report(path: Path, content: Callable[[], bytes | Iterable[bytes]], failures: list[str]) -> None:
    """Write what ``content`` returns to ``path``; where that cannot be, add the reason to ``failures``."""
    try:
        if path == STANDARD_OUTPUT:
            sys.stdout.buffer.writelines(parts(content()))
            sys.stdout.buffer.flush()
        elif path.exists() and not path.is_file():
            # A device or a named pipe must be written into; replacing it would take it from everybody else.
            with path.open("wb") as stream:
                stream.writelines(parts(content()))
        else:
            write_atomically(path, content())
    except BrokenPipeError:
        raise
    except FileError as error:
        failures.append(str(error))
    except OSError as error:
        failures.append(f"cannot write {path}: {error.strerror or error}")
