"""Resident memory of this process: now, at its peak, and kept after the work is done.

"Kept" shall mean objects that are still referenced, and not what an allocator holds back for later. So before it is
read, garbage is collected and glibc is asked to return its free memory (``malloc_trim``); elsewhere the figure
carries that doubt. Linux counts resident pages in batches for each processor, so two readings may differ by a few
hundred KiB where nothing happened; the metrics' slack of a mebibyte covers it.
"""

from __future__ import annotations

import functools
import gc
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from wfrun.measure.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MemoryFigures", "MemorySpan", "peak_rss_bytes", "reset_peak", "rss_bytes", "settled_rss_bytes"]

STATUS: Final = Path("/proc/self/status")
CLEAR_REFS: Final = Path("/proc/self/clear_refs")


def rss_bytes() -> int:
    """Return the memory this process holds in RAM; about 2 µs on Linux, 15 µs elsewhere."""
    descriptor = _statm_descriptor(os.getpid())
    if descriptor is None:
        # A process on Linux never needs it, and it takes 10 ms to import.
        import psutil  # type: ignore[import-untyped]  # noqa: PLC0415

        return int(psutil.Process().memory_info().rss)
    return int(os.pread(descriptor, 128, 0).split(None, 2)[1]) * _page_bytes()


def peak_rss_bytes() -> Reading[int]:
    """Return the most memory this process ever held, or held since :func:`reset_peak`."""
    try:
        for line in STATUS.read_bytes().splitlines():
            if line.startswith(b"VmHWM:"):
                return Reading(int(line.split()[1]) * 1024)
    except OSError:
        pass
    return _lifetime_peak()


def reset_peak() -> str:
    """Make :func:`peak_rss_bytes` count from now; return an empty text, or why that is not possible here."""
    try:
        CLEAR_REFS.write_bytes(b"5")
    except OSError as error:
        return f"the peak cannot be reset ({CLEAR_REFS}: {error.strerror}), so it is that of the whole process"
    return ""


def settled_rss_bytes() -> Reading[int]:
    """Return the memory in RAM after garbage was collected and the allocator gave back what it could; some 10 ms."""
    gc.collect()
    trim = _malloc_trim()
    if trim is None:
        return Reading(
            rss_bytes(), "this C library cannot return free memory on demand, so allocator slack is included"
        )
    trim(0)
    return Reading(rss_bytes())


@dataclass(frozen=True, slots=True)
class MemoryFigures:
    """What a span of work did to the memory of its process."""

    before_bytes: int
    peak_bytes: int | None
    after_bytes: int
    doubts: tuple[str, ...] = ()

    @property
    def peak_above_start_bytes(self) -> int | None:
        """The most held beyond what was held at the start, at least 0; None when the peak is unknown."""
        return None if self.peak_bytes is None else max(0, self.peak_bytes - self.before_bytes)

    @property
    def kept_bytes(self) -> int:
        """What the work left behind; negative when it freed older memory."""
        return self.after_bytes - self.before_bytes


class MemorySpan:
    """Measures the memory of what happens inside ``with MemorySpan() as span:``; then read ``span.figures``.

    Entering and leaving each collect garbage, and the peak is that of the whole process: use one span at a time, and
    none around work that is timed.
    """

    __slots__ = ("_before", "_doubts", "_earlier_peak_bytes", "_figures")

    def __init__(self) -> None:
        self._figures: MemoryFigures | None = None
        self._doubts: list[str] = []
        self._before = 0
        self._earlier_peak_bytes: int | None = None

    @property
    def figures(self) -> MemoryFigures | None:
        """What was measured; None until the span has ended."""
        return self._figures

    def __enter__(self) -> Self:
        settled, doubt = settled_rss_bytes()
        self._before = settled or 0
        not_reset = reset_peak()
        self._earlier_peak_bytes = peak_rss_bytes().value if not_reset else None
        self._doubts = [text for text in (doubt, not_reset) if text]
        return self

    def __exit__(self, *_: object) -> None:
        peak_bytes, doubt = peak_rss_bytes()
        if doubt:
            self._doubts.append(doubt)
        if self._earlier_peak_bytes is not None and peak_bytes == self._earlier_peak_bytes:
            peak_bytes = None
            self._doubts.append("the span stayed below an earlier peak of the process, so its own is unknown")
        after = settled_rss_bytes().value or 0
        self._figures = MemoryFigures(self._before, peak_bytes, after, tuple(self._doubts))


def _lifetime_peak() -> Reading[int]:
    try:
        import resource  # noqa: PLC0415 - only where /proc does not serve
    except ImportError:
        return Reading(None, "this platform does not tell a process its peak memory")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    return Reading(
        peak * unit, "the peak is of the whole life of the process, and may include its parent's at the fork"
    )


@functools.lru_cache(maxsize=1)
def _statm_descriptor(_process_id: int) -> int | None:
    # /proc/self is resolved when it is opened, so a forked child needs a descriptor of its own: hence the argument.
    # The parent's stays open in it, one per fork.
    try:
        return os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


@functools.cache
def _page_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE")


@functools.cache
def _malloc_trim() -> Callable[[int], int] | None:
    import ctypes  # noqa: PLC0415 - only spans of memory need it

    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
    trim.argtypes, trim.restype = (ctypes.c_size_t,), ctypes.c_int
    return trim
