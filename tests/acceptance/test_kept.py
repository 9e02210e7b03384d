"""What a case says besides passing: checks that do not stop it, and what it attaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.acceptance.conftest import Project, Ran

SUITE: Final = r"""
from pathlib import Path

@suite.case()
async def checks(context):
    order = {"lines": 2, "paid": False}
    with context.check("lines"):
        assert order["lines"] == 3
    with context.check("paid"):
        assert order["paid"]
    with context.check():
        assert order
    context.note("went on", True)

@suite.case()
def checks_and_fails(context):
    with context.check("first"):
        assert 1 == 2
    raise ValueError("in the end")

@suite.case(expected_failure="known")
def one_check(context):
    with context.check("only"):
        assert 1 == 2

@suite.case()
def attaches(context):
    context.attach("log.txt", "line 1\nline 2\n")
    context.attach("../picture.png", b"\x89PNG\xff")
    long = context.folder / "dump"
    long.write_text("x" * (2 ** 20 + 5))
    context.attach("dump", Path(long))
"""


@pytest.fixture(scope="module")
def session(module_project: Project) -> tuple[Ran, Mapping[str, Any]]:
    module_project.write({"suites/suite_kept.py": SUITE})
    ran = module_project.run("--json", "record.json", "--output", "out", "--verbose")
    outcomes = {each["id"].partition("::")[2]: each for each in module_project.json("record.json")["outcomes"]}
    return ran, outcomes


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("checks", "failed", "2 failures: lines: assert order['lines'] == 3; paid: assert order['paid']"),
        ("checks_and_fails", "failed", "2 failures: first: assert 1 == 2; ValueError: in the end"),
        ("one_check", "expected failure", "known (only: assert 1 == 2)"),
    ],
)
def test_every_check_that_failed_is_told(session: tuple[Ran, Any], name: str, status: str, message: str) -> None:
    outcome = session[1][name]

    assert (outcome["status"], outcome["message"].replace('"', "'")) == (status, message)


def test_a_case_goes_on_after_a_check(session: tuple[Ran, Any]) -> None:
    assert session[1]["checks"]["notes"] == {"went on": True}
    assert "lines'] = 2" in session[1]["checks"]["details"].replace('"', "'")


def test_attachments_are_in_the_record_and_in_the_folder_of_the_session(
    session: tuple[Ran, Any], module_project: Project
) -> None:
    text, picture, dump = session[1]["attaches"]["attachments"]
    folder = module_project.folder / "out" / "attachments" / "kept-attaches"

    assert (text["name"], text["text"], text["base64"]) == ("log.txt", "line 1\nline 2\n", None)
    assert (picture["text"], picture["base64"]) == (None, "iVBOR/8=")
    assert (dump["size_bytes"], len(dump["text"])) == (2**20 + 5, 2**20)
    assert (folder / "log.txt").read_text() == "line 1\nline 2\n"
    assert (folder / "picture.png").read_bytes() == b"\x89PNG\xff"
    assert "attached: log.txt (14 B)" in session[0].out
    assert "3 attachments in out/attachments" in session[0].out
