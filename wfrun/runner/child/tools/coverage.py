"""``--coverage``: which lines cases ran, by coverage.py in every process of cases, each with a data file of its own.

Data is saved after each case, under the case's id as coverage's context. While a case runs, a file says so: where it is
still there at the end, the process was killed in the middle of that case, and what the case ran is lost.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import coverage

from wfrun.runner.child.tools.tool import CaseTool

if TYPE_CHECKING:
    from collections.abc import Callable

    from wfrun.authoring.info import CaseInfo
    from wfrun.runner.child.messages import CaseResult

__all__ = ["DATA", "RUNNING", "Coverage"]

DATA: Final = ".coverage"
"""How data files begin, as coverage.py itself calls them."""
RUNNING: Final = ".running"
"""How the files end that hold the id of a case that runs."""
_OF_THE_PROJECT: Final = ("run:source", "run:source_pkgs", "run:include")


class Coverage(CaseTool):
    """Measures this process from now on; its data goes into ``folder``."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._running = folder / f"{os.getpid()}{RUNNING}"
        self._coverage = coverage.Coverage(data_file=str(folder / DATA), data_suffix=True, messages=False)
        configured = any(self._coverage.get_option(name) for name in _OF_THE_PROJECT)
        if not configured:
            # What lies in the current folder is the project; the user's configuration may say otherwise.
            self._coverage.set_option("run:include", [f"{Path.cwd()}/*"])
        if not configured and not self._coverage.get_option("run:omit"):
            self._coverage.set_option("run:omit", ["*/suite_*.py", f"{sys.prefix}/*", "*/site-packages/*"])
        # A process may well have run nothing of the project; that is told of them all together.
        known = self._coverage.get_option("run:disable_warnings")
        unheeded = [*known, "no-data-collected"] if isinstance(known, list) else ["no-data-collected"]
        self._coverage.set_option("run:disable_warnings", unheeded)
        self._by_case = self._coverage.get_option("run:dynamic_context") is None
        self._coverage.start()

    def run(self, info: CaseInfo, once: Callable[[], CaseResult]) -> CaseResult:
        """Run the case, and save what it ran."""
        self._running.write_text(info.id, encoding="utf-8")
        if self._by_case:
            self._coverage.switch_context(info.id)
        result = once()
        self._coverage.save()
        self._running.unlink(missing_ok=True)
        return result
