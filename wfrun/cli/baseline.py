"""The verbs of ``wfrun baseline``. What a verb needs is imported when it is called, so that ``--help`` stays quick."""
# ruff: noqa: PLC0415 - imports inside commands are the point of this file, as in app.py

from collections.abc import Iterable
from typing import Annotated, Final, TypeAlias

import typer

from wfrun.cli.options.measuring import FileArgument
from wfrun.cli.options.telling import VerboseOption
from wfrun.cli.verbs import Verb

__all__ = ["baseline_app"]

baseline_app: Final = typer.Typer(
    help="Show a baseline, accept a change for the worse, drop what is gone, merge and replace.",
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["--help", "-h"]},
)

DryRunOption: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Tell what would be done, and write nothing.")]


@baseline_app.command("show", cls=Verb)
def show_command(file: FileArgument, *, verbose: VerboseOption = False) -> None:
    """Show where a baseline comes from, its sessions, its figures with their scatter, and what was accepted."""
    from datetime import UTC, datetime
    from pathlib import Path

    from wfrun.runner.record.loading import load_baseline
    from wfrun.runner.record.store import resolve_baseline
    from wfrun.runner.report.baseline_shown import baseline_parts
    from wfrun.runner.report.console import make_console, print_parts

    path = resolve_baseline(Path(file), Path.cwd())
    parts = baseline_parts(load_baseline(path), path, datetime.now(UTC), everything=verbose)
    print_parts(make_console(), parts)


@baseline_app.command("accept", cls=Verb)
def accept_command(
    case: Annotated[str, typer.Argument(metavar="CASE", show_default=False, help="Id of the case that got worse.")],
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", show_default=False, help="Why it is worth it.")],
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            metavar="NAME",
            show_default="every gating metric that regressed",
            help="The metric that may be worse. May be given several times.",
        ),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(
            "--expires",
            metavar="DATE|DAYS",
            show_default="never",
            help="From when on it counts again: a date such as 2030-12-31, or days from now such as 90d.",
        ),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="RECORD",
            show_default="the last session here",
            help="The record that has the new figures.",
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline", metavar="FILE", show_default="the only one in ./baselines", help="Where it is written down."
        ),
    ] = None,
) -> None:
    """Write into a baseline that a case may be worse than it was: up to what was measured, until a day."""
    from wfrun.cli.upkeep import Acceptance, accept

    _tell(
        accept(
            Acceptance(
                case_id=case, reason=reason, metrics=metric or (), expires=expires, record=record, baseline=baseline
            )
        )
    )


@baseline_app.command("prune", cls=Verb)
def prune_command(
    file: FileArgument,
    *,
    case: Annotated[
        list[str] | None,
        typer.Option(
            "--case",
            metavar="ID",
            show_default="those that no suite has any more",
            help="The case to drop. May be given several times.",
        ),
    ] = None,
    pattern: Annotated[
        list[str] | None,
        typer.Option(
            "--pattern", "-k", metavar="PATTERN", show_default=False, help="Drop the cases that match, as in wfrun -k."
        ),
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option(
            "--older-than",
            metavar="DATE|DAYS",
            show_default=False,
            help="Drop sessions from before a date such as 2030-12-31, or older than days such as 90d.",
        ),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option("--keep", metavar="N", min=1, show_default="all", help="Keep the newest N sessions only."),
    ] = None,
    suites: Annotated[
        list[str] | None,
        typer.Option(
            "--suites", metavar="PATH", show_default="./suites", help="Where the suites are that tell what is gone."
        ),
    ] = None,
    dry_run: DryRunOption = False,
) -> None:
    """Drop cases and old sessions from a baseline, and what was accepted of them or has expired."""
    from wfrun.cli.upkeep import Pruning, prune

    _tell(
        prune(
            Pruning(
                baseline=file,
                case_ids=case or (),
                patterns=pattern or (),
                older_than=older_than,
                keep=keep,
                suites=suites or (),
                dry_run=dry_run,
            )
        )
    )


@baseline_app.command("merge", cls=Verb)
def merge_command(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", show_default=False, help="Baselines of one commit and machine.")
    ],
    *,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", show_default=False, help="The baseline to write.")
    ],
    dry_run: DryRunOption = False,
) -> None:
    """Put the sessions of several baselines into one; commit and kind of machine have to be the same."""
    from wfrun.cli.upkeep import merge

    _tell(merge(files, output, dry_run=dry_run))


@baseline_app.command("replace", cls=Verb)
def replace_command(
    file: FileArgument,
    record: Annotated[str, typer.Argument(metavar="RECORD", show_default=False, help="The record that --json wrote.")],
    *,
    dry_run: DryRunOption = False,
) -> None:
    """Make the session of a record the only one of a baseline, and forget what was accepted before."""
    from wfrun.cli.upkeep import replace

    _tell(replace(file, record, dry_run=dry_run))


def _tell(lines: Iterable[str]) -> None:
    from wfrun.runner.report.text import one_line

    for line in lines:
        print(one_line(line))
