"""What a process writes down for a trace: spans that begin and end, and counters, on the clock all processes share.

Each is a line of JSON, so that what was written before a crash can be read after it; the parent makes one trace of the
files of all processes. ``time.monotonic_ns`` counts from the same moment in every process of a machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Recorder", "Span"]

MOST_LINES: Final = 300_000
"""About 40 MB of a process; what comes later is counted and left out."""
MOST_SLOTS: Final = 1_000
HELD_LINES: Final = 2_000
CASE_TRACK: Final = 1


@dataclass(frozen=True, slots=True)
class Span:
    """Something that goes on for a while, on a track of its process."""

    id: int
    track: int


class Recorder:
    """Writes to ``file``; of use to the thread of the event loop, its counters to any."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor: Final = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        self._pid: Final = os.getpid()
        self._lines: list[str] = []
        self._lock: Final = threading.Lock()
        self._written = 0
        self._last_id = 0
        self._last_track = CASE_TRACK
        self._tracks: dict[str, int] = {}
        self._free: dict[str, list[int]] = {}
        self._root: list[Span] = []
        self._stacks: WeakKeyDictionary[asyncio.Task[Any], list[Span]] = WeakKeyDictionary()
        self._write("track", CASE_TRACK, "cases")

    # Spans

    @contextmanager
    def span(self, name: str, category: str, **facts: object) -> Iterator[Span]:
        """Record what runs in here, inside of what the running task does already."""
        stack = self._stack()
        span = self.begin(name, category, stack[-1] if stack else None, facts=facts)
        stack.append(span)
        try:
            yield span
        finally:
            stack.remove(span)
            self.end(span)

    def begin(
        self, name: str, category: str, parent: Span | None, *, slots: str = "", facts: dict[str, object] | None = None
    ) -> Span:
        """Begin a span on its parent's track, or on a free one of those called ``slots``."""
        self._last_id += 1
        track = self._take_track(slots) if slots else (CASE_TRACK if parent is None else parent.track)
        span = Span(self._last_id, track)
        above = None if parent is None else parent.id
        self._write("begin", span.id, track, time.monotonic_ns(), name, category, above, facts or {})
        return span

    def end(self, span: Span, *, slots: str = "", **facts: object) -> None:
        """End a span; ``slots`` gives its track free."""
        self._write("end", span.id, time.monotonic_ns(), facts)
        if slots:
            self._free.setdefault(slots, []).append(span.track)

    def note(self, span: Span, **facts: object) -> None:
        """Record more about a span."""
        self._write("note", span.id, facts)

    def counter(self, name: str, **values: float) -> None:
        """Record what something measurable is now."""
        self._write("count", time.monotonic_ns(), name, values)

    # Whose they are

    def here(self) -> Span | None:
        """Return the innermost span of the running task, or of the case."""
        stack = self._stack()
        return stack[-1] if stack else None

    def adopt(self, task: asyncio.Task[Any], span: Span) -> None:
        """Let what ``task`` does belong to ``span``."""
        self._stacks[task] = [span]

    def _stack(self) -> list[Span]:
        try:
            task = asyncio.current_task()
        except RuntimeError:
            return self._root
        return self._root if task is None else self._stacks.get(task, self._root)

    def _take_track(self, slots: str) -> int:
        free = self._free.setdefault(slots, [])
        if free:
            return free.pop()
        if self._last_track < MOST_SLOTS:
            self._last_track += 1
            self._tracks[slots] = self._tracks.get(slots, 0) + 1
            self._write("track", self._last_track, f"{slots} {self._tracks[slots]}")
        return self._last_track

    # Writing

    def flush(self) -> None:
        """Write what is held; a fork of this process has nothing to say."""
        with self._lock:
            lines, self._lines = self._lines, []
            if lines and os.getpid() == self._pid:
                data = "".join(lines).encode()
                while data:
                    data = data[os.write(self._descriptor, data) :]

    def _write(self, *values: object) -> None:
        self._written += 1
        # Ends are few once nothing begins, and without them spans would seem to go on.
        if self._written <= MOST_LINES or values[0] == "end":
            self._lines.append(json.dumps(values, default=repr) + "\n")
        elif self._written == MOST_LINES + 1:
            self._lines.append('["full"]\n')
        if len(self._lines) >= HELD_LINES:
            self.flush()
