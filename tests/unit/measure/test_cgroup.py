from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from wfrun.measure.cgroup import cpu_folders, cpu_limit_cores

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_group_of_the_second_version_comes_with_those_around_it(tmp_path: Path) -> None:
    listing = write(tmp_path / "cgroup", "0::/outer/inner\n")
    for folder in ("mounts", "mounts/outer", "mounts/outer/inner"):
        write(tmp_path / folder / "cpu.stat", "")

    folders, doubt = cpu_folders(listing, tmp_path / "mounts")

    mounts = tmp_path / "mounts"
    assert folders == (mounts / "outer/inner", mounts / "outer", mounts)
    assert doubt == ""


def test_the_first_version_is_preferred_where_it_owns_the_processor(tmp_path: Path) -> None:
    listing = write(tmp_path / "cgroup", "0::/\n4:cpu,cpuacct:/job\n")
    write(tmp_path / "mounts/cpu,cpuacct/job/cpu.stat", "")
    write(tmp_path / "mounts/unified/cpu.stat", "")

    folders, _ = cpu_folders(listing, tmp_path / "mounts")

    assert folders == (tmp_path / "mounts/cpu,cpuacct/job",)


@pytest.mark.parametrize("path", ["/docker/0123", "/../../system.slice"])
def test_a_path_of_the_host_that_a_container_cannot_see_means_the_mounted_root(tmp_path: Path, path: str) -> None:
    listing = write(tmp_path / "cgroup", f"0::{path}\n")
    write(tmp_path / "mounts/cpu.stat", "")

    assert cpu_folders(listing, tmp_path / "mounts").value == (tmp_path / "mounts",)


def test_no_groups_is_none_with_the_reason(tmp_path: Path) -> None:
    folders, doubt = cpu_folders(tmp_path / "none", tmp_path)

    assert folders is None
    assert "No such file" in doubt


def test_groups_without_processor_accounts_are_none_with_the_reason(tmp_path: Path) -> None:
    listing = write(tmp_path / "cgroup", "5:memory:/job\n0::/\n")

    folders, doubt = cpu_folders(listing, tmp_path)

    assert folders is None
    assert "processor time" in doubt


def test_other_systems_say_that_they_have_no_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    assert "darwin" in cpu_folders().doubt


def test_the_tightest_limit_counts(tmp_path: Path) -> None:
    write(tmp_path / "outer/cpu.max", "150000 100000\n")
    write(tmp_path / "middle/cpu.max", "400000 100000\n")
    write(tmp_path / "inner/cpu.max", "max 100000\n")

    assert cpu_limit_cores((tmp_path / "inner", tmp_path / "middle", tmp_path / "outer")) == 1.5


def test_a_limit_of_the_first_version_is_quota_over_period(tmp_path: Path) -> None:
    write(tmp_path / "cpu.cfs_quota_us", "50000\n")
    write(tmp_path / "cpu.cfs_period_us", "100000\n")

    assert cpu_limit_cores((tmp_path,)) == 0.5


def test_no_limit_is_none(tmp_path: Path) -> None:
    write(tmp_path / "first/cpu.cfs_quota_us", "-1\n")
    write(tmp_path / "first/cpu.cfs_period_us", "100000\n")
    write(tmp_path / "second/cpu.max", "max 100000\n")

    assert cpu_limit_cores((tmp_path / "first", tmp_path / "second", tmp_path)) is None
