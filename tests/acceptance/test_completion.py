"""The shell is offered titles, tags and names, and suites are not imported for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.acceptance.conftest import WFRUN, environment

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

SUITE: Final = """
open("imported", "w").close()
tour = Suite("Load Testing", tags=("shop",))

@tour.case("Retry and give up", tags=["slow"])
def retry(): pass

@tour.case("Not all (or none)")
def odd(): pass
"""
FILE: Final = "[tool.wfrun.profiles.nightly]\n[tool.wfrun.env.staging]\n"


@pytest.fixture
def shop(project: Project) -> Project:
    return project.write({"suites/suite_shop.py": SUITE, "pyproject.toml": FILE, "baselines/main.json": "{}"})


def offered(project: Project, line: str) -> list[str]:
    """What bash is offered at the end of a line."""
    words = line.replace("\\ ", "_").split(" ")
    variables = {"_WFRUN_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    ran = project.run(env=variables)
    assert ran.err == ""
    assert project.read("imported") == ""
    return ran.out.splitlines()


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("wfrun --pattern Lo", [r"Load\ Testing"]),
        ("wfrun list -k lo", [r"load\ Testing"]),
        ('wfrun --pattern "lo', ["load Testing"]),
        ("wfrun --exclude Re", [r"Retry\ and\ give\ up"]),
        (r"wfrun --pattern Load\ T", [r"Load\ Testing"]),
        ('wfrun --pattern \\"N', [r"\"Not\ all\ \(or\ none\)\""]),
        ("wfrun --pattern s", ["shop", "slow"]),
        ("wfrun --tag sl", ["slow"]),
        ("wfrun --target channels", ["channels=anyio", "channels=asyncio", "channels=wfrun"]),
        ("wfrun --config ", ["nightly", "ci", "dev", "perf"]),
        ("wfrun --env s", ["staging"]),
        ("wfrun --compare ", ["main"]),
        ("wfrun --category i", ["integration"]),
        ("wfrun --tier f", ["fast"]),
        ("wfrun list --order r", ["random"]),
    ],
)
def test_values_are_offered(shop: Project, line: str, values: list[str]) -> None:
    assert offered(shop, line) == values


def test_within_a_pattern_the_phrase_that_is_being_written_is_completed(shop: Project) -> None:
    words = {"COMP_WORDS": 'wfrun --pattern "shop and not lo', "COMP_CWORD": "2", "_WFRUN_COMPLETE": "complete_bash"}

    assert shop.run(env=words).out.splitlines() == ["shop and not load Testing"]


def test_what_was_discovered_is_offered_once_it_is_known(shop: Project) -> None:
    shop.run("list")
    (shop.folder / "imported").unlink()

    assert offered(shop, "wfrun --case shop::o") == ["shop::odd"]
    assert offered(shop, "wfrun --pattern retry") == [r"retry\ and\ give\ up"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_completes_after_the_completion_is_installed(shop: Project) -> None:
    variables = environment({"HOME": str(shop.folder), "PATH": f"{Path(WFRUN).parent}:{os.environ['PATH']}"})
    script = """
        wfrun --install-completion
        source ~/.bash_completions/wfrun.sh
        COMP_WORDS=(wfrun --pattern Lo) COMP_CWORD=2
        _wfrun_completion wfrun
        printf 'offered: %s\\n' "${COMPREPLY[@]}"
    """

    ran = subprocess.run(
        ["bash", "-c", script],  # noqa: S607 - whichever bash there is
        cwd=shop.folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=45,
        check=False,
    )

    assert "bash completion installed" in ran.stdout
    assert r"offered: Load\ Testing" in ran.stdout
