"""Measuring, and what figures are held against."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from wfrun.cli.options.panels import MEASURE, values_for

__all__ = [
    "AgainstOption",
    "BaselineOption",
    "BudgetOption",
    "CompareOption",
    "DoctorBudgetOption",
    "DoctorJsonOption",
    "FailOnOption",
    "FileArgument",
    "IdenticalOption",
    "NewArgument",
    "OldArgument",
    "ReplaceOption",
    "SetupOption",
    "SuitesFromEachOption",
    "ThresholdOption",
]

BaselineOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--baseline",
        metavar="FILE",
        autocompletion=values_for("baseline"),
        show_default=False,
        help="Record what was measured in this baseline; a bare name is a file in ./baselines.",
        rich_help_panel=MEASURE,
    ),
]

ReplaceOption: TypeAlias = Annotated[
    bool,
    typer.Option("--replace", help="With --baseline: start the file anew if it exists.", rich_help_panel=MEASURE),
]

CompareOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--compare",
        metavar="FILE",
        autocompletion=values_for("compare"),
        show_default=False,
        help="Hold what was measured against this baseline; a regression ends with exit code 3.",
        rich_help_panel=MEASURE,
    ),
]

AgainstOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--against",
        metavar="REF",
        autocompletion=values_for("against"),
        show_default=False,
        help="Measure the working tree and this commit side by side: a branch, a tag, REF1..REF2 for two commits,"
        " or a folder. A regression ends with exit code 3.",
        rich_help_panel=MEASURE,
    ),
]

BudgetOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--budget",
        metavar="TIME",
        show_default=False,
        help="Time spent on samples of each measured case. A longer one shows smaller changes. Where nothing is said,"
        " 2.4s; with --against 4s, both sides together.",
        rich_help_panel=MEASURE,
    ),
]

SetupOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--setup",
        metavar="COMMAND",
        show_default=False,
        help="With --against: give each side an environment of its own, made by this command in its tree, such as"
        " 'pip install -e .'. It is kept while the lock files stay the same.",
        rich_help_panel=MEASURE,
    ),
]

SuitesFromEachOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--suites-from-each",
        help="With --against: run each side's own suites instead of the working tree's on both.",
        rich_help_panel=MEASURE,
    ),
]

ThresholdOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--threshold",
        metavar="METRIC=PERCENT",
        show_default=False,
        help="With --compare or --against: how much worse a metric may get, in per cent, such as latency_p99_ns=10."
        " May be given several times.",
        rich_help_panel=MEASURE,
    ),
]

FailOnOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-on",
        metavar="LIST",
        autocompletion=values_for("fail-on"),
        show_default="regressed",
        help="What of the comparison ends with exit code 3: regressed, missing, inconclusive, not-comparable, new,"
        " changed (the text of the case), joined by commas, or none.",
        rich_help_panel=MEASURE,
    ),
]

FileArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        autocompletion=values_for("baseline"),
        show_default=False,
        help="A baseline; a bare name is a file in ./baselines.",
    ),
]

OldArgument: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="OLD", show_default=False, help="A baseline, or a record that --json wrote."),
]

NewArgument: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="NEW", show_default=False, help="The same, of what is to be judged."),
]

IdenticalOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--aa",
        help="First compare a case with itself, again and again: how often is it called different, how small a change"
        " would show? Kept in .wfrun, and told with later comparisons on this machine.",
    ),
]

DoctorBudgetOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--budget", metavar="DURATION", show_default="60s", help="How long --aa may take, such as 5m."),
]

DoctorJsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print the sheet as JSON, with the figures behind each line.")
]
