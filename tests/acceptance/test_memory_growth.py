"""Growth of memory over repetitions fails the case that causes it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

GROWS: Final = """
KEPT = []

def keep(): KEPT.append(bytearray(b"x") * 500_000)

@suite.case()
def grows(): keep()

@suite.case(allow_leaks=["memory"])
def may_grow(): keep()

@suite.case()
def makes_garbage():
    circle = [bytearray(b"x") * 500_000]
    circle.append(circle)

@suite.case()
def fills_a_cache():
    if len(KEPT) < 10: keep()

@suite.case()
def plain(): pass
"""


def test_memory_that_grows_with_each_repetition_fails_its_case_alone(project: Project) -> None:
    project.write({"suites/suite_memory.py": GROWS})

    ran = project.run("--repeat", "25", "--json", "record.json")

    failed = [each for each in project.json("record.json")["outcomes"] if each["status"] == "failed"]
    assert {each["id"] for each in failed} == {"memory::grows"}
    message = r"left behind: memory, \d+ KiB more with each of \d+ repetitions"
    assert all(re.fullmatch(message, each["message"]) for each in failed)
    assert ran.code == 1


def test_without_repetitions_nothing_is_said(project: Project) -> None:
    project.write({"suites/suite_memory.py": GROWS})

    assert project.run().code == 0
