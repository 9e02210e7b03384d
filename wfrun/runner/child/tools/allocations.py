"""Where a case's memory comes from: what is held at its peak, and what each repetition leaves behind, by line.

Both are of what Python allocates; memory of libraries in C that do not go through Python's allocators is not seen. An
allocation is counted at the innermost of the user's lines that led to it.
"""

from __future__ import annotations

import gc
import signal
import tracemalloc
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wfrun.runner.child.failures import own_file
from wfrun.runner.child.tools.source import is_users

if TYPE_CHECKING:
    import types
    from collections.abc import Callable, Iterator

__all__ = ["Allocations", "Held"]

FRAMES: Final = 12
LOOK_EVERY_S: Final = 0.002
"""Of processor time; memory does not grow without."""
WORTH_A_LOOK: Final = 1.1
"""A snapshot is dear, so the next one is taken when this much more is held."""
LEAST_BYTES: Final = 64 * 1024

Line = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Held:
    """What one line holds."""

    file: str
    line: int
    size_bytes: float
    blocks: float


class Allocations:
    """Repeats a case under ``tracemalloc``.

    Attributes:
        peak_bytes: The most that was held at once above the start of a repetition.
        at_peak: What was held near that, by line, the largest first.
        repetitions: How many there were.
        kept: What each repetition left behind, by line, where every one did so.
        kept_bytes: What each repetition left behind in all; negative where less was held than before.
    """

    def __init__(self) -> None:
        self.repetitions = 0
        self.peak_bytes = 0
        self.at_peak: list[Held] = []
        self.kept: list[Held] = []
        self.kept_bytes = 0.0
        self._highest: tuple[int, tracemalloc.Snapshot] | None = None
        self._own_bytes = 0
        """What snapshots hold: it is traced like everything else."""
        self._busy = False

    def repeat(self, once: Callable[[], bool], repetitions: int) -> bool:
        """Run ``once`` so many times, after it has filled its caches; return whether each said that all is well."""
        self.repetitions = repetitions
        # From nothing, even where another tool traces: a snapshot of all that a process ever made takes seconds.
        limit = tracemalloc.get_traceback_limit() if tracemalloc.is_tracing() else 0
        tracemalloc.stop()
        tracemalloc.start(FRAMES)
        try:
            return self._repeat(once, repetitions)
        finally:
            self._highest = None
            tracemalloc.stop()
            if limit:
                tracemalloc.start(limit)

    def _repeat(self, once: Callable[[], bool], repetitions: int) -> bool:
        before = _by_line(self._settled())
        started_bytes = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        with self._looking():
            well = once()
        self._note_peak()
        self.peak_bytes -= started_bytes
        if self._highest is not None:
            self.at_peak = _largest(_by_line(self._highest[1]), before, 1, 1)
            self._highest = None
        for _ in range(repetitions - 1):
            well = well and once()
        after = _by_line(self._settled())
        self.kept = _largest(after, before, repetitions, repetitions)
        self.kept_bytes = sum(size - before.get(line, (0, 0))[0] for line, (size, _) in after.items()) / repetitions
        return well

    @staticmethod
    def _settled() -> tracemalloc.Snapshot:
        gc.collect()
        return tracemalloc.take_snapshot()

    @contextmanager
    def _looking(self) -> Iterator[None]:
        """Keep the snapshot of when most was held, within a tenth."""
        previous = signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, LOOK_EVERY_S, LOOK_EVERY_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, previous)

    def _look(self, _number: int, _frame: types.FrameType | None) -> None:
        # A snapshot may take longer than the timer, whose next signal then comes in the middle of it.
        if self._busy:
            return
        self._busy = True
        try:
            before_bytes = tracemalloc.get_traced_memory()[0]
            held_bytes = before_bytes - self._own_bytes
            highest_bytes = 0 if self._highest is None else self._highest[0]
            if held_bytes > max(highest_bytes * WORTH_A_LOOK, highest_bytes + LEAST_BYTES):
                self._note_peak()
                self._highest = held_bytes, tracemalloc.take_snapshot()
                self._own_bytes += tracemalloc.get_traced_memory()[0] - before_bytes
                tracemalloc.reset_peak()
        finally:
            self._busy = False

    def _note_peak(self) -> None:
        self.peak_bytes = max(self.peak_bytes, tracemalloc.get_traced_memory()[1] - self._own_bytes)


def _by_line(snapshot: tracemalloc.Snapshot) -> dict[Line, tuple[int, int]]:
    """Return bytes and blocks of each line; what the runner and this module hold is left out."""
    sizes: Counter[Line] = Counter()
    blocks: Counter[Line] = Counter()
    for trace in snapshot.traces:
        line = _line_of(trace.traceback)
        if line is not None:
            sizes[line] += trace.size
            blocks[line] += 1
    return {line: (size, blocks[line]) for line, size in sizes.items()}


def _line_of(frames: tracemalloc.Traceback) -> Line | None:
    # The innermost is the last.
    innermost = frames[-1]
    for frame in reversed(frames):
        if is_users(frame.filename):
            return frame.filename, frame.lineno
    if own_file(innermost.filename) or innermost.filename == tracemalloc.__file__:
        return None
    return innermost.filename, innermost.lineno


def _largest(
    after: dict[Line, tuple[int, int]], before: dict[Line, tuple[int, int]], share: int, least_blocks: int
) -> list[Held]:
    """Return how much more there is at each line, a ``share``-th of it, the largest first."""
    found = []
    for (file, line), (size, blocks) in after.items():
        size_before, blocks_before = before.get((file, line), (0, 0))
        if size > size_before and blocks - blocks_before >= least_blocks:
            found.append(Held(file, line, (size - size_before) / share, (blocks - blocks_before) / share))
    return sorted(found, key=lambda held: -held.size_bytes)
