"""The options that look closer at cases, as the tools of a session; what contradicts them is refused here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.errors import UsageError
from wfrun.runner.options import Tools

if TYPE_CHECKING:
    from wfrun.cli.choices import CommandLine

__all__ = ["tools_of"]


def tools_of(written: CommandLine) -> Tools:
    """Return the tools that were asked for.

    Raises:
        UsageError: They do not go with each other, or with another option.
    """
    here = [name for name, given in (("--pdb", written.pdb), ("--in-process", written.in_process)) if given]
    straight = [*here, *(["--no-capture"] if written.no_capture else [])]
    if here and written.workers not in {None, "1"}:
        raise UsageError(f"{here[0]} runs all cases in this process, so --workers {written.workers} cannot be had")
    if straight and written.json == "-":
        raise UsageError(f"{straight[0]} gives standard output to the cases and --json - to the record; name a file")
    _refuse_figures(written, here)
    return Tools(in_process=bool(here), pdb=written.pdb, capture=not straight)


def _refuse_figures(written: CommandLine, distorting: list[str]) -> None:
    kept = [
        name for name, file in (("--baseline", written.baseline), ("--compare", written.compare)) if file is not None
    ]
    if distorting and kept:
        raise UsageError(
            f"{distorting[0]} changes what a case costs, so nothing is measured with it; leave out {' and '.join(kept)}"
        )
