"""What discovery found last time, for as long as nothing that it came from has changed.

Valid for a suite file are its cases while the file itself, every module, data file and folder that the import of the
suites read, and the environment are as they were. All suites share what was read besides themselves: who of them read
it cannot be told once a module is loaded, and a change there makes all of them be imported again.
"""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from wfrun.authoring.collect import suites_root
from wfrun.authoring.info import cases_from_json
from wfrun.errors import FileError
from wfrun.files import write_atomically
from wfrun.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wfrun.authoring.info import CaseInfo

__all__ = ["CACHE_FILE", "DiscoveryCache", "cached_cases"]

CACHE_FILE: Final = Path(".wfrun") / "discovery.json"
FIXTURES_NAME: Final = "fixtures.py"
_FORMAT: Final = 2
_VOLATILE: Final = frozenset(
    {"_", "COLUMNS", "LINES", "OLDPWD", "PYTEST_CURRENT_TEST", "SHLVL", "SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY"}
    | {"TERM", "TERM_PROGRAM", "WINDOWID", "WFRUN_STARTED_BY", "DBUS_SESSION_BUS_ADDRESS", "PYTHONDONTWRITEBYTECODE"}
)
"""Variables that differ from one terminal to the next and that no suite's cases follow from."""

Stamp = tuple[int, int]
_ABSENT: Final[Stamp] = (0, -1)


class DiscoveryCache:
    """The cases of suite files as they were found last, in one file that can be deleted at any time."""

    def __init__(self, path: Path = CACHE_FILE) -> None:
        self._path = path
        self.warning = ""
        """Why the file that was there could not be used; empty where there was none, or it could."""
        self._files: dict[str, dict[str, Any]] = {}
        self._sources: dict[str, Stamp] = {}
        self._load()

    def known(self, files: Sequence[str]) -> dict[str, list[CaseInfo]]:
        """Return the cases of those of ``files`` that would be the same today."""
        if any(_stamp(path) != stamp for path, stamp in self._sources.items()):
            # Of no file: what is not looked at this time must not pass for valid when the sources are stamped anew.
            self._files, self._sources = {}, {}
        found: dict[str, list[CaseInfo]] = {}
        try:
            for file in files:
                kept = self._files.get(file)
                if kept is not None and _stamp(file) == tuple(kept["stamp"]):
                    found[file] = cases_from_json(kept["found"])
        except (LookupError, TypeError, ValueError):
            self.warning = self._unusable("it holds no cases of this wfrun")
            return {}
        return found

    def keep(self, found: Mapping[str, dict[str, Any]], sources: Iterable[str], since_ns: int) -> None:
        """Write what was found beside what was known, and what was read for it.

        Nobody asked for this file, so failing is no error.

        Args:
            found: By file, the cases as :func:`wfrun.authoring.info.cases_to_json` describes them.
            sources: Paths that were read.
            since_ns: When the reading began: what changed since then may not be what was read, and is not kept.
        """
        files = {
            file: {"stamp": stamp, "found": cases}
            for file, cases in found.items()
            if (stamp := _stamp(file))[0] < since_ns
        }
        folders = {os.path.dirname(file) for file in found}  # noqa: PTH120 - thousands of them
        besides = {str(path) for folder in folders for path in _possible_fixtures(Path(folder))}
        read = {path: _stamp(path) for path in (*self._sources, *sources, *besides) if path not in files}
        if any(changed_ns >= since_ns for changed_ns, _ in read.values()):
            return
        kept = {"format": _FORMAT, "made_with": _made_with(), "sources": read, "files": {**self._files, **files}}
        try:
            ignore = self._path.with_name(".gitignore")
            if not ignore.exists():
                write_atomically(ignore, b"# Made by wfrun: what is here comes and goes.\n*\n")
            write_atomically(self._path, orjson.dumps(kept))
        except (FileError, OSError):
            return

    def _load(self) -> None:
        try:
            kept = orjson.loads(self._path.read_bytes())
            if kept["format"] == _FORMAT and kept["made_with"] == _made_with():
                self._sources = {path: (int(changed), int(size)) for path, (changed, size) in kept["sources"].items()}
                self._files = {str(name): dict(file) for name, file in kept["files"].items()}
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            self.warning = self._unusable(str(error))

    def _unusable(self, why: str) -> str:
        self._files, self._sources = {}, {}
        return f"{self._path} could not be used ({why}) and is made anew"


def cached_cases(path: Path = CACHE_FILE) -> list[CaseInfo]:
    """Return every case found last time, whether it is still so or not: for completion, which has no time to look."""
    try:
        files = orjson.loads(path.read_bytes())["files"].values()
        return [case for file in files for case in cases_from_json(file["found"])]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return []


def _possible_fixtures(folder: Path) -> list[Path]:
    """Return where fixtures for suites in ``folder`` are looked for: one that comes to be may change what they need."""
    root = suites_root(folder / FIXTURES_NAME)
    return [each / FIXTURES_NAME for each in (folder, *folder.parents) if each.is_relative_to(root)]


def _stamp(path: str) -> Stamp:
    """Return when ``path`` was changed, in nanoseconds, and its size; a file that comes to be is a change too."""
    try:
        found = os.stat(path)  # noqa: PTH116 - thousands of them: making a Path takes longer than looking
    except OSError:
        return _ABSENT
    return found.st_mtime_ns, found.st_size


def _made_with() -> str:
    """Return a text that differs where the same files could give other cases."""
    variables = sorted(f"{name}={value}" for name, value in os.environ.items() if name not in _VOLATILE)
    installed = _stamp(sysconfig.get_path("purelib"))
    facts = [__version__, sys.version, sys.executable, str(Path.cwd()), str(installed), *variables]
    # Hashed, because the environment may hold secrets.
    return hashlib.sha256("\0".join(facts).encode("utf-8", "surrogateescape")).hexdigest()
