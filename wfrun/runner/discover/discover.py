"""From paths on the command line to cases, without running a line of anybody's code in this process."""

from __future__ import annotations

import asyncio
import difflib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wfrun.authoring.collect import ROOT_NAME
from wfrun.authoring.errors import DuplicateCase
from wfrun.authoring.info import cases_from_json
from wfrun.errors import UsageError
from wfrun.runner.child.leftovers import end_leftovers
from wfrun.runner.child.messages import LoadFailure
from wfrun.runner.child.process import ChildDied, ChildProcess
from wfrun.runner.discover.discovery import Discovery

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wfrun.authoring.info import CaseInfo
    from wfrun.runner.discover.cache import DiscoveryCache

__all__ = ["DEFAULT_TIMEOUT_S", "discover", "find_suite_files"]

SUITE_GLOB: Final = "suite_*.py"
DEFAULT_TIMEOUT_S: Final = 60.0
OUTPUT_BYTES: Final = 16 * 1024
MANY_FILES: Final = 100
"""From here on two processes import faster than one; each costs its start."""
WHILE_LOADING: Final = "while it was being imported"


async def discover(
    paths: Sequence[Path], *, timeout_s: float = DEFAULT_TIMEOUT_S, cache: DiscoveryCache | None = None
) -> Discovery:
    """Return every case under ``paths``; none given means ./suites, or the shipped suites where there is none.

    Suite files are imported in child processes, so that one that crashes, or does not come to an end, is a failure of
    that file alone. Cancelling ends the children.

    Args:
        paths: Files and folders.
        timeout_s: Most time the import of one file may take.
        cache: What was found before; files that have not changed since are not imported. It gains what is found now.

    Raises:
        UsageError: A path does not exist, or is a file that is not a suite.
    """
    shipped = not paths and not _local_suites()
    files = find_suite_files(paths or (shipped_suites() if shipped else Path(ROOT_NAME),))
    known = {} if cache is None else cache.known(files)
    since_ns = time.time_ns()
    unknown = [file for file in files if file not in known]
    many = len(unknown) >= MANY_FILES
    half = -(-len(unknown) // 2) if many else len(unknown)
    searches = [_Search(part, timeout_s) for part in (unknown[:half], unknown[half:]) if part]
    try:
        async with asyncio.TaskGroup() as group:
            for search in searches:
                group.create_task(search.run())
    finally:
        if searches:
            end_leftovers()
    for search in searches:
        known |= search.cases
    failures = [failure for search in searches for failure in search.failures]
    if cache is not None and searches:
        traced = {file: told for search in searches for file, told in search.traced.items()}
        cache.keep(traced, {path for search in searches for path in search.sources}, since_ns)
    cases = [case for file in files for case in known.get(file, ())]
    warnings = (cache.warning,) if cache is not None and cache.warning else ()
    return Discovery(tuple(files), *_without_duplicates(cases, failures), shipped=shipped, warnings=warnings)


def find_suite_files(paths: Iterable[Path]) -> list[str]:
    """Return the absolute paths of the suite files under ``paths`` in order, each once.

    They are text, as there may be thousands.

    Raises:
        UsageError: A path does not exist, or is a file that is not called ``suite_*.py``.
    """
    files: dict[str, None] = {}
    for path in paths:
        if not path.exists():
            raise UsageError(f"there is no {path}{_nearest(path)}")
        absolute = path.resolve()
        if path.is_dir():
            files |= dict.fromkeys(sorted(_suites_below(str(absolute)), key=_parts))
        elif _is_suite(absolute.name):
            files[str(absolute)] = None
        else:
            raise UsageError(f"{path} is not a suite: suite files are called {SUITE_GLOB}")
    return list(files)


def shipped_suites() -> Path:
    """Return the folder of the suites that come with wfrun: inside the package, or beside it in a checkout."""
    package = Path(__file__).parents[2]
    installed = package / ROOT_NAME
    return installed if installed.is_dir() else package.parent / ROOT_NAME


def _local_suites() -> bool:
    return Path(ROOT_NAME).is_dir()


def _suites_below(start: str) -> Iterator[str]:
    for folder, folders, names in os.walk(start):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        within = os.path.join(folder, "")  # noqa: PTH118 - text, as all of it
        yield from [within + name for name in names if _is_suite(name)]


def _parts(file: str) -> list[str]:
    # As paths are ordered, which are slow to make.
    return file.split(os.sep)  # noqa: PTH206


def _is_suite(name: str) -> bool:
    return name.startswith("suite_") and name.endswith(".py")


def _nearest(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f": its folder {folder} does not exist either"
    close = difflib.get_close_matches(path.name, [entry.name for entry in folder.iterdir()], n=1)
    return f"; did you mean {folder / close[0]}?" if close else f" in {folder.resolve()}"


class _Search:
    """Some suite files, imported in one child after another: each that ends a child is a failure."""

    def __init__(self, files: list[str], timeout_s: float) -> None:
        self._remaining = files
        self._timeout_s = timeout_s
        self._due_s = 0.0
        self.cases: dict[str, list[CaseInfo]] = {}
        self.failures: list[LoadFailure] = []
        self.sources: list[str] = []
        """What was read besides the files."""
        self.traced: dict[str, Any] = {}
        """What was told of the files with cases; not of those whose child ended before it told of the sources."""
        self._told: dict[str, Any] = {}

    async def run(self) -> None:
        """Import all of them."""
        while self._remaining:
            await self._collect()

    async def _collect(self) -> None:
        """Collect the remaining files in one child, up to one that ends it."""
        loop = asyncio.get_running_loop()
        self._told = {}
        self._due_s = loop.time() + self._timeout_s
        child = ChildProcess(OUTPUT_BYTES)
        command = {"do": "collect", "files": self._remaining}
        asking = asyncio.ensure_future(child.ask(command, self._on_event, pauses=True))
        overdue = False
        try:
            while not asking.done():
                await asyncio.wait((asking,), timeout=max(0.0, self._due_s - loop.time()))
                if not asking.done() and loop.time() >= self._due_s:
                    overdue = True
                    await child.kill_with_stacks()
            self.sources += (await asking)["sources"]
            self.traced |= self._told
        except ChildDied as death:
            output = child.take_output()[0]
            how = f"{death.how.partition(' in the middle')[0]} {WHILE_LOADING}"
            if overdue:
                how = f"still being imported after {self._timeout_s:g} s, so it was stopped; --timeout sets the limit"
            if self._remaining:
                self.failures.append(LoadFailure(self._remaining.pop(0), how, output))
        except asyncio.CancelledError:
            await child.kill()
            raise
        finally:
            asking.cancel()
            await child.close()

    def _on_event(self, event: dict[str, Any]) -> None:
        self._due_s = asyncio.get_running_loop().time() + self._timeout_s
        # Files are told of in their order, so the child that ends without a word has ended at the next one.
        if "found" in event:
            file = self._remaining.pop(0)
            self._told[file] = event["found"]
            self.cases[file] = cases_from_json(event["found"])
        elif "failed" in event:
            del self._remaining[0]
            self.failures.append(LoadFailure(**event["failed"]))


def _without_duplicates(
    cases: list[CaseInfo], failures: list[LoadFailure]
) -> tuple[tuple[CaseInfo, ...], tuple[LoadFailure, ...]]:
    """Two files may give one id when folders called ``suites`` are nested or given together: refuse the second file."""
    first: dict[str, CaseInfo] = {}
    refused: dict[str, LoadFailure] = {}
    for case in cases:
        known = first.setdefault(case.id, case)
        if known is not case and case.file not in refused:
            clash = DuplicateCase(case.id, f"{known.file}:{known.line}", f"{case.file}:{case.line}")
            refused[case.file] = LoadFailure(case.file, f"DuplicateCase: {clash}", "")
    kept = tuple(case for case in first.values() if case.file not in refused)
    return kept, (*failures, *refused.values())
