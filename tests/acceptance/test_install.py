"""What an installed wfrun brings along, where no checkout is near."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that ``pip install .`` would install."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            folder,
            REPOSITORY,
        ],
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_package_and_its_suites_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert "wfrun/py.typed" in names
    assert "wfrun/suites/complete_workflows/__init__.py" in names
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"wfrun"}


def test_an_installed_wfrun_finds_its_suites_anywhere_and_says_so(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    empty = tmp_path / "empty"
    empty.mkdir()

    def wfrun(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": str(site), "NO_COLOR": "1", "COLUMNS": "120"}
        command = [sys.executable, "-m", "wfrun", *arguments]
        return subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True, check=False)

    listed = wfrun("list", "--json", "--e2e", "--pattern", "complete")
    ran = wfrun("--e2e", "--pattern", "Circuit breaker")

    assert listed.returncode == 0, listed.stderr
    cases = json.loads(listed.stdout)["cases"]
    assert all(case["file"].startswith(str(site)) for case in cases)
    assert {case["id"].partition("/")[0] for case in cases} == {"complete_workflows"}
    assert ran.returncode == 0, ran.stdout
    assert "suites that come with wfrun" in ran.stdout
