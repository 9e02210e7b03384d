"""The tools that a session wants. Nothing is imported, wrapped or asked before."""
# ruff: noqa: PLC0415 - each tool is imported where it is wanted, so that a child starts fast without

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from wfrun.runner.child.tools.tool import CaseTools

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wfrun.runner.child.guard import CaseGuard

__all__ = ["make_tools"]


def make_tools(
    wanted: Mapping[str, Mapping[str, Any]], guard: CaseGuard, tell: Callable[[dict[str, Any]], None]
) -> CaseTools:
    """Return the tools of a session, at work from now on: before any suite of this process is loaded."""
    tools = CaseTools()
    if "breakpoints" in wanted:
        from wfrun.runner.child.tools.debugger import allow_breakpoints

        allow_breakpoints(guard)
    if "coverage" in wanted:
        from wfrun.runner.child.tools.coverage import Coverage

        tools.add(Coverage(Path(wanted["coverage"]["folder"])))
    if "trace" in wanted:
        from wfrun.runner.child.tools.trace import Trace

        tools.add(Trace(Path(wanted["trace"]["folder"])))
    if "pdb" in wanted:
        from wfrun.runner.child.tools.debugger import PostMortem

        tools.add(PostMortem(tools))
    if "debug" in wanted:
        from wfrun.runner.child.tools.diagnostics import Diagnostics

        tools.add(Diagnostics())
        tools.full_locals = True
    if "profile" in wanted:
        from wfrun.runner.child.tools.profile import Profile

        tools.add(Profile(Path(wanted["profile"]["folder"]), lambda: tell({"alive": True})))
    return tools
