"""``--profile``: a case repeated under one profiler after the other, and what they say, short and in full."""

from __future__ import annotations

import cProfile
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from wfrun.runner.child.messages import Status
from wfrun.runner.child.tools.allocations import Allocations
from wfrun.runner.child.tools.processor import LineSampler, function_times
from wfrun.runner.child.tools.source import file_name_of, short_place, source_line
from wfrun.runner.child.tools.tool import CaseTool
from wfrun.units import format_bytes, format_duration

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wfrun.authoring.info import CaseInfo
    from wfrun.runner.child.messages import CaseResult
    from wfrun.runner.child.tools.allocations import Held

__all__ = ["Profile"]

SAMPLED_S: Final = 1.0
"""How long samples are taken: at least one pass, and about so many seconds."""
MOST_PASSES: Final = 200
REPETITIONS: Final = 5
"""Over which growth of memory is looked for; fewer, but at least two, where a pass takes long."""
REPEATED_S: Final = 10.0
SHOWN: Final = 5
IN_FULL: Final = 40


class Profile(CaseTool):
    """Repeats a case that passes under its profilers; its result is that of the first pass, which has none.

    Args:
        folder: Where a folder for each case is made.
        alive: Called between passes, so that the parent knows that all of them together may take long.
    """

    def __init__(self, folder: Path, alive: Callable[[], None]) -> None:
        self._folder = folder
        self._alive = alive

    def run(self, info: CaseInfo, once: Callable[[], CaseResult]) -> CaseResult:
        """Run the case, then again for each profiler; the first pass that does not pass is the result."""
        cpu_s = time.process_time()
        first = last = once()
        cpu_s = time.process_time() - cpu_s
        if first.status is not Status.PASSED:
            return replace(first, findings=(*first.findings, "not profiled, as it did not pass"))

        def well() -> bool:
            nonlocal last
            self._alive()
            if last.status is Status.PASSED:
                last = once()
            return last.status is Status.PASSED

        calls = cProfile.Profile()
        calls.enable()
        well()
        calls.disable()
        sampler = LineSampler()
        until_s = time.perf_counter() + SAMPLED_S
        with sampler.sampling():
            for _ in range(MOST_PASSES):
                if not well() or time.perf_counter() >= until_s:
                    break
        memory = Allocations()
        memory.repeat(well, max(2, min(REPETITIONS, int(REPEATED_S / (first.duration_s or 1)))))
        if last.status is not Status.PASSED:
            return replace(last, findings=(*last.findings, "it passed at first, and then failed while it was profiled"))
        folder = self._folder / file_name_of(info.id)
        told = _Told(info, first.duration_s, cpu_s, calls, sampler, memory)
        told.write(folder)
        return replace(first, findings=(*first.findings, *told.sections(SHOWN), f"in full: {folder_shown(folder)}"))


@dataclass(frozen=True, slots=True)
class _Told:
    """What the profilers found, as text."""

    _info: CaseInfo
    _wall_s: float
    _cpu_s: float
    _calls: cProfile.Profile
    _sampler: LineSampler
    _memory: Allocations

    def sections(self, most: int) -> list[str]:
        """Return one text for each thing looked at, with so many lines."""
        return [self._functions(most), self._lines(most), self._peak(most), self._growth(most)]

    def write(self, folder: Path) -> None:
        """Write everything into ``folder``, in forms for people and for programs."""
        folder.mkdir(parents=True, exist_ok=True)
        heading = (
            f"{self._info.suite_title} · {self._info.title}\n{self._info.id}\n"
            f"a pass takes {format_duration(self._wall_s)}, and {format_duration(self._cpu_s)} of processor time\n"
        )
        text = "\n\n".join([heading, *self.sections(IN_FULL)])
        (folder / "profile.txt").write_text(text + "\n", encoding="utf-8")
        self._calls.dump_stats(folder / "cpu.pstats")
        sample_ms = 1e3 * self._cpu_s / max(1, self._sampler.samples)
        (folder / "cpu.speedscope.json").write_bytes(self._sampler.speedscope(self._info.title, sample_ms))

    def _functions(self, most: int) -> str:
        times = function_times(self._calls)
        whole_s = sum(each.own_s for each in times) or 1.0
        rows = [
            f"{100 * each.own_s / whole_s:>6.1f} %  {each.calls:>9,} times  {each.name}  {_place(each.file, each.line)}"
            for each in times[:most]
        ]
        heading = f"processor time by function, {format_duration(self._cpu_s)} a pass:"
        return "\n".join([heading, *rows])

    def _lines(self, most: int) -> str:
        samples = self._sampler.samples
        if not samples:
            return "processor time by line: too little for a single sample"
        rows = [
            f"{100 * count / samples:>6.1f} %  {_place(file, line)}  {source_line(file, line)}"
            for (file, line, _), count in self._sampler.lines().most_common(most)
        ]
        return "\n".join([f"processor time by line, {samples:,} samples:", *rows])

    def _peak(self, most: int) -> str:
        heading = f"memory held at most, {format_bytes(self._memory.peak_bytes)}"
        held = self._memory.at_peak
        return "\n".join([f"{heading}, by line:", *map(_row, held[:most])]) if held else heading

    def _growth(self, most: int) -> str:
        kept = self._memory.kept
        if not kept:
            return f"memory kept from pass to pass: no line holds more after each of {self._memory.repetitions}"
        heading = f"memory kept by each of {self._memory.repetitions} passes, by line:"
        return "\n".join([heading, *map(_row, kept[:most])])


def folder_shown(folder: Path) -> str:
    """Return the folder from the current one on, where it lies in it."""
    return short_place(str(folder), 0).rpartition(":")[0]


def _row(held: Held) -> str:
    size, source = format_bytes(held.size_bytes), source_line(held.file, held.line)
    return f"{size:>10}  {held.blocks:>9,.0f} times  {_place(held.file, held.line)}  {source}"


def _place(file: str, line: int) -> str:
    return file if file == "~" else short_place(file, line)
