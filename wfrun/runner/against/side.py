"""One side of a comparison: a tree of files, and how a child imports that tree's code and no other.

A project may be importable because the working folder is, by ``PYTHONPATH``, or by an editable installation. Each leads
into the working tree. So every such path that lies in the project is led to the same place in the side's own tree, and
goes before everything that an installation adds. What the child really imported is checked afterwards, file by file.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wfrun.runner.child.process import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wfrun.runner.plan.planned import PlannedCase

__all__ = ["LAUNCHER", "Side", "import_roots", "strangers"]

LAUNCHER: Final = Path(__file__).parents[1] / "child" / "launch.py"
TOOL: Final = Path(__file__).parents[3]
"""The folder that holds the package of this program: both sides are measured by it."""


@dataclass(frozen=True, slots=True)
class Side:
    """A tree of files under comparison."""

    name: str
    """What a person calls it: ``main``, ``working tree``."""
    root: Path
    project: Path
    """The tree whose paths are led into :attr:`root`; the same where the side is the working tree."""
    python: str = sys.executable
    commit: str | None = None
    """``None`` where it is no commit: the working tree, or a folder."""
    roots: tuple[Path, ...] = field(default_factory=tuple)
    """Folders in the project from which its code is imported."""

    def at(self, path: Path) -> Path:
        """Return where ``path`` of the project lies in this tree; as it is where it is outside of the project."""
        return self.root / path.relative_to(self.project) if path.is_relative_to(self.project) else path

    def case(self, case: PlannedCase) -> PlannedCase:
        """Return ``case`` as it lies in this tree, with its file and its shared fixtures there."""
        info = case.info
        keys = (key.rpartition("::") for key in info.shared)
        shared = tuple(f"{self.at(Path(file))}::{name}" for file, _, name in keys)
        return case._replace(info=info._replace(file=str(self.at(Path(info.file))), shared=shared))

    def place(self, environment: Mapping[str, str]) -> Place:
        """Return where a child of this side runs, with more variables for it."""
        own = [str(self.at(path)) for path in self.roots]
        kept = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path not in own]
        return Place(
            folder=self.at(Path.cwd()),
            python=self.python,
            program=(str(LAUNCHER), str(TOOL)),
            environment={**environment, "PYTHONPATH": os.pathsep.join((*own, *kept))},
        )


def import_roots(project: Path) -> tuple[Path, ...]:
    """Return the folders of ``project`` from which its modules are imported in this process, the first the first."""
    found = dict.fromkeys((Path.cwd(), *_paths(), *_editable()))
    return tuple(path for path in found if path.is_relative_to(project) and not _is_installation(path))


def strangers(modules: Mapping[str, str], side: Side, others: tuple[Path, ...]) -> dict[str, str]:
    """Return the modules that came from a tree which is not ``side``'s, by name with their files.

    Args:
        modules: What a child imported.
        side: Whose child it was.
        others: The other trees: the other side's, and the project itself.
    """
    found = {}
    for name, text in modules.items():
        file = Path(text)
        if file.is_relative_to(side.root) or _is_installation(file) or _is_harness(name):
            continue
        if any(file.is_relative_to(other) for other in others):
            found[name] = text
    return found


def _paths() -> Iterator[Path]:
    for text in sys.path:
        if text and Path(text).is_dir():
            yield Path(text).resolve()


def _editable() -> Iterator[Path]:
    # Setuptools keeps a table of packages and folders in a module for each package installed so.
    for finder in sys.meta_path:
        module = sys.modules.get(getattr(finder, "__module__", ""))
        table = getattr(module, "MAPPING", None)
        if isinstance(table, dict):
            yield from (Path(str(folder)).resolve().parent for folder in table.values())


def _is_installation(path: Path) -> bool:
    """Return whether the file belongs to an environment, which may well lie in the project's own folder."""
    return path.is_relative_to(sys.prefix) or "site-packages" in path.parts


def _is_harness(name: str) -> bool:
    from wfrun.runner.child.launch import is_harness  # noqa: PLC0415 - a program, which nothing else imports

    return is_harness(name)
