"""What a suite declares of its cases decides how they run and what is told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project, Ran

REASONS: Final = """
@suite.case("Of the past", skip="the old form is gone")
def past(): os._exit(1)

@suite.case("Elsewhere", skip_if=(True, "needs a printer"))
def elsewhere(): os._exit(1)

@suite.case("Here", skip_if=(False, "needs a printer"))
def here(): pass

@suite.case("Known", expected_failure="rounds the wrong way")
def known(): assert round(2.5) == 3

@suite.case("Mended", expected_failure="was slow")
def mended(): pass

@suite.benchmark("Not measured", skip="no machine for it")
def not_measured(): os._exit(1)
"""


@pytest.fixture(scope="module")
def reasons(module_project: Project) -> Ran:
    module_project.write({"suites/suite_reasons.py": REASONS})
    return module_project.run("--json", "record.json", "--junit", "junit.xml", "--e2e", "--performance")


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("past", "skipped", "the old form is gone"),
        ("elsewhere", "skipped", "needs a printer"),
        ("here", "passed", ""),
        ("known", "expected failure", "rounds the wrong way (assert round(2.5) == 3)"),
        ("mended", "failed", "unexpectedly passed; it was expected to fail: was slow"),
        ("not_measured", "skipped", "no machine for it"),
    ],
)
@pytest.mark.usefixtures("reasons")
def test_skips_and_expected_failures_are_told_with_their_reasons(
    module_project: Project, name: str, status: str, message: str
) -> None:
    outcomes: dict[str, Any] = {each["id"]: each for each in module_project.json("record.json")["outcomes"]}

    outcome = outcomes[f"reasons::{name}"]
    assert (outcome["status"], outcome["message"]) == (status, message)


def test_only_what_passed_against_expectation_fails_the_session(reasons: Ran) -> None:
    assert reasons.code == 1
    assert "1 failed · 1 passed · 3 skipped · 1 expected failure" in reasons.out


@pytest.mark.usefixtures("reasons")
def test_ci_sees_an_expected_failure_as_skipped(module_project: Project) -> None:
    root = ET.fromstring(module_project.read("junit.xml"))  # noqa: S314 - our own file
    found = {
        case.get("name"): [child.get("message") for child in case.findall("skipped")] for case in root.iter("testcase")
    }

    assert found["Known"] == ["expected failure: rounds the wrong way (assert round(2.5) == 3)"]
    assert found["Mended"] == []


def test_a_case_that_nears_its_time_out_is_named(project: Project) -> None:
    project.write({"suites/suite_slow.py": "@suite.case()\ndef slow(): time.sleep(0.8)\n"})

    near = project.run("--timeout", "1s")
    far = project.run("--timeout", "20s")

    assert near.code == far.code == 0
    assert "! slow::slow: took 80" in near.out
    assert "of the 1.00 s it may take" in near.out
    assert "may take" not in far.out


def test_an_unknown_tier_is_refused(project: Project) -> None:
    project.write(
        {
            "suites/suite_tiers.py": """
@suite.case(tier="sluggish")
def sluggish(): pass
"""
        }
    )

    ran = project.run()

    assert ran.code == 1
    assert "'sluggish' is no tier; tiers are fast, standard, slow, infrastructure" in ran.out


BESIDE: Final = """
def tell(text):
    with open("told", "a") as file:
        file.write(text)

@suite.case(parameters={"n": [1, 2, 3, 4, 5]}DECLARED)
def works(n):
    tell("(")
    time.sleep(0.02)
    tell(")")
"""


@pytest.mark.parametrize("declared", [', groups={"printer": 1}', ", exclusive=True"])
def test_cases_of_a_group_of_one_and_exclusive_ones_never_overlap(project: Project, declared: str) -> None:
    source = BESIDE.replace("DECLARED", declared)
    project.write({f"suites/suite_{name}.py": source for name in "abc"})

    ran = project.run("--workers", "3")

    assert ran.code == 0
    assert project.read("told") == "()" * 15


def test_other_cases_do_overlap(project: Project) -> None:
    source = BESIDE.replace("DECLARED", ', groups={"printer": 3}')
    project.write({f"suites/suite_{name}.py": source for name in "abc"})

    assert project.run("--workers", "3").code == 0
    assert "((" in project.read("told")
