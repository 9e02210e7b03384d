"""The debugger of the standard library, opened where a case fails, or where ``breakpoint()`` stands in it."""

from __future__ import annotations

import bdb
import os
import pdb  # noqa: T100 - opening it is what this module is for
import signal
import sys
from typing import TYPE_CHECKING, Any

from wfrun.runner.child.failures import one_line, skip_own
from wfrun.runner.child.tools.tool import CaseTool

if TYPE_CHECKING:
    from wfrun.authoring.info import CaseInfo
    from wfrun.runner.child.guard import CaseGuard
    from wfrun.runner.child.tools.tool import CaseTools

__all__ = ["PostMortem", "allow_breakpoints"]


class PostMortem(CaseTool):
    """Opens the debugger at what a case raised, while its event loop and fixtures still stand."""

    def __init__(self, tools: CaseTools) -> None:
        self._tools = tools

    def on_error(self, info: CaseInfo, error: BaseException) -> None:
        """Let the user look around; leaving with ``q`` ends the session, with ``c`` the cases go on."""
        if isinstance(error, bdb.BdbQuit):  # left a debugger that breakpoint() opened
            self._tools.quitting = True
        if self._tools.quitting:
            return
        leaf = _leaf(error)
        print(f"\n{info.suite_title} · {info.title}\n{one_line(leaf)}\n(c goes on, q ends the session)", flush=True)
        debugger = pdb.Pdb()
        debugger.reset()
        # Ctrl-C at the prompt is the debugger's own affair.
        previous = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            debugger.interaction(None, skip_own(leaf.__traceback__))
        finally:
            signal.signal(signal.SIGINT, previous)
        self._tools.quitting = bool(getattr(debugger, "quitting", False))


def allow_breakpoints(guard: CaseGuard) -> None:
    """Let ``breakpoint()`` open a debugger in a case of this process, whose time then is no longer limited."""

    def stop_here(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever the user's own hook takes
        guard.suspend()
        if os.environ.get("PYTHONBREAKPOINT"):
            return sys.__breakpointhook__(*arguments, **options)  # noqa: T100 - as above
        return pdb.Pdb().set_trace(sys._getframe(1))

    sys.breakpointhook = stop_here


def _leaf(error: BaseException) -> BaseException:
    """Return the first error that is not a group: what a task raised is where to look, not what its group did."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
