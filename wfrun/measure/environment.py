"""What the numbers depend on: the machine and interpreter they were taken with, and the state it was in.

The *fingerprint* stays the same from session to session on one machine; its hard part decides whether two records may
be compared at all. The *conditions* change from minute to minute and explain noise.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wfrun.measure.calibration import calibrate
from wfrun.measure.cgroup import cpu_folders, cpu_limit_cores
from wfrun.measure.machine import cpu_model, memory_bytes, virtualised
from wfrun.measure.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["HARD_KEYS", "conditions", "fingerprint", "steal_percent"]

HARD_KEYS: Final = ("cpu_model", "cpu_count", "architecture", "python_minor")
"""The part of a fingerprint in which two records must agree to be compared; the rest annotates."""

STAT: Final = Path("/proc/stat")
CPUS: Final = Path("/sys/devices/system/cpu")


def fingerprint() -> dict[str, object]:
    """Return what this machine and interpreter are, in values JSON can hold; some 50 ms.

    A value that is not to be had is None, and ``doubts`` says why, by its key.
    """
    import platform  # noqa: PLC0415 - only the process that writes a record needs it, and starting up is measured

    system = os.uname()
    values: dict[str, object] = {
        "cpu_count": os.cpu_count(),
        "architecture": system.machine,
        "os": _os_name(),
        "kernel": f"{system.sysname} {system.release}",
        "python": platform.python_version(),
        "python_minor": f"{sys.version_info.major}.{sys.version_info.minor}",
        "implementation": sys.implementation.name,
        "build": _build_flags(),
        "compiler": platform.python_compiler(),
        "dependencies_hash": dependencies_hash(_installed()),
    }
    return _with_doubts(values, cpu_model=cpu_model(), virtualised=virtualised())


def conditions() -> dict[str, object]:
    """Return what the machine is doing now, in values JSON can hold; some 20 ms, most of them the calibration loops.

    ``cpu_limit_cores`` is None where nothing limits this process. Everything else that is None has its reason in
    ``doubts``, by its key. ``cpu_ticks`` and ``steal_ticks`` count since the machine started: see
    :func:`steal_percent`.
    """
    ticks, no_ticks = _ticks()
    folders, no_folders = cpu_folders()
    values: dict[str, object] = {
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "memory_total_bytes": memory_bytes("MemTotal"),
        "memory_available_bytes": memory_bytes("MemAvailable"),
        "calibration_ns": calibrate(5),
    }
    return _with_doubts(
        values,
        cpu_ticks=Reading(ticks and ticks[0], no_ticks),
        steal_ticks=Reading(ticks and ticks[1], no_ticks),
        governor=_governor(),
        cpu_limit_cores=Reading(cpu_limit_cores(folders) if folders else None, no_folders),
        affinity=_affinity(),
    )


def steal_percent(before: Mapping[str, object], after: Mapping[str, object]) -> float | None:
    """Return the share of all processor time between two :func:`conditions` that went to other virtual machines.

    None where the platform does not count it, or when no time has passed.
    """
    counts = [side[key] for key in ("cpu_ticks", "steal_ticks") for side in (before, after)]
    if not all(isinstance(count, int) for count in counts):
        return None
    cpu_before, cpu_after, steal_before, steal_after = (int(str(count)) for count in counts)
    return 100 * (steal_after - steal_before) / (cpu_after - cpu_before) if cpu_after > cpu_before else None


def dependencies_hash(installed: Iterable[tuple[str, str]]) -> str:
    """Return a hash of (name, version) pairs that does not depend on their order, on repetition or on spelling."""
    lines = {f"{name.lower().replace('_', '-').replace('.', '-')}=={version}" for name, version in installed}
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


def _with_doubts(values: dict[str, object], **readings: Reading[object]) -> dict[str, object]:
    doubts = {key: reading.doubt for key, reading in readings.items() if reading.doubt}
    return {**values, **{key: reading.value for key, reading in readings.items()}, "doubts": doubts}


def _installed() -> list[tuple[str, str]]:
    """Return what is installed, by the names of the folders that installers leave: reading their files takes 70 ms."""
    found = []
    for folder in dict.fromkeys(sys.path):
        try:
            names = os.listdir(folder or ".")  # noqa: PTH208 - text is all that is asked for
        except OSError:
            continue
        for name in names:
            stem, _, kind = name.rpartition(".")
            # A half removed package leaves a folder without its file behind.
            if kind == "dist-info" and os.path.exists(os.path.join(folder, name, "METADATA")):  # noqa: PTH110, PTH118
                package, _, version = stem.rpartition("-")
                found.append((package, version))
            elif kind == "egg-info":
                found.append((stem, ""))
    return found


def _os_name() -> str:
    import platform  # noqa: PLC0415 - as in fingerprint

    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _build_flags() -> list[str]:
    """Return what makes this interpreter faster or slower than another of its version."""
    import sysconfig  # noqa: PLC0415 - as in fingerprint

    arguments = str(sysconfig.get_config_var("CONFIG_ARGS") or "")
    flags = [
        flag
        for flag in ("enable-optimizations", "with-lto", "enable-experimental-jit", "with-tail-call-interp")
        if flag in arguments
    ]
    if sysconfig.get_config_var("Py_DEBUG"):
        flags.append("debug")
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        flags.append("free-threaded")
    return flags


def _ticks() -> Reading[tuple[int, int]]:
    """Return all processor time, and the stolen part of it, since the machine started."""
    try:
        fields = [int(field) for field in STAT.read_text().splitlines()[0].split()[1:]]
        # The first eight add up to everything; the guests' time that follows is contained in them.
        return Reading((sum(fields[:8]), fields[7]))
    except (OSError, ValueError, IndexError) as error:
        return Reading(None, f"this platform does not count stolen time ({STAT}: {error})")


def _governor() -> Reading[str]:
    files = CPUS.glob("cpu[0-9]*/cpufreq/scaling_governor")
    try:
        governors = sorted({file.read_text().strip() for file in files})
    except OSError as error:
        return Reading(None, f"the frequency governor cannot be read: {error}")
    if not governors:
        return Reading(None, "no frequency governor is visible here; the host or the hardware decides")
    return Reading(" ".join(governors))


def _affinity() -> Reading[list[int]]:
    if not hasattr(os, "sched_getaffinity"):
        return Reading(None, f"{sys.platform} cannot pin a process to processors")
    return Reading(sorted(os.sched_getaffinity(0)))
