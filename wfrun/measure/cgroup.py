"""Where Linux keeps this process's processor limits and what they did to it, in both versions of control groups."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from wfrun.measure.reading import Reading

__all__ = ["cpu_folders", "cpu_limit_cores"]

PROC_CGROUP: Final = Path("/proc/self/cgroup")
MOUNTS: Final = Path("/sys/fs/cgroup")


def cpu_folders(listing: Path = PROC_CGROUP, mounts: Path = MOUNTS) -> Reading[tuple[Path, ...]]:
    """Return the folders of this process's processor group and of the visible groups around it, innermost first.

    A limit at any of them holds, so whoever asks for one reads them all.
    """
    if listing == PROC_CGROUP and sys.platform != "linux":
        return Reading(None, f"control groups are Linux's; this is {sys.platform}")
    try:
        lines = listing.read_text().splitlines()
    except OSError as error:
        return Reading(None, f"{listing}: {error.strerror}")
    for line in sorted(lines, key=lambda line: line.startswith("0::")):  # the second version comes last
        _, controllers, path = line.split(":", 2)
        if "cpu" in controllers.split(","):
            roots = [mounts / controllers, mounts / "cpu"]
        elif not controllers:
            roots = [mounts, mounts / "unified"]
        else:
            continue
        for root in roots:
            folders = _upwards(root, path)
            if folders:
                return Reading(folders)
    return Reading(None, f"no folder under {mounts} tells about processor time")


def cpu_limit_cores(folders: tuple[Path, ...]) -> float | None:
    """Return the processors' worth of time the tightest of ``folders`` allows; None for no limit."""
    limits = [limit for limit in map(_limit_of, folders) if limit is not None]
    return min(limits, default=None)


def _upwards(root: Path, path: str) -> tuple[Path, ...]:
    # Inside a container the path may be the host's, of which only the root is mounted; then the root is our group.
    inner = root / path.strip("/")
    if ".." in inner.parts or not inner.is_dir():
        inner = root
    folders = [inner, *(parent for parent in inner.parents if parent.is_relative_to(root))]
    return tuple(folder for folder in folders if (folder / "cpu.stat").is_file())


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
