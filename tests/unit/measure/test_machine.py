from __future__ import annotations

from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]
import pytest

from wfrun.measure.machine import cpu_model, memory_bytes, virtualised

if TYPE_CHECKING:
    from pathlib import Path

ARM = "processor\t: 0\nCPU implementer\t: 0x41\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\n"


def cpuinfo(folder: Path, text: str) -> Path:
    path = folder / "cpuinfo"
    path.write_text(text)
    return path


def firmware(folder: Path, vendor: str) -> Path:
    (folder / "sys_vendor").write_text(vendor + "\n")
    return folder


def test_the_model_is_the_first_processors_name(tmp_path: Path) -> None:
    path = cpuinfo(tmp_path, "model\t: 17\nmodel name\t: AMD EPYC\n\nmodel name\t: other\n")

    assert cpu_model(path).value == "AMD EPYC"


def test_a_processor_without_a_name_is_known_by_its_numbers(tmp_path: Path) -> None:
    assert cpu_model(cpuinfo(tmp_path, ARM)).value == "CPU implementer 0x41, CPU part 0xd0c, CPU variant 0x3"


@pytest.mark.parametrize("text", [None, "processor\t: 0\n"])
def test_an_unknown_model_is_none_with_the_reason(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "none" if text is None else cpuinfo(tmp_path, text)

    value, doubt = cpu_model(path)

    assert value is None
    assert str(path) in doubt


def test_the_hypervisor_flag_means_virtual(tmp_path: Path) -> None:
    assert virtualised(cpuinfo(tmp_path, "flags\t: fpu hypervisor\n"), tmp_path).value is True


def test_a_processor_without_the_flag_is_real(tmp_path: Path) -> None:
    path = cpuinfo(tmp_path, "flags\t: fpu\n")

    assert virtualised(path, firmware(tmp_path, "Dell Inc.")) == (False, "")


def test_the_firmware_gives_a_virtual_machine_away(tmp_path: Path) -> None:
    assert virtualised(cpuinfo(tmp_path, ARM), firmware(tmp_path, "QEMU")).value is True


def test_firmware_alone_leaves_a_doubt(tmp_path: Path) -> None:
    value, doubt = virtualised(cpuinfo(tmp_path, ARM), firmware(tmp_path, "Ampere"))

    assert value is False
    assert "firmware" in doubt


def test_no_sign_at_all_is_none_with_the_reason(tmp_path: Path) -> None:
    value, doubt = virtualised(cpuinfo(tmp_path, ARM), tmp_path / "none")

    assert value is None
    assert "neither" in doubt


def test_memory_agrees_with_psutil() -> None:
    assert memory_bytes("MemTotal") == pytest.approx(psutil.virtual_memory().total, rel=0.01)


def test_memory_without_proc_comes_from_psutil(tmp_path: Path) -> None:
    assert memory_bytes("MemTotal", tmp_path / "none") == psutil.virtual_memory().total
    assert memory_bytes("MemAvailable", tmp_path / "none") > 0
