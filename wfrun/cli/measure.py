"""``wfrun measure -- COMMAND``: a whole command, timed from its start to its end, here or in two trees."""
# ruff: noqa: PLC0415 - imports inside commands are the point of this file, as in wfrun.cli.app

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from wfrun.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wfrun.runner.against.commands import CommandRuns, Place
    from wfrun.runner.against.decide import Decision
    from wfrun.runner.against.side import Side
    from wfrun.runner.options import Trees

__all__ = ["CommandArgument", "CommandJsonOption", "measure", "run_measure"]

CommandArgument: TypeAlias = Annotated[
    list[str],
    typer.Argument(metavar="COMMAND...", help="The command and its arguments, best behind --. No shell reads it."),
]
CommandJsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print everything that was measured as JSON.")
]


def run_measure(
    words: "Sequence[str]", trees: "Trees | None", budget_s: float, *, percent: float, json: bool
) -> ExitCode:
    """Measure a command and print what it takes.

    Args:
        words: The command.
        trees: The trees to compare; ``None`` for this folder alone.
        budget_s: How long to go on.
        percent: The smallest change of a time that counts.
        json: Whether to print JSON instead of a table.

    Raises:
        CommandFailed: The command fails.
        UsageError: A tree is not there.
    """
    from wfrun.runner.report.command_report import command_json, command_parts
    from wfrun.runner.report.console import make_console, print_parts

    taken, names = measure(words, trees, budget_s, percent=percent)
    if json:
        print(command_json(taken, names))
    else:
        print_parts(make_console(), command_parts(taken, names))
    if taken.interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.REGRESSION if taken.regressed else ExitCode.OK


def measure(
    words: "Sequence[str]", trees: "Trees | None", budget_s: float, *, percent: float
) -> "tuple[CommandRuns, tuple[str, ...]]":
    """Return what the command takes, and what the places are called.

    Raises:
        CommandFailed: The command fails.
        UsageError: A tree is not there.
    """
    from wfrun.runner.against.commands import Place, compare_command, measure_command

    if trees is None:
        here = Place("this folder", Path.cwd())
        taken = measure_command(words, here, budget_s=budget_s, tell=lambda number, _: _progress(f"run {number}"))
        _progress("")
        return taken, (here.name,)
    from wfrun.runner.against.sides import opened_sides

    with opened_sides(trees, (), lambda text: print(text, file=sys.stderr)) as sides:
        base, changed = (_place(side) for side in sides.both)
        taken = compare_command(words, (base, changed), budget_s=budget_s, threshold_percent=percent, tell=_tell)
        _progress("")
        return taken, (base.name, changed.name)


def _place(side: "Side") -> "Place":
    from wfrun.runner.against.commands import Place

    child = side.place({})
    environment = dict(child.environment)
    if side.python != sys.executable:
        environment["PATH"] = f"{Path(side.python).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return Place(side.name, child.folder or Path.cwd(), environment)


def _tell(done: int, most: int, decision: "Decision | None") -> None:
    figure = ""
    if decision is not None and decision.ratio is not None and decision.interval is not None:
        low, high = (100 * (end - 1) for end in decision.interval)
        figure = f": {100 * (decision.ratio - 1):+.1f} % ({low:+.1f} to {high:+.1f})"
    _progress(f"pair {done} of at most {most}{figure}")


def _progress(text: str) -> None:
    """Say on a terminal how far it is; elsewhere nobody is waiting."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()
