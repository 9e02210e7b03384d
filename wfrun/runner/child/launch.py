"""The program of a child that belongs to one of two trees: the same measuring code on both sides.

Where the tree under test holds the package of this program itself, what measures comes from the tool that was started,
and only the rest comes from the tree.

This file is run by its path, before anything of the package is imported, so it imports nothing of it.
"""

from __future__ import annotations

import importlib.machinery
import os
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import types
    from collections.abc import Sequence

__all__ = ["HARNESS", "is_harness", "main"]

PACKAGE: Final = "wfrun"
HARNESS: Final = frozenset(
    f"{PACKAGE}.{name}" for name in ("authoring", "errors", "files", "measure", "runner", "stats", "units", "waits")
)
"""What measures, with all that lies in it."""


def is_harness(name: str) -> bool:
    """Return whether the module of this full name is part of what measures."""
    return name in HARNESS or name.startswith(tuple(f"{part}." for part in HARNESS)) or name in {PACKAGE, "__main__"}


class _Injected:
    """Finds what measures in the tool's own folder; what lies deeper follows, as a package knows its folder."""

    def __init__(self, tool: str) -> None:
        self._folder = os.path.join(tool, PACKAGE)  # noqa: PTH118 - pathlib would be imported for this alone

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return where the module of this name is; ``None`` where it is not one of them."""
        if name not in HARNESS:
            return None
        return importlib.machinery.PathFinder.find_spec(name, [self._folder])


def main() -> None:
    """Take the tool's folder off the arguments, and go on as any child."""
    tool = sys.argv.pop(1)
    # The folder of this file was put first.
    sys.path[0] = os.getcwd()  # noqa: PTH109 - as above
    sys.path.append(tool)
    sys.meta_path.insert(0, _Injected(tool))
    from wfrun.runner.child.main import main as serve  # noqa: PLC0415 - after the finder

    serve()


if __name__ == "__main__":
    main()
