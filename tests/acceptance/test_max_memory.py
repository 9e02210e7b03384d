"""``--max-memory``: a case that takes more is ended, with its figures, and nobody else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.acceptance.conftest import Project, Ran

HUNGRY: Final = """
@suite.case()
def takes_more_and_more():
    taken = []
    while True:
        taken.append(bytearray(b"x") * 2**22)
        time.sleep(0.005)

@suite.case()
def after(): pass

@suite.case()
def lets_a_child_take_it():
    program = "import time; taken = bytearray(b'x') * 2**28; time.sleep(1000)"
    subprocess.run([sys.executable, "-c", program])

@suite.case()
def reserves_without_using():
    import mmap
    mmap.mmap(-1, 2**30)
    time.sleep(0.1)

@suite.case(own_process=True)
def takes_it_alone():
    taken = bytearray(b"x") * 2**28
    time.sleep(1000)
"""


@pytest.fixture(scope="module")
def session(module_project: Project) -> tuple[Ran, Mapping[str, Any]]:
    module_project.write({"suites/suite_hungry.py": HUNGRY})
    ran = module_project.run("--json", "record.json", "--max-memory", "200MB", "--timeout", "30s")
    return ran, module_project.json("record.json")


@pytest.fixture(scope="module")
def outcomes(session: tuple[Ran, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {outcome["id"].partition("::")[2]: outcome for outcome in session[1]["outcomes"]}


@pytest.mark.parametrize("name", ["takes_more_and_more", "takes_it_alone"])
def test_a_case_that_takes_more_is_ended_with_its_figures(outcomes: Mapping[str, Any], name: str) -> None:
    assert outcomes[name]["status"] == "crashed"
    assert re.fullmatch(r"used \d\d\d MB, the limit is 200 MB \(--max-memory\)", outcomes[name]["message"])


def test_it_says_where_the_case_was(outcomes: Mapping[str, Any]) -> None:
    assert "in takes_more_and_more" in outcomes["takes_more_and_more"]["details"]


def test_what_a_child_takes_counts_and_the_child_is_named(outcomes: Mapping[str, Any]) -> None:
    message = outcomes["lets_a_child_take_it"]["message"]

    assert re.fullmatch(
        r"used \d\d\d MB, the limit is 200 MB \(--max-memory\); \d\d\d MB of it in its child \d+", message
    )


@pytest.mark.parametrize("name", ["after", "reserves_without_using"])
def test_others_are_unharmed(outcomes: Mapping[str, Any], name: str) -> None:
    assert outcomes[name]["status"] == "passed"


def test_without_the_option_there_is_no_limit(project: Project) -> None:
    body = "@suite.case()\ndef takes(): \n    taken = bytearray(b'x') * 2**27\n    time.sleep(0.1)\n"
    project.write({"suites/suite_a.py": body})

    assert (project.run().code, project.run("--max-memory", "100MiB").code) == (0, 1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--max-memory", "much"), "--max-memory: 'much' is not an amount of bytes; write a number and one of"),
        (("--max-memory", "1kB"), "--max-memory '1kB' is less than an idle process takes; give at least 64.0 MiB"),
        (("--max-memory", "1GB", "--in-process"), "--max-memory ends the process of a case; with --in-process"),
    ],
)
def test_what_cannot_be_meant_is_refused(project: Project, words: tuple[str, ...], message: str) -> None:
    ran = project.write({"suites/suite_a.py": "@suite.case()\ndef one(): pass\n"}).run(*words)

    assert ran.code == 2
    assert message in ran.text
