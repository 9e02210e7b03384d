"""What children are told of the session's tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wfrun.runner.options import Tools

__all__ = ["tools_of"]


def tools_of(tools: Tools) -> dict[str, Any]:
    """Return the names of the tools that work inside the process of a case, each with what it needs to know."""
    wanted: dict[str, Any] = {}
    if tools.in_process:
        wanted["breakpoints"] = {}
    if tools.pdb:
        wanted["pdb"] = {}
    if tools.debug:
        wanted["debug"] = {}
    if tools.profile:
        wanted["profile"] = {"folder": str((tools.folder / "profile").absolute())}
    return wanted
