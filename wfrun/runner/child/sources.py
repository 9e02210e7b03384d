"""What the import of suite files read: so that somebody else can tell whether importing them again would differ."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from typing import Final

__all__ = ["Sources"]

_LISTS: Final = frozenset({"os.listdir", "os.scandir"})


class Sources:
    """Watches which files and folders this process reads; to be made before anything is imported.

    Python cannot stop an audit hook, so this is for a process that ends soon.
    """

    def __init__(self) -> None:
        self._read: set[str] = set()
        sys.addaudithook(self._on_event)

    def paths(self) -> list[str]:
        """Return the modules imported, and the files and folders read, that lie outside of Python and wfrun.

        Installed packages are left out too: they change when somebody installs something, which shows elsewhere.
        """
        modules = {file for module in tuple(sys.modules.values()) if isinstance(file := _file(module), str)}
        return sorted(path for path in map(os.path.abspath, modules | self._read) if not path.startswith(_INSTALLED))

    def _on_event(self, event: str, arguments: tuple[object, ...]) -> None:
        if event != "open" and event not in _LISTS:
            return
        path = arguments[0] if arguments else "."
        if isinstance(path, os.PathLike):
            path = os.fspath(path)
        if not isinstance(path, str) or path.endswith((".py", ".pyc")) or (event == "open" and _writes(arguments)):
            return
        # Looking for modules lists folders too; what they hold is known by the modules.
        reader = sys._getframe(1).f_code.co_filename
        if not reader.startswith((_OWN, "<frozen importlib")):
            self._read.add(path)


def _file(module: object) -> object:
    try:
        return vars(module).get("__file__")
    except TypeError:
        return None


def _writes(arguments: tuple[object, ...]) -> bool:
    return isinstance(arguments[1], str) and arguments[1][:1] in {"w", "a", "x"}


_OWN: Final = str(Path(__file__).parents[2]) + os.sep
_LIBRARIES: Final = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
_INSTALLED: Final = (_OWN, *(f"{place}{os.sep}" for place in (*_LIBRARIES, "/proc", "/dev", "/sys", "/etc")))
