"""What looks closer at the cases of a process: each tool hears of what happens, and adds what it found to a result."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final, NoReturn

from wfrun.errors import UsageError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    from wfrun.authoring.info import CaseInfo
    from wfrun.runner.child.messages import CaseResult

__all__ = ["NO_TOOLS", "CaseTool", "CaseTools", "refuse_breakpoint"]


class CaseTool:
    """One tool; it overrides what it wants to hear of."""

    def on_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hear of the loop that a pass is about to run on, which may be the last one's."""

    def on_error(self, info: CaseInfo, error: BaseException) -> None:
        """Hear of what a case, its set-up or its tear-down raised, while its fixtures still stand."""

    @contextlib.contextmanager
    def around(self, _info: CaseInfo) -> Iterator[None]:
        """Be there while a case runs, the end of its loop included."""
        yield

    def finished(self, result: CaseResult) -> CaseResult:
        """Return the case's result with what was found."""
        return result


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

    @contextlib.contextmanager
    def around(self, info: CaseInfo) -> Iterator[None]:
        """Have all there while a case runs."""
        with contextlib.ExitStack() as stack:
            for tool in self._tools:
                stack.enter_context(tool.around(info))
            yield

    def finished(self, result: CaseResult) -> CaseResult:
        """Return the result with what all have found."""
        for tool in self._tools:
            result = tool.finished(result)
        return result


NO_TOOLS: Final = CaseTools()


def refuse_breakpoint(*_arguments: object, **_options: object) -> NoReturn:
    """Stand in for the debugger where it would have nobody to talk to.

    Raises:
        UsageError: Always.
    """
    raise UsageError("breakpoint() has no terminal in a case's own process; run with --in-process, or --pdb")
