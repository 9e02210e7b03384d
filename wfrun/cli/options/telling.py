"""What is told, and where: the terminal, reports, records."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from wfrun.cli.options.panels import TELL

__all__ = [
    "HtmlOption",
    "JsonOption",
    "JunitOption",
    "ListJsonOption",
    "MarkdownOption",
    "OutputOption",
    "QuietOption",
    "RecordsArgument",
    "StatsOption",
    "VerboseOption",
]

RecordsArgument: TypeAlias = Annotated[
    list[str],
    typer.Argument(metavar="RECORD...", show_default=False, help="Files that wfrun --shard I/N --json FILE wrote."),
]

VerboseOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--verbose", "-v", help="Tell more: output, notes and items of passed cases too.", rich_help_panel=TELL
    ),
]

QuietOption: TypeAlias = Annotated[
    bool, typer.Option("--quiet", "-q", help="Tell failures and the summary only.", rich_help_panel=TELL)
]

StatsOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--stats", help="Tell where the time went: stages, slowest cases, distribution.", rich_help_panel=TELL
    ),
]

OutputOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--output",
        metavar="DIR",
        show_default=False,
        help="Write everything that no other file is named for into this folder: record.json, junit.xml, session.html"
        " and the rest.",
        rich_help_panel=TELL,
    ),
]

JunitOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--junit", metavar="FILE", show_default=False, help="Write the results as JUnit XML.", rich_help_panel=TELL
    ),
]

JsonOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--json",
        metavar="FILE",
        show_default=False,
        help="Write the session's whole record as JSON. - is standard output; everything else then goes to"
        " standard error.",
        rich_help_panel=TELL,
    ),
]

HtmlOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--html",
        metavar="FILE",
        show_default=False,
        help="Write the session as a page of HTML that needs no other file and no network.",
        rich_help_panel=TELL,
    ),
]

MarkdownOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--markdown",
        metavar="FILE",
        show_default=False,
        help="Write a summary in Markdown. In GitHub Actions it is shown with the step without being asked for.",
        rich_help_panel=TELL,
    ),
]

ListJsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print the cases as JSON.", rich_help_panel=TELL)
]
