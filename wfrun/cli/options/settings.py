"""Settings kept elsewhere, and the version."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from wfrun.cli.options.panels import SETTINGS, values_for
from wfrun.version import __version__

__all__ = ["ConfigOption", "EnvOption", "VersionOption"]


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - the form typer calls
    if wanted:
        print(f"wfrun {__version__}")
        raise typer.Exit


ConfigOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="NAME",
        autocompletion=values_for("config"),
        show_default=False,
        help="Use the profile [tool.wfrun.profiles.NAME] of pyproject.toml; ci, dev and perf are there without one."
        " wfrun config show tells where each value comes from.",
        rich_help_panel=SETTINGS,
    ),
]

EnvOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--env",
        metavar="NAME",
        autocompletion=values_for("env"),
        show_default=False,
        help="Give cases the environment variables of [tool.wfrun.env.NAME] in pyproject.toml.",
        rich_help_panel=SETTINGS,
    ),
]

VersionOption: TypeAlias = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave."),
]
