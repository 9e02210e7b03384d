"""``wfrun history``: nights are added to a file, shown, and checked against each other."""
# ruff: noqa: PLC0415 - imports inside commands are the point of this file, as in wfrun.cli.app

from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from wfrun.cli.options.selecting import PatternOption
from wfrun.cli.options.telling import VerboseOption
from wfrun.cli.verbs import Verb

if TYPE_CHECKING:
    from pathlib import Path

    from wfrun.runner.compare.nightly import FailOn
    from wfrun.runner.record.history import History, Series

__all__ = ["history_app"]

DEFAULT_FILE: Final = ".wfrun-history.jsonl"
LAST_SESSION: Final = ".wfrun/last-session.json"

history_app: Final = typer.Typer(
    name="history",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Keep what each night measured, and say when a level changed.",
)

NightRecordsArgument: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RECORD]...",
        show_default=False,
        help="Records that --json wrote, one or several of the same commit on the same machine; they count as one"
        f" night. Without any, the last session here: {LAST_SESSION}.",
    ),
]
HistoryOption: TypeAlias = Annotated[
    str, typer.Option("--history", metavar="FILE", help="The file with the nights, one a line.")
]
MachineOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--machine",
        metavar="ID",
        show_default=False,
        help="Nights of this machine, by the first digits of its id; without it this machine's, or else those of the"
        " machine with the newest night.",
    ),
]
FailOnOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-on",
        metavar="WHAT",
        show_default=False,
        help="What ends a check with exit code 3: step, creep, improved, missing, or nothing; several with commas."
        " Without it step,creep.",
    ),
]
NightsOption: TypeAlias = Annotated[
    str, typer.Option("--nights", metavar="N", help="How many nights are news, counted from the newest.")
]
ReasonOption: TypeAlias = Annotated[
    str, typer.Option("--reason", metavar="TEXT", show_default=False, help="Why the level of now is accepted.")
]
JsonFlag: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@history_app.command("add", cls=Verb)
def add_command(records: NightRecordsArgument = None, *, history: HistoryOption = DEFAULT_FILE) -> None:
    """Add a night to the history."""
    from pathlib import Path

    from wfrun.runner.record.history_file import append_line
    from wfrun.runner.record.night import night_of
    from wfrun.runner.record.reading import load_session
    from wfrun.runner.report.console import make_console, print_parts
    from wfrun.runner.report.history_report import added_line, damage_lines

    paths = [Path(name) for name in dict.fromkeys(records or (LAST_SESSION,))]
    night = night_of({path: load_session(path) for path in paths})
    path = Path(history)
    grown = append_line(path, night)
    print_parts(make_console(), [*damage_lines(path, grown), added_line(path, night, grown)])


@history_app.command("show", cls=Verb)
def show_command(
    *,
    history: HistoryOption = DEFAULT_FILE,
    pattern: PatternOption = None,
    machine: MachineOption = None,
    verbose: VerboseOption = False,
    json: JsonFlag = False,
) -> None:
    """Show what each metric did from night to night: a line of bars, the last night, its band, and the changes.

    Metrics that gate nothing are shown with --verbose.
    """
    from pathlib import Path

    from wfrun.runner.compare.nights import look_at
    from wfrun.runner.report.console import make_console, print_parts
    from wfrun.runner.report.history_json import history_json
    from wfrun.runner.report.history_report import damage_lines, headline, history_table

    path = Path(history)
    read, chosen, series = _chosen(path, machine, pattern)
    looks = [look_at(each) for each in series if verbose or json or each.gates]
    if json:
        print(history_json(read, chosen, looks))
        return
    print_parts(make_console(), [*damage_lines(path, read), headline(path, read, chosen), *history_table(looks)])


@history_app.command("check", cls=Verb)
def check_command(
    *,
    history: HistoryOption = DEFAULT_FILE,
    pattern: PatternOption = None,
    machine: MachineOption = None,
    fail_on: FailOnOption = None,
    nights: NightsOption = "1",
    json: JsonFlag = False,
) -> None:
    """Say whether the last night is as those before it, and end with exit code 3 where a metric that gates got worse.

    A change is told in the night in which it is certain, with the nights and commits between which it happened. Later
    nights are held against the new level, and the anchor stays where it was.
    """
    from pathlib import Path

    from wfrun.errors import ExitCode
    from wfrun.runner.compare.nightly import check_nights
    from wfrun.runner.record.history import nights_on
    from wfrun.runner.report.console import make_console, print_parts
    from wfrun.runner.report.history_json import check_json
    from wfrun.runner.report.history_report import check_lines, damage_lines, headline

    choice, last = _fail_on(fail_on), _whole_number("--nights", nights)
    path = Path(history)
    read, chosen, series = _chosen(path, machine, pattern)
    check = check_nights(series, len(nights_on(read, chosen)), last=last, fail_on=choice)
    if json:
        print(check_json(read, chosen, check))
    else:
        print_parts(make_console(), [*damage_lines(path, read), headline(path, read, chosen), *check_lines(check)])
    raise typer.Exit(ExitCode.REGRESSION if check.failing else ExitCode.OK)


@history_app.command("anchor", cls=Verb)
def anchor_command(*, reason: ReasonOption, history: HistoryOption = DEFAULT_FILE) -> None:
    """Accept the level that every metric has now: later nights are held against it, and no longer against the first."""
    from datetime import UTC, datetime
    from pathlib import Path

    from wfrun.errors import UsageError
    from wfrun.runner.record.history import HistoryAnchor
    from wfrun.runner.record.history_file import append_line, read_history
    from wfrun.version import __version__

    path = Path(history)
    if not read_history(path).nights:
        raise UsageError(f"{path} has no nights, so there is no level to accept; add one with wfrun history add")
    if not reason.strip():
        raise UsageError("--reason: say why the level of now is accepted")
    append_line(path, HistoryAnchor(created=datetime.now(UTC), tool_version=__version__, reason=reason.strip()))
    print(f"from now on nights are held against the level of now ({reason.strip()})")


def _chosen(path: "Path", machine: str | None, patterns: list[str] | None) -> "tuple[History, str, list[Series]]":
    """Return the history, the machine that is meant, and those of its series that the patterns choose."""
    from wfrun.authoring.info import Kind
    from wfrun.errors import NothingSelected, UsageError
    from wfrun.runner.options import Selection
    from wfrun.runner.plan.selecting import Choices
    from wfrun.runner.record.history import machines_of, series_on
    from wfrun.runner.record.history_file import read_history

    choices = Choices(Selection(kinds=frozenset(Kind), patterns=tuple(patterns or ())))
    history = read_history(path)
    machines = machines_of(history)
    if not machines:
        raise UsageError(f"{path} has no nights that can be read; add one with wfrun history add")
    chosen = _machine(machine, machines)
    every = series_on(history, chosen)
    series = [each for each in every if choices.wants(each.case)]
    if not series:
        raise NothingSelected(choices.why_nothing([each.case for each in every]))
    return history, chosen, series


def _machine(wanted: str | None, machines: tuple[str, ...]) -> str:
    from wfrun.errors import UsageError

    if wanted is None:
        if len(machines) == 1:
            return machines[0]
        from wfrun.measure.environment import fingerprint
        from wfrun.runner.record.night import machine_of

        here = machine_of({key: value for key, value in fingerprint().items() if isinstance(value, str | int)})
        return here if here in machines else machines[0]
    found = [machine for machine in machines if machine.startswith(wanted)]
    if len(found) != 1:
        raise UsageError(f"--machine: {wanted!r} is {'several' if found else 'none'} of {', '.join(machines)}")
    return found[0]


def _fail_on(given: list[str] | None) -> "frozenset[FailOn]":
    from wfrun.errors import UsageError
    from wfrun.runner.compare.nightly import DEFAULT_FAIL_ON, FailOn

    words = [word.strip() for each in given or () for word in each.split(",") if word.strip()]
    if not words:
        return DEFAULT_FAIL_ON
    if words == ["nothing"]:
        return frozenset()
    known = [what.value for what in FailOn]
    for word in words:
        if word not in known:
            raise UsageError(f"--fail-on takes {', '.join(known)}, or nothing by itself, not {word!r}")
    return frozenset(FailOn(word) for word in words)


def _whole_number(option: str, text: str) -> int:
    from wfrun.errors import UsageError

    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"{option} takes a whole number of at least 1, not {text!r}")
    return int(text)
