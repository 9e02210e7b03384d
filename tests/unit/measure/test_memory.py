from __future__ import annotations

import mmap
import os
import sys
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]
import pytest

from wfrun.measure import memory
from wfrun.measure.memory import MemorySpan, peak_rss_bytes, reset_peak, rss_bytes, settled_rss_bytes

if TYPE_CHECKING:
    from pathlib import Path

MIB = 2**20
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def touched(count: int) -> mmap.mmap:
    """Pages of their own: what an allocator hands out may be memory that this process holds already."""
    pages = mmap.mmap(-1, count)
    for offset in range(0, count, mmap.PAGESIZE):
        pages[offset] = 1
    return pages


def test_resident_memory_agrees_with_psutil() -> None:
    assert rss_bytes() == pytest.approx(psutil.Process().memory_info().rss, abs=2 * MIB)


def test_resident_memory_without_proc_comes_from_psutil(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_statm_descriptor", lambda _process_id: None)

    assert rss_bytes() == pytest.approx(psutil.Process().memory_info().rss, abs=2 * MIB)


@linux
def test_a_forked_child_reads_its_own_memory() -> None:
    """/proc/self is resolved at the open, so an inherited descriptor would tell the parent's memory."""
    rss_bytes()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        ballast = touched(64 * MIB)
        os.write(writing, str(rss_bytes() + 0 * len(ballast)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    told = int(os.read(reading, 32))
    os.close(reading)
    os.close(writing)

    assert told - rss_bytes() > 32 * MIB


@linux
def test_the_peak_remembers_what_is_gone() -> None:
    assert reset_peak() == ""
    before = rss_bytes()
    ballast = touched(32 * MIB)
    del ballast

    assert (peak_rss_bytes().value or 0) - before > 30 * MIB


@linux
def test_a_reset_forgets_an_earlier_peak() -> None:
    ballast = touched(32 * MIB)
    del ballast

    reset_peak()

    assert peak_rss_bytes().value == pytest.approx(rss_bytes(), abs=4 * MIB)


@linux
def test_a_span_tells_memory_that_was_used_from_memory_that_was_kept() -> None:
    with MemorySpan() as span:
        kept = touched(8 * MIB)
        gone = touched(32 * MIB)
        del gone

    assert span.figures is not None
    assert span.figures.doubts == ()
    assert span.figures.peak_above_start_bytes == pytest.approx(40 * MIB, abs=2 * MIB)
    assert span.figures.kept_bytes == pytest.approx(len(kept), abs=2 * MIB)


@linux
def test_what_small_objects_leave_in_the_allocator_is_not_kept() -> None:
    with MemorySpan() as span:
        objects = [bytes(100) for _ in range(200_000)]
        del objects

    assert span.figures is not None
    assert span.figures.kept_bytes < 8 * MIB < (span.figures.peak_above_start_bytes or 0)


@pytest.mark.skipif(memory._malloc_trim() is None, reason="not glibc")
def test_free_memory_that_glibc_holds_back_is_not_kept() -> None:
    """Blocks above 512 bytes come from malloc; one in use at the end keeps it from giving back those before."""
    with MemorySpan() as span:
        blocks = [bytes(1000) for _ in range(60_000)]
        last = blocks.pop()
        del blocks

    assert span.figures is not None
    assert span.figures.kept_bytes - len(last) < 16 * MIB < 50 * MIB < (span.figures.peak_above_start_bytes or 0)


def test_a_cycle_of_garbage_is_not_kept() -> None:
    with MemorySpan() as span:
        cycle: list[object] = [touched(32 * MIB)]
        cycle.append(cycle)
        del cycle

    assert span.figures is not None
    assert span.figures.kept_bytes < 4 * MIB


def test_a_span_has_figures_also_when_its_work_fails() -> None:
    span = MemorySpan()

    with pytest.raises(ZeroDivisionError), span:
        raise ZeroDivisionError

    assert span.figures is not None


def test_a_span_has_no_figures_before_its_end() -> None:
    with MemorySpan() as span:
        assert span.figures is None


def test_without_proc_the_peak_is_that_of_the_whole_life_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(memory, "STATUS", tmp_path / "none")

    value, doubt = peak_rss_bytes()

    assert (value or 0) >= rss_bytes() - 4 * MIB
    assert "whole life" in doubt


def test_a_peak_hidden_under_an_earlier_one_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the peak cannot be reset, the old one must not be told as if this span had made it."""
    ballast = touched(64 * MIB)
    del ballast
    monkeypatch.setattr(memory, "STATUS", tmp_path / "none")
    monkeypatch.setattr(memory, "CLEAR_REFS", tmp_path / "none" / "clear_refs")

    with MemorySpan() as span:
        pass

    assert span.figures is not None
    assert span.figures.peak_above_start_bytes is None
    assert any("cannot be reset" in doubt for doubt in span.figures.doubts)
    assert any("earlier peak" in doubt for doubt in span.figures.doubts)


def test_a_library_that_cannot_trim_leaves_a_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_malloc_trim", lambda: None)

    value, doubt = settled_rss_bytes()

    assert value is not None
    assert "allocator slack" in doubt
