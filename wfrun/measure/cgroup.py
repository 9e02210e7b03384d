"""Where Linux keeps this process's limits and what they did to it, in both versions of control groups."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from wfrun.measure.reading import Reading

__all__ = ["cpu_folders", "cpu_limit_cores", "memory_kills"]

PROC_CGROUP: Final = Path("/proc/self/cgroup")
MOUNTS: Final = Path("/sys/fs/cgroup")
VMSTAT: Final = Path("/proc/vmstat")


def cpu_folders(listing: Path = PROC_CGROUP, mounts: Path = MOUNTS) -> Reading[tuple[Path, ...]]:
    """Return the folders of this process's processor group and of the visible groups around it, innermost first.

    A limit at any of them holds, so whoever asks for one reads them all.
    """
    return _folders("cpu", ("cpu.stat",), listing, mounts)


def memory_kills(listing: Path = PROC_CGROUP, mounts: Path = MOUNTS, whole_system: Path = VMSTAT) -> Reading[int]:
    """Return how many processes the kernel has killed for lack of memory, in this process's group and those around it.

    Where the groups do not tell, the whole system's count is taken.
    """
    folders, doubt = _folders("memory", ("memory.events", "memory.oom_control"), listing, mounts)
    counted = [kills for folder in folders or () if (kills := _kills_in(folder)) is not None]
    if counted:
        return Reading(max(counted))
    try:
        found = _count_of("oom_kill", whole_system.read_text())
    except OSError as error:
        return Reading(None, doubt or f"{whole_system}: {error.strerror}")
    return Reading(found, "of the whole system" if found is not None else f"{whole_system} does not tell")


def _folders(controller: str, telling: tuple[str, ...], listing: Path, mounts: Path) -> Reading[tuple[Path, ...]]:
    if listing == PROC_CGROUP and sys.platform != "linux":
        return Reading(None, f"control groups are Linux's; this is {sys.platform}")
    try:
        lines = listing.read_text().splitlines()
    except OSError as error:
        return Reading(None, f"{listing}: {error.strerror}")
    for line in sorted(lines, key=lambda line: line.startswith("0::")):  # the second version comes last
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            roots = [mounts / controllers, mounts / controller]
        elif not controllers:
            roots = [mounts, mounts / "unified"]
        else:
            continue
        for root in roots:
            folders = _upwards(root, path, telling)
            if folders:
                return Reading(folders)
    return Reading(
        None, f"no folder under {mounts} tells about {'processor time' if controller == 'cpu' else controller}"
    )


def cpu_limit_cores(folders: tuple[Path, ...]) -> float | None:
    """Return the processors' worth of time the tightest of ``folders`` allows; None for no limit."""
    limits = [limit for limit in map(_limit_of, folders) if limit is not None]
    return min(limits, default=None)


def _kills_in(folder: Path) -> int | None:
    for name in ("memory.events", "memory.oom_control"):
        try:
            return _count_of("oom_kill", (folder / name).read_text())
        except OSError:
            continue
    return None


def _count_of(name: str, text: str) -> int | None:
    return next((int(line.split()[1]) for line in text.splitlines() if line.split()[:1] == [name]), None)


def _upwards(root: Path, path: str, telling: tuple[str, ...]) -> tuple[Path, ...]:
    # Inside a container the path may be the host's, of which only the root is mounted; then the root is our group.
    inner = root / path.strip("/")
    if ".." in inner.parts or not inner.is_dir():
        inner = root
    folders = [inner, *(parent for parent in inner.parents if parent.is_relative_to(root))]
    return tuple(folder for folder in folders if any((folder / name).is_file() for name in telling))


def _limit_of(folder: Path) -> float | None:
    try:
        if (folder / "cpu.max").is_file():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text().strip()
            period = (folder / "cpu.cfs_period_us").read_text().strip()
        return None if quota in {"max", "-1"} else int(quota) / int(period)
    except (OSError, ValueError):
        return None  # the root group has no limit, and so no file
