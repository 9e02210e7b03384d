"""What the hardware and the system's settings mean for measuring; all of it is read from files below a root."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from wfrun.measure.cgroup import cpu_folders, cpu_limit_cores
from wfrun.measure.machine import virtualised
from wfrun.measure.throttle import read_throttling
from wfrun.runner.doctor.findings import Finding, Level, unknown
from wfrun.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["hardware"]

CPUS: Final = "sys/devices/system/cpu"
GOOD_CLOCKS: Final = ("tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter", "xen")
NETWORK_DISKS: Final = ("nfs", "nfs4", "cifs", "smb3", "9p", "sshfs", "fuse.sshfs", "ceph", "glusterfs", "virtiofs")
CONTAINERS: Final = re.compile(r"docker|kubepods|containerd|lxc|libpod|garden")


def hardware(root: Path, folder: Path, environment: Mapping[str, str]) -> Iterable[Finding]:
    """Yield a finding for each side that files tell about.

    Args:
        root: ``/``, or a tree that stands in for it.
        folder: The project's.
        environment: The variables of this process.
    """
    yield _governor(root)
    yield _turbo(root)
    yield _virtualisation(root)
    yield _container(root, environment)
    yield from _limits(root)
    yield _siblings(root)
    yield _disk(root, folder)
    yield _clock(root)
    yield _power(root)


def _governor(root: Path) -> Finding:
    files = sorted((root / CPUS).glob("cpu[0-9]*/cpufreq/scaling_governor"))
    governors = sorted({text for file in files if (text := _text(file))})
    if not governors:
        return unknown("governor", "no frequency governor is visible; the host or the hardware decides")
    fact = " ".join(governors)
    values = {"governors": governors}
    if governors == ["performance"]:
        return Finding("governor", Level.GOOD, fact, values=values)
    return Finding(
        "governor", Level.BEWARE, fact, "the clock follows the load: cpupower frequency-set -g performance", values
    )


def _turbo(root: Path) -> Finding:
    off, boost = _text(root / CPUS / "intel_pstate/no_turbo"), _text(root / CPUS / "cpufreq/boost")
    if off is None and boost is None:
        return unknown("turbo", "whether the clock may rise above its rating cannot be read here")
    on = off == "0" if off is not None else boost == "1"
    if not on:
        return Finding("turbo", Level.GOOD, "off", values={"on": False})
    switch = (
        "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo"
        if off is not None
        else "echo 0 > /sys/devices/system/cpu/cpufreq/boost"
    )
    return Finding("turbo", Level.BEWARE, "on", f"the clock depends on heat and on neighbours: {switch}", {"on": True})


def _virtualisation(root: Path) -> Finding:
    found, doubt = virtualised(root / "proc/cpuinfo", root / "sys/class/dmi/id")
    if found is None:
        return unknown("virtualisation", doubt)
    if not found:
        return Finding("virtualisation", Level.GOOD, "none that shows", values={"virtual": False})
    advice = (
        "other machines on the host are not seen; compare with --against, which takes both sides in the same minutes"
    )
    return Finding("virtualisation", Level.BEWARE, "a virtual machine", advice, {"virtual": True})


def _container(root: Path, environment: Mapping[str, str]) -> Finding:
    marks = [name for name in (".dockerenv", "run/.containerenv") if (root / name).exists()]
    within = CONTAINERS.search(_text(root / "proc/1/cgroup") or "")
    if marks or within or environment.get("container") or environment.get("KUBERNETES_SERVICE_HOST"):
        return Finding("container", Level.GOOD, "in one: its limits hold, see quota", values={"container": True})
    return Finding("container", Level.GOOD, "none that shows", values={"container": False})


def _limits(root: Path) -> Iterable[Finding]:
    folders, doubt = cpu_folders(root / "proc/self/cgroup", root / "sys/fs/cgroup")
    if folders is None:
        yield unknown("quota", doubt)
        yield unknown("throttling", doubt)
        return
    cores, limit = os.cpu_count() or 1, cpu_limit_cores(folders)
    values = {"limit_cores": limit, "processors": cores}
    if limit is None or limit >= cores:
        yield Finding("quota", Level.GOOD, f"none below the {cores} processors there are", values=values)
    else:
        level = Level.BAD if limit < 1 else Level.BEWARE
        advice = "what uses it up stands still until the period ends: raise or remove the CPU limit of the group"
        yield Finding("quota", level, f"{limit:g} of {cores} processors", advice, values)
    counted, doubt = read_throttling(folders)
    if counted is None:
        yield unknown("throttling", doubt)
    elif not counted.happened:
        yield Finding("throttling", Level.GOOD, "never so far", values={"periods": 0})
    else:
        fact = f"{counted.periods} periods so far, {format_duration(counted.withheld_ns / 1e9)} withheld"
        advice = "processes that are throttled are left out of figures; raise the CPU limit"
        yield Finding("throttling", Level.BEWARE, fact, advice, {"periods": counted.periods})


def _siblings(root: Path) -> Finding:
    files = sorted((root / CPUS).glob("cpu[0-9]*/topology/thread_siblings_list"))
    groups = sorted({text for file in files if (text := _text(file))})
    if not groups:
        return unknown("siblings", "which processors share a core cannot be read here")
    shared = [group for group in groups if re.search(r"[-,]", group)]
    values = {"groups": groups}
    if not shared:
        return Finding("siblings", Level.GOOD, "each processor is a core of its own, as far as it shows", values=values)
    shown = " and ".join(shared[:4]) + (" …" if len(shared) > 4 else "")
    advice = "what runs on one slows the other: leave it idle, or echo off > /sys/devices/system/cpu/smt/control"
    return Finding("siblings", Level.BEWARE, f"processors {shown} share a core", advice, values)


def _disk(root: Path, folder: Path) -> Finding:
    kind = _file_system(root, folder)
    if kind is None:
        return unknown("disk", f"what {folder.name or folder} lies on cannot be read here")
    values = {"file_system": kind}
    if kind in NETWORK_DISKS:
        advice = "files come over a network: measure what reads or writes on a local disk"
        return Finding("disk", Level.BEWARE, kind, advice, values)
    if kind in {"tmpfs", "ramfs"}:
        advice = "what writes files costs no disk here: figures for it are not those of a disk"
        return Finding("disk", Level.BEWARE, f"{kind}, in memory", advice, values)
    return Finding("disk", Level.GOOD, f"{kind}, no network", values=values)


def _file_system(root: Path, folder: Path) -> str | None:
    mounts = [line.split(" ") for line in (_text(root / "proc/self/mountinfo") or "").splitlines()]
    found: tuple[int, str] | None = None
    for fields in mounts:
        if len(fields) < 10 or "-" not in fields:
            continue
        point, kind = fields[4].replace("\\040", " "), fields[fields.index("-") + 1]
        # Of several mounts on one point the last one is seen.
        if folder.is_relative_to(point) and (found is None or len(point) >= found[0]):
            found = (len(point), kind)
    return None if found is None else found[1]


def _clock(root: Path) -> Finding:
    source = _text(root / "sys/devices/system/clocksource/clocksource0/current_clocksource")
    if source is None:
        return unknown("clock", "the source of the clock cannot be read here")
    if source in GOOD_CLOCKS:
        return Finding("clock", Level.GOOD, source, values={"source": source})
    advice = "reading the time costs a system call or more: add clocksource=tsc to the kernel's command line"
    return Finding("clock", Level.BAD, source, advice, {"source": source})


def _power(root: Path) -> Finding:
    profile = _text(root / "sys/firmware/acpi/platform_profile")
    supplies = root / "sys/class/power_supply"
    discharging = [file.parent.name for file in supplies.glob("*/status") if _text(file) == "Discharging"]
    values = {"profile": profile, "discharging": discharging}
    if discharging:
        return Finding("power", Level.BAD, f"on battery ({', '.join(discharging)})", "plug it in", values)
    if profile in {"low-power", "quiet", "cool"}:
        advice = "echo performance > /sys/firmware/acpi/platform_profile"
        return Finding("power", Level.BEWARE, f"profile {profile}", advice, values)
    batteries = any(supplies.glob("*/status"))
    fact = f"profile {profile}" if profile else "plugged in" if batteries else "no battery, no profile"
    return Finding("power", Level.GOOD, fact, values=values)


def _text(file: Path) -> str | None:
    try:
        return file.read_text(errors="replace").strip() or None
    except OSError:
        return None
