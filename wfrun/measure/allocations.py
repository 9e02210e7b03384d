"""Memory that Python code asks for, counted in bytes that are the same for the same work.

Theory of operation. ``tracemalloc`` knows what is held now and the most that was held since it was last asked, but not
what came and went. So it is asked at every line, call and return: how far the peak rose above what was held at the last
such moment is what the function in between has asked for, and the peak is then set back. What one line asks for and
gives back several times, without a call of a Python function, counts once. Calls alone would not do: the argument of
one call is given back only after that call, and the next one's argument takes its place before anybody looks.
"""

from __future__ import annotations

import sys
import tracemalloc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import types
    from collections.abc import Callable

__all__ = ["AllocationCounter", "FunctionAllocations", "PeakCounter"]

ROUNDS: Final = 100


@dataclass(frozen=True, slots=True)
class FunctionAllocations:
    """The memory that one function asked for, with what it called in C."""

    file: str
    line: int
    name: str
    allocated_bytes: int


class AllocationCounter:
    """Counts the memory that the thread which starts it asks for, between :meth:`start` and :meth:`stop`.

    ``tracemalloc`` must be on. Memory of libraries in C that do not go through Python's allocators is not seen. Each
    line, call and return costs some 3 µs meanwhile.

    Args:
        skip: Given a file and the name of a function in it; says whether it is left out.
        most_lines: Lines, calls and returns after which it gives up, so that a long loop takes no minute.
    """

    def __init__(self, skip: Callable[[str, str], bool], most_lines: int = 300_000) -> None:
        self._skip: Final = skip
        self._most_lines: Final = most_lines
        self.gave_up = False
        """Whether there were more lines than it looks at: then what it found is of no use."""
        self._grown: dict[types.CodeType, int] = {}
        self._peak_bytes = 0
        self._frame_bytes = 0
        """What looking at a function that begins takes by itself: the object that stands for its frame."""

    def start(self) -> None:
        """Count from now."""
        if not self._frame_bytes:
            self._frame_bytes = self._bytes_of_a_frame()
        hook = self._hook(self._grown)
        # A tracer hears of functions that begin; those that have begun, and wait for this one, are told of it here.
        frame: types.FrameType | None = sys._getframe(1)
        while frame is not None:
            frame.f_trace = hook
            frame = frame.f_back
        sys.settrace(hook)

    def stop(self) -> None:
        """Count no more."""
        sys.settrace(None)
        frame: types.FrameType | None = sys._getframe(1)
        while frame is not None:
            frame.f_trace = None
            frame = frame.f_back

    @property
    def peak_bytes(self) -> int:
        """The most that was held above the start of a span."""
        return self._peak_bytes

    def functions(self) -> list[FunctionAllocations]:
        """Return what was asked for by which function, in no order."""
        return [
            FunctionAllocations(code.co_filename, code.co_firstlineno, code.co_qualname, grown)
            for code, grown in self._grown.items()
            if not self._skip(code.co_filename, code.co_qualname)
        ]

    def _bytes_of_a_frame(self) -> int:
        grown: dict[types.CodeType, int] = {}
        sys.settrace(self._hook(grown))
        _call_nothing()
        sys.settrace(None)
        self._peak_bytes = 0
        self.gave_up = False
        return grown.get(_call_nothing.__code__, 0) // ROUNDS

    def _hook(self, grown: dict[types.CodeType, int]) -> Callable[[types.FrameType, str, Any], Any]:
        traced, reset, frame_bytes = tracemalloc.get_traced_memory, tracemalloc.reset_peak, self._frame_bytes
        started: int = traced()[0]
        last: int = traced()[0]
        # A float takes the same memory whatever it is; a number that shrinks to a small integer would not.
        left = float(self._most_lines)
        reset()

        def count(frame: types.FrameType, event: str, _: object) -> Any:  # noqa: ANN401 - the type of a tracer is itself
            nonlocal last, left
            peak = traced()[1]
            self._peak_bytes = max(self._peak_bytes, peak - started)
            rise = peak - last
            running = frame
            if event == "call":
                # It is the caller that has run until now.
                running, rise = frame.f_back or frame, rise - frame_bytes
            if rise > 0:
                grown[running.f_code] = grown.get(running.f_code, 0) + rise
            # What this function holds itself must not be part of what the next one starts from.
            peak = rise = 0
            left -= 1.0
            if left <= 0.0:
                self.gave_up = True
                sys.settrace(None)
                return None
            # In this order: what asking takes itself is gone by the time the peak is set back.
            last = traced()[0]
            reset()
            return count

        return count


class PeakCounter:
    """Finds only the most that was held above the start of a span, for a tenth of what counting costs."""

    def __init__(self) -> None:
        self.peak_bytes = 0
        self._started = 0

    def start(self) -> None:
        """Look from now."""
        self._started = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()

    def stop(self) -> None:
        """Look no more."""
        self.peak_bytes = max(self.peak_bytes, tracemalloc.get_traced_memory()[1] - self._started)


def _call_nothing() -> None:
    for _ in range(ROUNDS):
        _nothing()


def _nothing() -> None:
    pass
