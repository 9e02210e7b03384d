"""What the hardware is: processor, memory, and whether it is a virtual machine. Linux from /proc, macOS from sysctl."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from wfrun.measure.reading import Reading

__all__ = ["cpu_model", "memory_bytes", "virtualised"]

CPUINFO: Final = Path("/proc/cpuinfo")
MEMINFO: Final = Path("/proc/meminfo")
DMI: Final = Path("/sys/class/dmi/id")

HYPERVISOR_VENDORS: Final = (
    "qemu",
    "kvm",
    "vmware",
    "xen",
    "virtualbox",
    "innotek",
    "parallels",
    "bochs",
    "amazon ec2",
)
"""Found in the firmware's names of virtual machines, lower case; also on processors without a hypervisor flag."""

SYSCTL_TIMEOUT_S: Final = 5


def cpu_model(cpuinfo: Path = CPUINFO) -> Reading[str]:
    """Return the processor's name; where it has none, as on many ARM machines, the numbers that identify it."""
    if sys.platform == "darwin":
        return _sysctl("machdep.cpu.brand_string")
    facts = _facts(cpuinfo)
    if facts.value is None:
        return Reading(None, facts.doubt)
    for key in ("model name", "cpu model", "cpu"):
        if facts.value.get(key):
            return Reading(facts.value[key])
    numbers = [
        f"{key} {facts.value[key]}" for key in ("CPU implementer", "CPU part", "CPU variant") if key in facts.value
    ]
    if numbers:
        return Reading(", ".join(numbers))
    return Reading(None, f"{cpuinfo} does not name the processor")


def virtualised(cpuinfo: Path = CPUINFO, dmi: Path = DMI) -> Reading[bool]:
    """Return whether this is a virtual machine, as far as its processor and firmware admit it."""
    if sys.platform == "darwin":
        present = _sysctl("kern.hv_vmm_present")
        return Reading(None if present.value is None else present.value == "1", present.doubt)
    facts = _facts(cpuinfo)
    if facts.value is not None and "hypervisor" in facts.value.get("flags", "").split():
        return Reading(True)  # noqa: FBT003 - the value itself, not an option
    names = " ".join(_first_line(dmi / name) for name in ("sys_vendor", "product_name", "board_vendor")).strip().lower()
    if any(vendor in names for vendor in HYPERVISOR_VENDORS):
        return Reading(True)  # noqa: FBT003 - as above
    if facts.value is not None and "flags" in facts.value:
        return Reading(False)  # noqa: FBT003 - as above
    if names:
        return Reading(False, "judged by the firmware's names alone")  # noqa: FBT003 - as above
    return Reading(None, "neither the processor nor the firmware tells")


def memory_bytes(field: str, meminfo: Path = MEMINFO) -> int:
    """Return the machine's ``MemTotal`` or ``MemAvailable``, in bytes."""
    facts = _facts(meminfo).value
    if facts is not None and field in facts:
        return int(facts[field].split()[0]) * 1024
    import psutil  # type: ignore[import-untyped]  # noqa: PLC0415 - only where /proc does not serve

    memory = psutil.virtual_memory()
    return int(memory.total if field == "MemTotal" else memory.available)


def _facts(path: Path) -> Reading[dict[str, str]]:
    """Return ``key: value`` lines; of repeated keys, one for each processor, the first."""
    try:
        text = path.read_text(errors="replace")
    except OSError as error:
        return Reading(None, f"{path}: {error.strerror}")
    facts: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            facts.setdefault(key.strip(), value.strip())
    return Reading(facts)


def _first_line(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _sysctl(name: str) -> Reading[str]:
    try:
        done = subprocess.run(
            ["/usr/sbin/sysctl", "-n", name], capture_output=True, text=True, timeout=SYSCTL_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Reading(None, f"sysctl {name}: {error}")
    return Reading(done.stdout.strip())
