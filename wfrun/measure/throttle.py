"""Whether the operating system took the processor away because a limit was used up: such a measurement is void."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wfrun.measure.cgroup import cpu_folders
from wfrun.measure.reading import Reading

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Throttling", "throttled_since", "throttling"]


@dataclass(frozen=True, slots=True)
class Throttling:
    """Counters of a process's control groups, or the difference of two readings of them."""

    periods: int
    """Periods in which the processor was withheld."""
    withheld_ns: int
    """For how long, added up over processors."""

    @property
    def happened(self) -> bool:
        """Whether the processor was withheld at all."""
        return self.periods > 0 or self.withheld_ns > 0


def throttling() -> Reading[Throttling]:
    """Return what the control groups around this process count so far; without control groups None, with the reason."""
    folders, doubt = cpu_folders()
    return Reading(None, doubt) if folders is None else read_throttling(folders)


def throttled_since(before: Reading[Throttling]) -> Reading[Throttling]:
    """Return what was added since ``before`` was read; None with the reason when either reading has no value."""
    now = throttling()
    if before.value is None or now.value is None:
        return Reading(None, before.doubt or now.doubt)
    return Reading(
        Throttling(now.value.periods - before.value.periods, now.value.withheld_ns - before.value.withheld_ns)
    )


def read_throttling(folders: tuple[Path, ...]) -> Reading[Throttling]:
    """Return the counters of ``folders`` added up; a group that has none has no limit and adds nothing."""
    periods = withheld_ns = 0
    for folder in folders:
        try:
            pairs = [line.split() for line in (folder / "cpu.stat").read_text().splitlines()]
            counters = {name: int(value) for name, value in pairs}
        except (OSError, ValueError) as error:
            return Reading(None, f"{folder / 'cpu.stat'}: {error}")
        periods += counters.get("nr_throttled", 0)
        # The second version counts microseconds, the first nanoseconds.
        withheld_ns += counters.get("throttled_usec", 0) * 1000 + counters.get("throttled_time", 0)
    return Reading(Throttling(periods, withheld_ns))
