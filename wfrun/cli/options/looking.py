"""Looking closer at cases: debugger, profile, trace, coverage."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from wfrun.cli.options.panels import CLOSER

__all__ = [
    "CoverageOption",
    "DebugOption",
    "InProcessOption",
    "NoCaptureOption",
    "PdbOption",
    "ProfileOption",
    "TraceOption",
]

InProcessOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--in-process",
        help="Run the cases in this very process, one after another, with its standard input and output. Nothing is"
        " measured, and a case that crashes takes the session with it.",
        rich_help_panel=CLOSER,
    ),
]

PdbOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--pdb",
        help="Open the debugger where a case fails, in this process (--in-process) and without time limits.",
        rich_help_panel=CLOSER,
    ),
]

DebugOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--debug",
        help="Warn of callbacks that hold the event loop, coroutines never awaited and resources never closed, and"
        " show local variables in tracebacks. Cases run slower, and nothing is measured.",
        rich_help_panel=CLOSER,
    ),
]

ProfileOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--profile",
        help="Repeat each case under profilers: processor time by function and line, memory held and kept by line."
        " The whole is written to .wfrun/profile. Nothing is measured.",
        rich_help_panel=CLOSER,
    ),
]

TraceOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--trace",
        help="Write down what cases do when: fixtures, tasks, stages, waits at channels, memory and processor time, as"
        " a file in .wfrun/trace that https://ui.perfetto.dev opens. Nothing is measured.",
        rich_help_panel=CLOSER,
    ),
]

CoverageOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--coverage",
        help="Take down which lines of the project cases run, in all their processes; needs the extra wfrun[coverage]."
        " Data, lcov.info and coverage.xml are written to .wfrun/coverage. Nothing is measured.",
        rich_help_panel=CLOSER,
    ),
]

NoCaptureOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--no-capture",
        help="Let what cases print go straight through, as it is; one worker unless --workers says otherwise.",
        rich_help_panel=CLOSER,
    ),
]
