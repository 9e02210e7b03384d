"""Where a case spends processor time: by function from a deterministic profiler, by line from samples.

The first counts every call and so makes short functions look dearer than they are; the second disturbs little, but
knows only what it saw. Samples are taken by the clock of the processor time that this process uses (``ITIMER_PROF``),
so waiting is not among them; the main thread is where they are taken, and event loops run.
"""

from __future__ import annotations

import json
import pstats
import signal
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from wfrun.runner.child.failures import own_file
from wfrun.runner.child.tools.source import is_users

if TYPE_CHECKING:
    import cProfile
    import types
    from collections.abc import Iterator

__all__ = ["FunctionTime", "LineSampler", "function_times"]

EVERY_S: Final = 0.001
DEEPEST: Final = 200

Frame = tuple[str, int, str]
"""File, line and function."""


@dataclass(frozen=True, slots=True)
class FunctionTime:
    """What one function took, without what it called."""

    name: str
    file: str
    line: int
    calls: int
    own_s: float


def function_times(profiler: cProfile.Profile) -> list[FunctionTime]:
    """Return what each function took, the dearest first, without the runner's own."""
    stats: Any = pstats.Stats(profiler)
    times = [
        FunctionTime(name, file, line, calls, own_s)
        for (file, line, name), (_, calls, own_s, _, _) in stats.stats.items()
        if not own_file(file) and "Profiler" not in name
    ]
    return sorted(times, key=lambda time: -time.own_s)


class LineSampler:
    """Counts where the main thread is, about each millisecond of processor time."""

    def __init__(self) -> None:
        self.stacks: Counter[tuple[Frame, ...]] = Counter()

    @property
    def samples(self) -> int:
        """How many samples there are."""
        return self.stacks.total()

    @contextmanager
    def sampling(self) -> Iterator[None]:
        """Take samples in here; what handled SIGPROF before does so again afterwards."""
        previous = signal.signal(signal.SIGPROF, self._take)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, previous)

    def lines(self) -> Counter[Frame]:
        """Return how often each line was the innermost one of the user's, or of anybody where none was there."""
        lines: Counter[Frame] = Counter()
        for stack, count in self.stacks.items():
            lines[next((frame for frame in reversed(stack) if is_users(frame[0])), stack[-1])] += count
        return lines

    def speedscope(self, name: str, sample_ms: float) -> bytes:
        """Return the samples as a file that https://www.speedscope.app opens."""
        numbers: dict[Frame, int] = {}
        samples = [[numbers.setdefault(frame, len(numbers)) for frame in stack] for stack in self.stacks]
        weights = [round(count * sample_ms, 3) for count in self.stacks.values()]
        frames = [{"name": function, "file": file, "line": line} for file, line, function in numbers]
        profile = {
            "type": "sampled",
            "name": name,
            "unit": "milliseconds",
            "startValue": 0,
            "endValue": round(sum(weights), 3),
            "samples": samples,
            "weights": weights,
        }
        whole = {
            "$schema": "https://www.speedscope.app/file-format-schema.json",
            "exporter": "wfrun",
            "name": name,
            "activeProfileIndex": 0,
            "shared": {"frames": frames},
            "profiles": [profile],
        }
        return json.dumps(whole).encode()

    def _take(self, _number: int, innermost: types.FrameType | None) -> None:
        stack: list[Frame] = []
        frame = innermost
        while frame is not None and len(stack) < DEEPEST:
            code = frame.f_code
            if not own_file(code.co_filename):
                # The line is unknown between two instructions that belong to none.
                stack.append((code.co_filename, frame.f_lineno or code.co_firstlineno, code.co_name))
            frame = frame.f_back
        if stack:
            self.stacks[tuple(reversed(stack))] += 1
