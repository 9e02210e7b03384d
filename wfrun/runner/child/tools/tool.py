"""What looks closer at the cases of a process: each tool hears of what happens, and adds what it found to a result."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NoReturn

from wfrun.errors import UsageError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from wfrun.authoring.info import CaseInfo
    from wfrun.runner.child.messages import CaseResult

__all__ = ["NO_TOOLS", "CaseTool", "CaseTools", "refuse_breakpoint"]


class CaseTool:
    """One tool; it overrides what it wants to hear of."""

    def on_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hear of the loop that a pass is about to run on, which may be the last one's."""

    def on_error(self, info: CaseInfo, error: BaseException) -> None:
        """Hear of what a case, its set-up or its tear-down raised, while its fixtures still stand."""

    def run(self, _info: CaseInfo, once: Callable[[], CaseResult]) -> CaseResult:
        """Run the case, the end of its loop included, by calling ``once``; return its result with what was found."""
        return once()


class CaseTools:
    """All tools of this process."""

    full_locals = False
    """Whether tracebacks show the values of local variables."""
    quitting = False
    """Whether the user has left a debugger to end the session."""

    def __init__(self) -> None:
        self._tools: list[CaseTool] = []

    def add(self, tool: CaseTool) -> None:
        """Take in one more."""
        self._tools.append(tool)

    def on_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tell all of a loop."""
        for tool in self._tools:
            tool.on_loop(loop)

    def on_error(self, info: CaseInfo, error: BaseException) -> None:
        """Tell all of an error."""
        for tool in self._tools:
            tool.on_error(info, error)

    def run(self, info: CaseInfo, once: Callable[[], CaseResult]) -> CaseResult:
        """Run the case with all of them around it, the first outermost, and return its result with what they found."""
        for tool in reversed(self._tools):
            once = partial(tool.run, info, once)
        return once()


NO_TOOLS: Final = CaseTools()


def refuse_breakpoint(*_arguments: object, **_options: object) -> NoReturn:
    """Stand in for the debugger where it would have nobody to talk to.

    Raises:
        UsageError: Always.
    """
    raise UsageError("breakpoint() has no terminal in a case's own process; run with --in-process, or --pdb")
