"""The options of the commands, each declared once: its names, its panel, and its help with default and unit.

Values arrive as text and become a session's choices in :mod:`wfrun.cli.choices`, whose messages say what is accepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from wfrun.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "BaselineOption",
    "CaseOption",
    "CategoryOption",
    "CompareOption",
    "ConfigOption",
    "CoverageOption",
    "DebugOption",
    "DoctorBudgetOption",
    "DoctorJsonOption",
    "E2eOption",
    "EnvOption",
    "ExcludeOption",
    "FailFastOption",
    "FailOnOption",
    "FailedFirstOption",
    "FileArgument",
    "FlakyOption",
    "HtmlOption",
    "IdenticalOption",
    "InProcessOption",
    "IntegrationOption",
    "JsonOption",
    "JunitOption",
    "LastFailedOption",
    "ListJsonOption",
    "MarkdownOption",
    "MaxMemoryOption",
    "NewArgument",
    "NoCaptureOption",
    "OldArgument",
    "OrderOption",
    "OutputOption",
    "PathsArgument",
    "PatternOption",
    "PdbOption",
    "PerformanceOption",
    "ProfileOption",
    "QuietOption",
    "RecordsArgument",
    "RepeatOption",
    "ReplaceOption",
    "RetriesOption",
    "SeedOption",
    "ShardOption",
    "StatsOption",
    "StressOption",
    "TagOption",
    "TargetOption",
    "ThresholdOption",
    "TierOption",
    "TimeoutOption",
    "TraceOption",
    "UnitOption",
    "UntilFailedOption",
    "VerboseOption",
    "VersionOption",
    "WhyOption",
    "WorkersOption",
    "words_about_running",
]

_KINDS = "Kinds of cases (all but performance and stress unless some are named)"
_WHICH = "Which cases"
_HOW = "How they run"
_CLOSER = "Looking closer"
_TELL = "What is told, and where"
_MEASURE = "Measuring against a baseline"
_SETTINGS = "Settings kept elsewhere"


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - the form typer calls
    if wanted:
        print(f"wfrun {__version__}")
        raise typer.Exit


def _values_for(option: str) -> Callable[[str], list[str]]:
    def offered(incomplete: str) -> list[str]:
        from wfrun.cli.completing import values_for  # noqa: PLC0415 - only a shell that completes needs it

        return values_for(option, incomplete)

    return offered


PathsArgument: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATHS",
        show_default=False,
        help="Suite files, or folders that are searched for suite_*.py. Default: ./suites, and where there is none"
        " the suites that come with wfrun.",
    ),
]
RecordsArgument: TypeAlias = Annotated[
    list[str],
    typer.Argument(metavar="RECORD...", show_default=False, help="Files that wfrun --shard I/N --json FILE wrote."),
]

UnitOption: TypeAlias = Annotated[bool, typer.Option("--unit", help="Run unit cases.", rich_help_panel=_KINDS)]
IntegrationOption: TypeAlias = Annotated[
    bool, typer.Option("--integration", help="Run integration cases.", rich_help_panel=_KINDS)
]
E2eOption: TypeAlias = Annotated[bool, typer.Option("--e2e", help="Run end-to-end cases.", rich_help_panel=_KINDS)]
PerformanceOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--performance", help="Measure performance cases, each in several fresh processes.", rich_help_panel=_KINDS
    ),
]
StressOption: TypeAlias = Annotated[
    bool,
    typer.Option("--stress", help="Measure stress cases, each in several fresh processes.", rich_help_panel=_KINDS),
]

CategoryOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--category",
        metavar="KIND",
        autocompletion=_values_for("category"),
        show_default=False,
        help="The same by name: unit, integration, e2e, performance or stress. May be given several times.",
        rich_help_panel=_KINDS,
    ),
]

PatternOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--pattern",
        "-k",
        metavar="PATTERN",
        autocompletion=_values_for("pattern"),
        show_default=False,
        help="Take only the cases that have this phrase in their path, suite, title, id or tags."
        " Capitals do not matter; and, or, not and parentheses join phrases; quotes take such words as they are."
        " Given several times, a case must match every one.",
        rich_help_panel=_WHICH,
    ),
]
ExcludeOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="PATTERN",
        autocompletion=_values_for("exclude"),
        show_default=False,
        help="Leave out the cases that match; given several times, those that match any.",
        rich_help_panel=_WHICH,
    ),
]
TagOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        metavar="TEXT",
        autocompletion=_values_for("tag"),
        show_default=False,
        help="Take only the cases with this tag; given several times, with all of them.",
        rich_help_panel=_WHICH,
    ),
]
TierOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--tier",
        metavar="TIER",
        autocompletion=_values_for("tier"),
        show_default=False,
        help="Take only the cases of this tier: fast, standard, slow or infrastructure; given several times, of any.",
        rich_help_panel=_WHICH,
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
        rich_help_panel=_WHICH,
    ),
]
WhyOption: TypeAlias = Annotated[
    bool, typer.Option("--why", help="Tell of every case that is left out why it is.", rich_help_panel=_TELL)
]
CaseOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--case",
        metavar="ID",
        autocompletion=_values_for("case"),
        show_default=False,
        help="Take only the case with this id, whatever its kind; given several times, these cases in this order."
        " @FILE reads ids from a file, one a line.",
        rich_help_panel=_WHICH,
    ),
]
LastFailedOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--last-failed",
        help="Take only the cases that failed when they last ran in this folder.",
        rich_help_panel=_WHICH,
    ),
]
FailedFirstOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--failed-first",
        help="Run the cases first that failed when they last ran in this folder.",
        rich_help_panel=_WHICH,
    ),
]

WorkersOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--workers",
        metavar="N",
        show_default="the processors there are, at most 4",
        help="Processes that run cases at the same time.",
        rich_help_panel=_HOW,
    ),
]
FailFastOption: TypeAlias = Annotated[
    bool, typer.Option("--fail-fast", "-x", help="Stop at the first case that fails.", rich_help_panel=_HOW)
]
TimeoutOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--timeout",
        metavar="DURATION",
        help="Most time one pass over a case may take, such as 250ms, 90s or 2m; a bare number is seconds."
        " A case's own limit beats it; without it a case has its tier's, or 60s where it names no tier.",
        rich_help_panel=_HOW,
    ),
]
SeedOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--seed",
        metavar="N",
        show_default="chosen anew and printed; for measured cases always 0",
        help="Number that everything random follows from; the same seed gives the same session.",
        rich_help_panel=_HOW,
    ),
]
OrderOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--order",
        metavar="ORDER",
        autocompletion=_values_for("order"),
        help="file, as they stand in their files, or random, which follows from the seed: files, suites and cases"
        " are shuffled, and each file stays whole.",
        rich_help_panel=_HOW,
    ),
]
TargetOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        metavar="NAME=VALUE",
        autocompletion=_values_for("target"),
        show_default=False,
        help="Drive another system where suites ask for NAME, such as channels=asyncio. May be given several times.",
        rich_help_panel=_HOW,
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
        rich_help_panel=_HOW,
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
        rich_help_panel=_HOW,
    ),
]
UntilFailedOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--until-failed",
        help="Go through the checked cases until one fails, or Ctrl-C; with --repeat at most N times.",
        rich_help_panel=_HOW,
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
        rich_help_panel=_HOW,
    ),
]
FlakyOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--flaky",
        metavar="pass|fail",
        help="Whether a flaky case lets the session pass, or fails it.",
        rich_help_panel=_HOW,
    ),
]

InProcessOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--in-process",
        help="Run the cases in this very process, one after another, with its standard input and output. Nothing is"
        " measured, and a case that crashes takes the session with it.",
        rich_help_panel=_CLOSER,
    ),
]
PdbOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--pdb",
        help="Open the debugger where a case fails, in this process (--in-process) and without time limits.",
        rich_help_panel=_CLOSER,
    ),
]
DebugOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--debug",
        help="Warn of callbacks that hold the event loop, coroutines never awaited and resources never closed, and"
        " show local variables in tracebacks. Cases run slower, and nothing is measured.",
        rich_help_panel=_CLOSER,
    ),
]
ProfileOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--profile",
        help="Repeat each case under profilers: processor time by function and line, memory held and kept by line."
        " The whole is written to .wfrun/profile. Nothing is measured.",
        rich_help_panel=_CLOSER,
    ),
]
TraceOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--trace",
        help="Write down what cases do when: fixtures, tasks, stages, waits at channels, memory and processor time, as"
        " a file in .wfrun/trace that https://ui.perfetto.dev opens. Nothing is measured.",
        rich_help_panel=_CLOSER,
    ),
]
CoverageOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--coverage",
        help="Take down which lines of the project cases run, in all their processes; needs the extra wfrun[coverage]."
        " Data, lcov.info and coverage.xml are written to .wfrun/coverage. Nothing is measured.",
        rich_help_panel=_CLOSER,
    ),
]
NoCaptureOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--no-capture",
        help="Let what cases print go straight through, as it is; one worker unless --workers says otherwise.",
        rich_help_panel=_CLOSER,
    ),
]

VerboseOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--verbose", "-v", help="Tell more: output, notes and items of passed cases too.", rich_help_panel=_TELL
    ),
]
QuietOption: TypeAlias = Annotated[
    bool, typer.Option("--quiet", "-q", help="Tell failures and the summary only.", rich_help_panel=_TELL)
]
StatsOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--stats", help="Tell where the time went: stages, slowest cases, distribution.", rich_help_panel=_TELL
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
        rich_help_panel=_TELL,
    ),
]
JunitOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--junit", metavar="FILE", show_default=False, help="Write the results as JUnit XML.", rich_help_panel=_TELL
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
        rich_help_panel=_TELL,
    ),
]
HtmlOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--html",
        metavar="FILE",
        show_default=False,
        help="Write the session as a page of HTML that needs no other file and no network.",
        rich_help_panel=_TELL,
    ),
]
MarkdownOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--markdown",
        metavar="FILE",
        show_default=False,
        help="Write a summary in Markdown. In GitHub Actions it is shown with the step without being asked for.",
        rich_help_panel=_TELL,
    ),
]
ListJsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print the cases as JSON.", rich_help_panel=_TELL)
]

BaselineOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--baseline",
        metavar="FILE",
        autocompletion=_values_for("baseline"),
        show_default=False,
        help="Record what was measured in this baseline; a bare name is a file in ./baselines.",
        rich_help_panel=_MEASURE,
    ),
]
ReplaceOption: TypeAlias = Annotated[
    bool,
    typer.Option("--replace", help="With --baseline: start the file anew if it exists.", rich_help_panel=_MEASURE),
]
CompareOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--compare",
        metavar="FILE",
        autocompletion=_values_for("compare"),
        show_default=False,
        help="Hold what was measured against this baseline; a regression ends with exit code 3.",
        rich_help_panel=_MEASURE,
    ),
]
AgainstOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--against",
        metavar="REF",
        autocompletion=_values_for("against"),
        show_default=False,
        help="Measure the working tree and this commit side by side: a branch, a tag, REF1..REF2 for two commits,"
        " or a folder. A regression ends with exit code 3.",
        rich_help_panel=_MEASURE,
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
        rich_help_panel=_MEASURE,
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
        rich_help_panel=_MEASURE,
    ),
]
SuitesFromEachOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--suites-from-each",
        help="With --against: run each side's own suites instead of the working tree's on both.",
        rich_help_panel=_MEASURE,
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
        rich_help_panel=_MEASURE,
    ),
]

FailOnOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-on",
        metavar="LIST",
        autocompletion=_values_for("fail-on"),
        show_default="regressed",
        help="What of the comparison ends with exit code 3: regressed, missing, inconclusive, not-comparable, new,"
        " changed (the text of the case), joined by commas, or none.",
        rich_help_panel=_MEASURE,
    ),
]
FileArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        autocompletion=_values_for("baseline"),
        show_default=False,
        help="A baseline; a bare name is a file in ./baselines.",
    ),
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
OldArgument: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="OLD", show_default=False, help="A baseline, or a record that --json wrote."),
]
NewArgument: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="NEW", show_default=False, help="The same, of what is to be judged."),
]

ConfigOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="NAME",
        autocompletion=_values_for("config"),
        show_default=False,
        help="Use the profile [tool.wfrun.profiles.NAME] of pyproject.toml; ci, dev and perf are there without one."
        " wfrun config show tells where each value comes from.",
        rich_help_panel=_SETTINGS,
    ),
]
EnvOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--env",
        metavar="NAME",
        autocompletion=_values_for("env"),
        show_default=False,
        help="Give cases the environment variables of [tool.wfrun.env.NAME] in pyproject.toml.",
        rich_help_panel=_SETTINGS,
    ),
]

VersionOption: TypeAlias = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave."),
]

_SAID_ANEW = frozenset(
    {
        *("workers", "fail_fast", "seed", "order", "repeat", "until_failed", "retries", "flaky", "version"),
        *("in_process", "pdb", "no_capture", "profile"),
    }
)
"""Options about running that a command for one failed case gives itself, or has no use for."""


def words_about_running(context: typer.Context) -> tuple[str, ...]:
    """Return the options of this command line that change how a case runs, as words for another command line.

    Wherever their values came from: what an environment variable or a file chose is spelled out.
    """
    words: list[str] = []
    for param in context.command.params:
        name, value = param.name or "", context.params.get(param.name or "")
        panel = getattr(param, "rich_help_panel", None)
        if not param.opts or not param.opts[0].startswith("-") or name in _SAID_ANEW:
            continue
        if panel in {_KINDS, _WHICH, _TELL, _MEASURE} or value is None or value is False or value == param.default:
            continue
        option = max(param.opts, key=len)
        for each in value if isinstance(value, list | tuple) else (value,):
            words += [option] if each is True else [option, str(each)]
    return tuple(words)
