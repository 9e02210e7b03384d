"""The options that look closer at cases, as the tools of a session; what contradicts them is refused here."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from wfrun.errors import UsageError
from wfrun.runner.options import Tools

if TYPE_CHECKING:
    from pathlib import Path

    from wfrun.cli.choices import CommandLine

__all__ = ["tools_of"]


def tools_of(written: CommandLine, folder: Path | None = None) -> Tools:
    """Return the tools that were asked for; their files go into ``folder``, or where the last session is kept.

    Raises:
        UsageError: They do not go with each other, or with another option.
    """
    here = _given({"--pdb": written.pdb, "--in-process": written.in_process})
    within = _given(
        {
            "--debug": written.debug,
            "--profile": written.profile,
            "--trace": written.trace,
            "--coverage": written.coverage,
        }
    )
    straight = [*here, *(["--no-capture"] if written.no_capture else [])]
    if here and written.workers not in {None, "1"}:
        raise UsageError(f"{here[0]} runs all cases in this process, so --workers {written.workers} cannot be had")
    if straight and written.json == "-":
        raise UsageError(f"{straight[0]} gives standard output to the cases and --json - to the record; name a file")
    if written.coverage and importlib.util.find_spec("coverage") is None:
        raise UsageError("--coverage needs the package coverage, which is not installed: pip install 'wfrun[coverage]'")
    _refuse_figures(written, [*here, *within])
    return Tools(
        in_process=bool(here),
        pdb=written.pdb,
        capture=not straight,
        debug=written.debug,
        profile=written.profile,
        trace=written.trace,
        coverage=written.coverage,
        **({} if folder is None else {"folder": folder}),
    )


def _given(flags: dict[str, bool]) -> list[str]:
    return [name for name, given in flags.items() if given]


def _refuse_figures(written: CommandLine, distorting: list[str]) -> None:
    kept = _given({"--baseline": written.baseline is not None, "--compare": written.compare is not None})
    if distorting and kept:
        raise UsageError(
            f"{distorting[0]} changes what a case costs, so nothing is measured with it; leave out {' and '.join(kept)}"
        )
