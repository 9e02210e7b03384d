"""What files say of a machine: good, beware or bad, and unknown where there is no file."""

from __future__ import annotations

from pathlib import Path

import pytest

from wfrun.runner.doctor.findings import Finding, Level
from wfrun.runner.doctor.hardware import hardware

CPU = "sys/devices/system/cpu"
CLOCK = "sys/devices/system/clocksource/clocksource0/current_clocksource"
MOUNTS = "proc/self/mountinfo"
MOUNT = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:25 / {} rw - {} none rw\n"
PROFILE = "sys/firmware/acpi/platform_profile"
GROUP = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.stat": "nr_throttled 0\nthrottled_usec 0\n"}


def found(root: Path, files: dict[str, str], **environment: str) -> dict[str, Finding]:
    """The findings on a machine that has these files and no others."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return {finding.name: finding for finding in hardware(root, Path("/project/here"), environment)}


def test_without_any_file_nothing_fails_and_most_is_unknown(tmp_path: Path) -> None:
    levels = {name: finding.level for name, finding in found(tmp_path, {}).items()}

    known = {name for name, level in levels.items() if level is not Level.UNKNOWN}
    assert known == {"container", "power"}
    assert all(finding.fact for finding in found(tmp_path, {}).values())


@pytest.mark.parametrize(
    ("name", "files", "level", "fact"),
    [
        ("governor", {f"{CPU}/cpu0/cpufreq/scaling_governor": "performance\n"}, Level.GOOD, "performance"),
        ("governor", {f"{CPU}/cpu0/cpufreq/scaling_governor": "powersave\n"}, Level.BEWARE, "powersave"),
        ("turbo", {f"{CPU}/intel_pstate/no_turbo": "1\n"}, Level.GOOD, "off"),
        ("turbo", {f"{CPU}/intel_pstate/no_turbo": "0\n"}, Level.BEWARE, "on"),
        ("turbo", {f"{CPU}/cpufreq/boost": "1\n"}, Level.BEWARE, "on"),
        ("turbo", {f"{CPU}/cpufreq/boost": "0\n"}, Level.GOOD, "off"),
        ("virtualisation", {"proc/cpuinfo": "flags : fpu hypervisor\n"}, Level.BEWARE, "a virtual machine"),
        ("virtualisation", {"proc/cpuinfo": "flags : fpu\n"}, Level.GOOD, "none that shows"),
        ("container", {".dockerenv": ""}, Level.GOOD, "in one: its limits hold, see quota"),
        ("quota", GROUP, Level.GOOD, "none below the"),
        ("quota", {**GROUP, "sys/fs/cgroup/cpu.max": "50000 100000\n"}, Level.BAD, "0.5 of"),
        ("throttling", GROUP, Level.GOOD, "never so far"),
        (
            "throttling",
            {**GROUP, "sys/fs/cgroup/cpu.stat": "nr_throttled 7\nthrottled_usec 2000000\n"},
            Level.BEWARE,
            "7 periods so far, 2.00 s withheld",
        ),
        ("siblings", {f"{CPU}/cpu0/topology/thread_siblings_list": "0\n"}, Level.GOOD, "each processor is a core"),
        ("siblings", {f"{CPU}/cpu0/topology/thread_siblings_list": "0-1\n"}, Level.BEWARE, "processors 0-1 share"),
        ("siblings", {f"{CPU}/cpu0/topology/thread_siblings_list": "0,4\n"}, Level.BEWARE, "processors 0,4 share"),
        ("disk", {MOUNTS: MOUNT.format("/elsewhere", "nfs4")}, Level.GOOD, "ext4"),
        ("disk", {MOUNTS: MOUNT.format("/project", "nfs4")}, Level.BEWARE, "nfs4"),
        ("disk", {MOUNTS: MOUNT.format("/project", "tmpfs")}, Level.BEWARE, "tmpfs, in memory"),
        ("clock", {CLOCK: "tsc\n"}, Level.GOOD, "tsc"),
        ("clock", {CLOCK: "hpet\n"}, Level.BAD, "hpet"),
        ("power", {"sys/class/power_supply/BAT0/status": "Discharging\n"}, Level.BAD, "on battery (BAT0)"),
        ("power", {"sys/class/power_supply/BAT0/status": "Full\n"}, Level.GOOD, "plugged in"),
        ("power", {PROFILE: "low-power\n"}, Level.BEWARE, "profile low-power"),
        ("power", {PROFILE: "performance\n"}, Level.GOOD, "profile performance"),
    ],
)
def test_a_line(tmp_path: Path, name: str, files: dict[str, str], level: Level, fact: str) -> None:
    finding = found(tmp_path, files)[name]

    assert finding.level is level
    assert finding.fact.startswith(fact)
    assert bool(finding.advice) is (level is not Level.GOOD)
