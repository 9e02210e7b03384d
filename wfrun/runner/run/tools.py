"""What children are told of the session's tools."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from wfrun.runner.options import Tools

__all__ = ["parts_folder", "tools_of"]


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
    if tools.coverage:
        wanted["coverage"] = {"folder": str(parts_folder(tools, "coverage"))}
    if tools.trace:
        wanted["trace"] = {"folder": str(parts_folder(tools, "trace"))}
    return wanted


def parts_folder(tools: Tools, name: str) -> Path:
    """Return where the processes of this session leave what a tool makes one file of at its end."""
    return (tools.folder / name / f"parts-{os.getpid()}").absolute()
