"""How cases run: workers, limits, order, repetition."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from wfrun.cli.options.panels import HOW, values_for

__all__ = [
    "FailFastOption",
    "FlakyOption",
    "MaxMemoryOption",
    "OrderOption",
    "RepeatOption",
    "RetriesOption",
    "SeedOption",
    "TargetOption",
    "TimeoutOption",
    "UntilFailedOption",
    "WorkersOption",
]

WorkersOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--workers",
        metavar="N",
        show_default="the processors there are, at most 4",
        help="Processes that run cases at the same time.",
        rich_help_panel=HOW,
    ),
]

FailFastOption: TypeAlias = Annotated[
    bool, typer.Option("--fail-fast", "-x", help="Stop at the first case that fails.", rich_help_panel=HOW)
]

TimeoutOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--timeout",
        metavar="DURATION",
        help="Most time one pass over a case may take, such as 250ms, 90s or 2m; a bare number is seconds."
        " A case's own limit beats it; without it a case has its tier's, or 60s where it names no tier.",
        rich_help_panel=HOW,
    ),
]

SeedOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--seed",
        metavar="N",
        show_default="chosen anew and printed; for measured cases always 0",
        help="Number that everything random follows from; the same seed gives the same session.",
        rich_help_panel=HOW,
    ),
]

OrderOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--order",
        metavar="ORDER",
        autocompletion=values_for("order"),
        help="file, as they stand in their files, or random, which follows from the seed: files, suites and cases"
        " are shuffled, and each file stays whole.",
        rich_help_panel=HOW,
    ),
]

TargetOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        metavar="NAME=VALUE",
        autocompletion=values_for("target"),
        show_default=False,
        help="Drive another system where suites ask for NAME, such as channels=asyncio. May be given several times.",
        rich_help_panel=HOW,
    ),
]

MaxMemoryOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--max-memory",
        metavar="SIZE",
        show_default="no limit",
        help="Most memory the process of a case may take, with all it started, such as 512MB or 1GiB; above it is"
        " killed and the case fails.",
        rich_help_panel=HOW,
    ),
]

RepeatOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--repeat",
        metavar="N",
        show_default="1",
        help="Go N times through the checked cases; without --seed each round draws on a seed of its own. Measured"
        " cases repeat themselves already.",
        rich_help_panel=HOW,
    ),
]

UntilFailedOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--until-failed",
        help="Go through the checked cases until one fails, or Ctrl-C; with --repeat at most N times.",
        rich_help_panel=HOW,
    ),
]

RetriesOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--retries",
        metavar="N",
        show_default="0",
        help="Try a checked case that failed again, up to N times, in a fresh process each; one that then passes is"
        " flaky.",
        rich_help_panel=HOW,
    ),
]

FlakyOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--flaky",
        metavar="pass|fail",
        help="Whether a flaky case lets the session pass, or fails it.",
        rich_help_panel=HOW,
    ),
]
