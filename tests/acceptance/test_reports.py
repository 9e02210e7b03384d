"""Where people look: annotations, summaries and pages that a session writes for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.conftest import Project

SUITE: Final = """
@suite.case("It <fails>, 100 %", tags=("red",))
def fails():
    assert 1 == 2

@suite.case()
def fine(): pass
"""


@pytest.fixture
def red(project: Project) -> Project:
    return project.write({"suites/suite_red.py": SUITE, ".git/HEAD": ""})


def test_html_writes_a_page_of_its_own(red: Project) -> None:
    ran = red.run("--html", "out/page.html", "--seed", "3")

    page = red.read("out/page.html")
    assert ran.code == 1
    assert page.startswith("<!doctype html>")
    assert "It &lt;fails&gt;, 100 %" in page
    assert "wfrun suites/suite_red.py --case red::fails --seed 3" in page
    assert page.rstrip().endswith("</html>")


def test_markdown_writes_a_summary(red: Project) -> None:
    red.run("--markdown", "out.md")

    text = red.read("out.md")
    assert text.startswith("## ❌ wfrun: 1 failed · 1 passed")
    assert "It &lt;fails&gt;, 100 %" in text


def test_in_github_actions_failures_stand_at_their_lines_and_the_step_gets_a_summary(red: Project) -> None:
    (red.folder / "step.md").write_text("before\n")
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(red.folder / "step.md")}

    ran = red.run(env=env)
    elsewhere = red.run()

    # Four lines of imports stand before the suite's text.
    assert "::error file=suites/suite_red.py,line=7,title=Things · It <fails>%2C 100 %25::assert 1 == 2%0A" in ran.out
    assert red.read("step.md").startswith("before\n## ❌ wfrun: 1 failed")
    assert "::error" not in elsewhere.text


def test_paths_in_annotations_are_those_of_the_repository(red: Project, tmp_path: Path) -> None:
    env = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(tmp_path.parent)}

    assert f"::error file={tmp_path.name}/suites/suite_red.py,line=7" in red.run(env=env).out


def test_annotations_leave_standard_output_to_the_record(red: Project) -> None:
    ran = red.run("--json", "-", env={"GITHUB_ACTIONS": "true"})

    assert ran.out.startswith("{")
    assert "::error" in ran.err


def test_junit_tells_what_ci_systems_group_by(red: Project) -> None:
    red.run("--junit", "out.xml", "--seed", "3")

    suite = ET.fromstring(red.read("out.xml"))[0]  # noqa: S314 - wfrun wrote it a moment ago
    case = next(case for case in suite.iter("testcase") if case.get("name") == "It <fails>, 100 %")
    properties = {each.get("name"): each.get("value") for each in case.iter("property")}
    assert (suite.get("name"), suite.get("file")) == ("Things", "suites/suite_red.py")
    assert (case.get("classname"), case.get("file"), case.get("line")) == ("red", "suites/suite_red.py", "5")
    assert properties["tags"] == "red"
    assert properties["tier"]
    assert properties["seed"]
    assert properties["reproduce"] == "to run it again: wfrun suites/suite_red.py --case red::fails --seed 3"


def test_the_record_has_the_commands_that_make_failures_come_back(red: Project) -> None:
    red.run("--json", "out.json", "--seed", "3")

    commands = {outcome["id"]: outcome["reproduce"] for outcome in red.json("out.json")["outcomes"]}
    assert commands["red::fine"] == []
    assert [each["command"] for each in commands["red::fails"]] == [
        "wfrun suites/suite_red.py --case red::fails --seed 3"
    ]


def test_two_reports_cannot_share_a_file(red: Project) -> None:
    ran = red.run("--html", "same", "--markdown", "same")

    assert ran.code == 2
    assert "--html and --markdown both name same" in ran.err
