"""From paths on the command line to cases, without running a line of anybody's code in this process."""

from __future__ import annotations

import asyncio
import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wfrun.authoring.collect import ROOT_NAME
from wfrun.authoring.errors import DuplicateCase
from wfrun.authoring.info import CaseInfo
from wfrun.errors import UsageError
from wfrun.runner.child.leftovers import end_leftovers
from wfrun.runner.child.messages import LoadFailure
from wfrun.runner.child.process import ChildDied, ChildProcess
from wfrun.runner.discover.discovery import Discovery

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["DEFAULT_TIMEOUT_S", "discover", "find_suite_files"]

SUITE_GLOB: Final = "suite_*.py"
DEFAULT_TIMEOUT_S: Final = 60.0
OUTPUT_BYTES: Final = 16 * 1024
WHILE_LOADING: Final = "while it was being imported"


async def discover(paths: Sequence[Path], *, timeout_s: float = DEFAULT_TIMEOUT_S) -> Discovery:
    """Return every case under ``paths``; none given means ./suites, or the shipped suites where there is none.

    Suite files are imported in a child process, so that one that crashes, or does not come to an end, is a failure of
    that file alone. Cancelling ends the child.

    Args:
        paths: Files and folders.
        timeout_s: Most time the import of one file may take.

    Raises:
        UsageError: A path does not exist, or is a file that is not a suite.
    """
    shipped = not paths and not _local_suites()
    files = find_suite_files(paths or (shipped_suites() if shipped else Path(ROOT_NAME),))
    cases: list[CaseInfo] = []
    failures: list[LoadFailure] = []
    remaining = list(files)
    while remaining:
        done = await _collect(remaining, cases, failures, timeout_s)
        remaining = remaining[done:]
    return Discovery(tuple(files), *_without_duplicates(cases, failures), shipped=shipped)


def find_suite_files(paths: Iterable[Path]) -> list[Path]:
    """Return the suite files under ``paths`` in order, each once, as absolute paths.

    Raises:
        UsageError: A path does not exist, or is a file that is not called ``suite_*.py``.
    """
    files: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise UsageError(f"there is no {path}{_nearest(path)}")
        absolute = path.resolve()
        if path.is_dir():
            found = (file for file in absolute.rglob(SUITE_GLOB) if not _hidden(file.relative_to(absolute)))
            files |= dict.fromkeys(sorted(found))
        elif absolute.match(SUITE_GLOB):
            files[absolute] = None
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


def _hidden(relative: Path) -> bool:
    return any(part.startswith((".", "__")) for part in relative.parts[:-1])


def _nearest(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f": its folder {folder} does not exist either"
    close = difflib.get_close_matches(path.name, [entry.name for entry in folder.iterdir()], n=1)
    return f"; did you mean {folder / close[0]}?" if close else f" in {folder.resolve()}"


async def _collect(files: list[Path], cases: list[CaseInfo], failures: list[LoadFailure], timeout_s: float) -> int:
    """Collect ``files`` in one child; return how many are dealt with: fewer than all when one of them ended it."""
    done = 0
    loading = ""
    loop = asyncio.get_running_loop()
    due_s = loop.time() + timeout_s

    def on_event(event: dict[str, Any]) -> None:
        nonlocal done, loading, due_s
        due_s = loop.time() + timeout_s
        if "loading" in event:
            loading = event["loading"]
        elif "loaded" in event:
            done += 1
            cases.extend(CaseInfo.from_json(case) for case in event["loaded"]["cases"])
            failures.extend(LoadFailure(**failure) for failure in event["loaded"]["failures"])

    child = ChildProcess(OUTPUT_BYTES)
    asking = asyncio.ensure_future(child.ask({"do": "collect", "files": [str(file) for file in files]}, on_event))
    overdue = False
    try:
        while not asking.done():
            await asyncio.wait((asking,), timeout=max(0.0, due_s - loop.time()))
            if not asking.done() and loop.time() >= due_s:
                overdue = True
                await child.kill_with_stacks()
        await asking
    except ChildDied as death:
        output = child.take_output()[0]
        file = loading or str(files[done])
        how = f"{death.how.partition(' in the middle')[0]} {WHILE_LOADING}"
        if overdue:
            how = f"still being imported after {timeout_s:g} s, so it was stopped; --timeout sets the limit"
        failures.append(LoadFailure(file, how, output))
        return done + 1
    except asyncio.CancelledError:
        await child.kill()
        raise
    finally:
        asking.cancel()
        await child.close()
        end_leftovers()
    return done


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
