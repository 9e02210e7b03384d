"""What ``--coverage`` takes down in the processes of cases, and what becomes of it."""

from __future__ import annotations

import importlib.util
import sqlite3
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

import pytest

from wfrun.cli.choices import CommandLine, session_options
from wfrun.errors import UsageError

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

SHOP: Final = """\
def pack(weight):
    if weight > 5:
        return "crate"
    return "box"

def unpack():
    return 1
"""
PACKS: Final = """
import shop
@suite.case()
async def packs_{name}():
    shop.pack({weight})
"""
ENDS: Final = """
import shop
@suite.case()
async def is_killed():
    shop.unpack()
    os._exit(3)
"""


@pytest.fixture
def shop(project: Project) -> Project:
    return project.write({"shop.py": SHOP, "suites/suite_a.py": PACKS.format(name="a_box", weight=1)})


def covered_lines(project: Project) -> dict[str, list[int]]:
    """Every measured file's lines that ran, from the file for other programs."""
    root = ET.fromstring(project.read(".wfrun/coverage/coverage.xml"))  # noqa: S314 - coverage.py wrote it
    return {
        found.attrib["filename"]: [
            int(line.attrib["number"]) for line in found.iter("line") if line.attrib["hits"] != "0"
        ]
        for found in root.iter("class")
    }


def test_coverage_tells_the_lines_of_the_project_that_no_case_ran(shop: Project) -> None:
    ran = shop.run("--coverage")

    assert ran.code == 0
    assert covered_lines(shop) == {"shop.py": [1, 2, 4, 6]}
    (row,) = [line for line in ran.out.splitlines() if line.startswith("shop.py")]
    assert row.split() == ["shop.py", "6", "2", "67%", "3,", "7"]
    assert "coverage html --data-file=.wfrun/coverage/.coverage" in ran.out
    assert shop.read(".wfrun/coverage/lcov.info").startswith("SF:shop.py")


def test_coverage_is_combined_over_all_processes(shop: Project) -> None:
    shop.write({"suites/suite_b.py": PACKS.format(name="a_crate", weight=9)})

    ran = shop.run("--coverage", "--workers", "2")

    assert ran.code == 0
    assert covered_lines(shop) == {"shop.py": [1, 2, 3, 4, 6]}
    with sqlite3.connect(shop.folder / ".wfrun" / "coverage" / ".coverage") as data:
        contexts = {row[0] for row in data.execute("select context from context")}
    data.close()
    assert {"a::packs_a_box", "b::packs_a_crate"} <= contexts
    assert sorted(path.name for path in (shop.folder / ".wfrun" / "coverage").iterdir()) == [
        ".coverage",
        "coverage.xml",
        "lcov.info",
    ]


def test_coverage_names_the_cases_whose_data_is_lost(shop: Project) -> None:
    shop.write({"suites/suite_a.py": PACKS.format(name="a_box", weight=1) + ENDS})

    ran = shop.run("--coverage")

    assert ran.code == 1
    assert "not in the coverage: what a::is_killed ran, as the process ended in the middle of it" in ran.out
    assert covered_lines(shop) == {"shop.py": [1, 2, 4, 6]}


def test_coverage_heeds_the_projects_own_configuration(shop: Project) -> None:
    shop.write({"other.py": "x = 1\n", ".coveragerc": "[run]\nsource = .\nomit =\n    suites/*\n"})

    shop.run("--coverage")

    assert covered_lines(shop) == {"other.py": [], "shop.py": [1, 2, 4, 6]}


def test_coverage_works_in_this_process_too(shop: Project) -> None:
    ran = shop.run("--coverage", "--in-process")

    assert ran.code == 0
    assert covered_lines(shop) == {"shop.py": [1, 2, 4, 6]}


def test_an_earlier_sessions_coverage_does_not_count(shop: Project) -> None:
    shop.write({"suites/suite_b.py": PACKS.format(name="a_crate", weight=9)})
    shop.run("--coverage")

    shop.run("--coverage", "-k", "box")

    assert covered_lines(shop) == {"shop.py": [1, 2, 4, 6]}


def test_coverage_is_never_part_of_a_comparison(shop: Project) -> None:
    ran = shop.run("--coverage", "--performance", "--compare", "main")

    assert ran.code == 2
    assert "--coverage changes what a case costs, so nothing is measured with it; leave out --compare" in ran.err


def test_coverage_that_is_not_installed_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(UsageError, match=r"pip install 'wfrun\[coverage\]'"):
        session_options(CommandLine(coverage=True))
