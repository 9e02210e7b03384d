"""The files that tools leave: what the processes of a session wrote apart is put together at its end."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wfrun.errors import FileError
from wfrun.files import write_atomically
from wfrun.runner.report.chrome_trace import SessionTimes, read_part, trace_events
from wfrun.runner.report.covered import Covered, combine
from wfrun.runner.run.events import CaseFinished, CaseStarted, RunEvent, RunFinished, RunStarted
from wfrun.runner.run.tools import parts_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from wfrun.authoring.info import Kind
    from wfrun.runner.options import Tools

__all__ = ["Artefacts", "Finished"]


@dataclass(frozen=True, slots=True)
class Finished:
    """What is told of the files of a session's tools."""

    notes: tuple[str, ...] = ()
    table: str = ""


class Artefacts:
    """Listens to a session for what its tools need to know, and writes their files when it is over."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._times = SessionTimes(os.getpid(), time.monotonic_ns())

    def listening(self, listener: Callable[[RunEvent], None]) -> Callable[[RunEvent], None]:
        """Return ``listener``, or where it is needed one that hears for this as well."""
        if not self._tools.trace:
            return listener

        def hear(event: RunEvent) -> None:
            self._hear(event)
            listener(event)

        return hear

    def finish(self, kinds: Collection[Kind]) -> Finished:
        """Write the files and return what to tell about them, one that cannot be written included.

        Args:
            kinds: Those that were asked for: where some are for measuring, it is told that nothing was measured.
        """
        notes = []
        if self._tools.distort and any(kind.measured for kind in kinds):
            notes.append("nothing was measured: what looks closer at cases changes what they cost, so each ran once")
        if self._tools.trace:
            notes.append(self._finish_trace())
        table = ""
        if self._tools.coverage:
            covered = self._finish_coverage()
            table = covered.table
            notes += covered.notes
        return Finished(tuple(notes), table)

    def _hear(self, event: RunEvent) -> None:
        now_ns = time.monotonic_ns()
        match event:
            case RunStarted():
                self._times.workers = max(self._times.workers, event.workers)
            case CaseStarted():
                self._times.started(event.case.info, event.worker, now_ns)
            case CaseFinished():
                self._times.finished(event.outcome.case.info.id, event.outcome.status, now_ns)
            case RunFinished():
                self._times.ended_ns = now_ns

    def _finish_coverage(self) -> Covered:
        parts = parts_folder(self._tools, "coverage")
        try:
            return combine(parts, self._tools.folder / "coverage")
        finally:
            shutil.rmtree(parts, ignore_errors=True)

    def _finish_trace(self) -> str:
        folder = parts_folder(self._tools, "trace")
        path = self._tools.folder / "trace" / "trace.json"
        parts = [read_part(file) for file in _files(folder, "*.jsonl")]
        events = trace_events(self._times, parts)
        try:
            write_atomically(path, json.dumps({"traceEvents": events, "displayTimeUnit": "ms"}).encode())
        except FileError as error:
            return f"there is no trace: {error}"
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        left_out = sum(part.full for part in parts)
        missing = f"; {left_out} process wrote too much, so its end is missing" if left_out else ""
        return f"trace: {path}, to be opened at https://ui.perfetto.dev{missing}"


def _files(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern)) if folder.is_dir() else []
