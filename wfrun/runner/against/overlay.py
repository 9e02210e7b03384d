"""The suites of the working tree put over another tree's, so that both sides are asked the same questions.

Whole folders called ``suites`` are taken, with what is not committed in them; a suite file elsewhere is taken alone,
with the ``fixtures.py`` that serve it. The code under test stays the other tree's own.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Final

from wfrun.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["overlay_suites", "suite_places"]

FOLDER: Final = "suites"
_LEFT_OUT: Final = shutil.ignore_patterns("__pycache__", ".wfrun")


def overlay_suites(files: Iterable[Path], project: Path, root: Path) -> None:
    """Make the suites in ``root`` those of ``project``.

    Args:
        files: The suite files, absolute; those outside of the project are everybody's already.
        project: The working tree.
        root: A tree of our own, which may be changed.

    Raises:
        FileError: Something could not be copied.
    """
    try:
        for place in suite_places(files, project):
            target = root / place.relative_to(project)
            if place.is_dir():
                shutil.rmtree(target, ignore_errors=True)
                shutil.copytree(place, target, symlinks=True, ignore=_LEFT_OUT)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(place, target)
    except (OSError, shutil.Error) as error:
        raise FileError(f"--against: the suites could not be copied to the other tree: {error}") from None


def suite_places(files: Iterable[Path], project: Path) -> tuple[Path, ...]:
    """Return the folders and files in ``project`` that belong to these suites."""
    places: dict[Path, None] = {}
    for file in files:
        if not file.is_relative_to(project):
            continue
        folders = [folder for folder in file.parents if folder != project and folder.is_relative_to(project)]
        whole = next((folder for folder in folders if folder.name == FOLDER), None)
        if whole is not None:
            places[whole] = None
            continue
        places[file] = None
        for folder in (*folders, project):
            if os.path.lexists(folder / "fixtures.py"):
                places[folder / "fixtures.py"] = None
    return tuple(places)
