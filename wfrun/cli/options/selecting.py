"""Which cases: paths, kinds, patterns, tags, tiers, shards, ids."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from wfrun.cli.options.panels import KINDS, TELL, WHICH, values_for

__all__ = [
    "CaseOption",
    "CategoryOption",
    "E2eOption",
    "ExcludeOption",
    "FailedFirstOption",
    "IntegrationOption",
    "LastFailedOption",
    "PathsArgument",
    "PatternOption",
    "PerformanceOption",
    "ShardOption",
    "StressOption",
    "TagOption",
    "TierOption",
    "UnitOption",
    "WhyOption",
]

PathsArgument: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATHS",
        show_default=False,
        help="Suite files, or folders that are searched for suite_*.py. Default: ./suites, and where there is none"
        " the suites that come with wfrun.",
    ),
]

UnitOption: TypeAlias = Annotated[bool, typer.Option("--unit", help="Run unit cases.", rich_help_panel=KINDS)]
IntegrationOption: TypeAlias = Annotated[
    bool, typer.Option("--integration", help="Run integration cases.", rich_help_panel=KINDS)
]

E2eOption: TypeAlias = Annotated[bool, typer.Option("--e2e", help="Run end-to-end cases.", rich_help_panel=KINDS)]
PerformanceOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--performance", help="Measure performance cases, each in several fresh processes.", rich_help_panel=KINDS
    ),
]

StressOption: TypeAlias = Annotated[
    bool,
    typer.Option("--stress", help="Measure stress cases, each in several fresh processes.", rich_help_panel=KINDS),
]

CategoryOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--category",
        metavar="KIND",
        autocompletion=values_for("category"),
        show_default=False,
        help="The same by name: unit, integration, e2e, performance or stress. May be given several times.",
        rich_help_panel=KINDS,
    ),
]

PatternOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--pattern",
        "-k",
        metavar="PATTERN",
        autocompletion=values_for("pattern"),
        show_default=False,
        help="Take only the cases that have this phrase in their path, suite, title, id or tags."
        " Capitals do not matter; and, or, not and parentheses join phrases; quotes take such words as they are."
        " Given several times, a case must match every one.",
        rich_help_panel=WHICH,
    ),
]

ExcludeOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="PATTERN",
        autocompletion=values_for("exclude"),
        show_default=False,
        help="Leave out the cases that match; given several times, those that match any.",
        rich_help_panel=WHICH,
    ),
]

TagOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        metavar="TEXT",
        autocompletion=values_for("tag"),
        show_default=False,
        help="Take only the cases with this tag; given several times, with all of them.",
        rich_help_panel=WHICH,
    ),
]

TierOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--tier",
        metavar="TIER",
        autocompletion=values_for("tier"),
        show_default=False,
        help="Take only the cases of this tier: fast, standard, slow or infrastructure; given several times, of any.",
        rich_help_panel=WHICH,
    ),
]

ShardOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        show_default=False,
        help="Take the I-th of N parts of what is chosen, such as 1/3; suite files stay whole."
        " wfrun merge makes one record of all parts.",
        rich_help_panel=WHICH,
    ),
]

WhyOption: TypeAlias = Annotated[
    bool, typer.Option("--why", help="Tell of every case that is left out why it is.", rich_help_panel=TELL)
]

CaseOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--case",
        metavar="ID",
        autocompletion=values_for("case"),
        show_default=False,
        help="Take only the case with this id, whatever its kind; given several times, these cases in this order."
        " @FILE reads ids from a file, one a line.",
        rich_help_panel=WHICH,
    ),
]

LastFailedOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--last-failed",
        help="Take only the cases that failed when they last ran in this folder.",
        rich_help_panel=WHICH,
    ),
]

FailedFirstOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--failed-first",
        help="Run the cases first that failed when they last ran in this folder.",
        rich_help_panel=WHICH,
    ),
]
