"""What is told of a session's time, and where its artefacts go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project


@pytest.fixture
def slow(project: Project) -> Project:
    return project.write(
        {
            "suites/suite_a.py": "@suite.case()\ndef quick(): pass\n"
            "@suite.case()\nasync def slow(): await asyncio.sleep(0.15)\n"
        }
    )


def test_stats_tell_stages_slowest_cases_and_distribution(slow: Project) -> None:
    ran = slow.run("--stats")

    lines = [line.strip() for line in ran.out.splitlines()]
    stages = lines[lines.index("Where the time went") + 1 : lines.index("The slowest cases")]
    assert [line.split()[0] for line in stages if line] == ["discover", "plan", "run", "record", "compare"]
    assert lines[lines.index("The slowest cases") + 1].endswith("Things · Slow")
    assert any(line.startswith("< 1 s") for line in lines)
    assert "Where the time went" not in slow.run().out


def test_all_artefacts_go_to_one_folder(slow: Project) -> None:
    ran = slow.run("--output", "results/today")

    assert ran.code == 0
    assert slow.json("results/today/record.json")["planned"] == 2
    assert '<testsuites name="wfrun"' in slow.read("results/today/junit.xml")
    assert slow.read("results/today/session.html").startswith("<!doctype html>")
    assert slow.read("results/today/summary.md").startswith("## ")


def test_a_file_that_is_named_goes_where_it_is_named(slow: Project) -> None:
    slow.run("--output", "results", "--junit", "mine.xml")

    assert sorted(path.name for path in (slow.folder / "results").iterdir()) == [
        "record.json",
        "session.html",
        "summary.md",
    ]
    assert slow.read("mine.xml")


def test_the_ci_profile_keeps_everything(slow: Project) -> None:
    slow.run("--config", "ci")

    assert {"record.json", "junit.xml"} <= {path.name for path in (slow.folder / "wfrun-results").iterdir()}


def test_a_file_in_the_place_of_the_folder_is_refused(slow: Project) -> None:
    ran = slow.run("--output", "suites/suite_a.py")

    assert (ran.code, ran.out) == (2, "")
    assert "--output suites/suite_a.py: this is a file; name a folder" in ran.err
