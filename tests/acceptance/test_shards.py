"""Shards on several machines, and one record of them all."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

PASSING = "@suite.case()\ndef one(): print('said by one')\n@suite.case()\ndef two(): pass\n"


@pytest.fixture
def shards(project: Project) -> Project:
    """Three files, the last of them red, run as two shards."""
    red = "@suite.case()\ndef red(): assert False\n"
    project.write({"suites/suite_a.py": PASSING, "suites/suite_b.py": PASSING, "suites/suite_c.py": PASSING + red})
    for number in (1, 2):
        project.run("--shard", f"{number}/2", "--seed", "3", "--json", f"{number}.json")
    return project


def test_merged_records_end_and_tell_like_the_whole_session(shards: Project) -> None:
    whole = shards.run("--seed", "3", "--json", "whole.json", "--junit", "whole.xml", "-q")

    merged = shards.run("merge", "1.json", "2.json", "--json", "merged.json", "--junit", "merged.xml")

    assert merged.code == whole.code == 1
    assert "FAIL  Things · Red" in merged.out
    assert "1 failed · 6 passed" in merged.out
    kept = ("id", "status", "seed", "output")
    outcomes = [
        sorted([outcome[name] for name in kept] for outcome in shards.json(f"{record}.json")["outcomes"])
        for record in ("whole", "merged")
    ]
    assert outcomes[0] == outcomes[1]
    assert shards.json("merged.json")["exit_code"] == 1
    assert shards.json("merged.json")["shard"] is None
    names = [
        sorted((case.attrib["classname"], case.attrib["name"], case.find("failure") is not None) for case in root)
        for root in (
            ET.fromstring(shards.read(f"{name}.xml")).iter("testcase")  # noqa: S314 - wfrun wrote it a moment ago
            for name in ("whole", "merged")
        )
    ]
    assert names[0] == names[1]


def test_cases_that_were_repeated_are_merged_too(project: Project) -> None:
    project.write({"suites/suite_a.py": PASSING, "suites/suite_b.py": PASSING})
    for number in (1, 2):
        project.run("--shard", f"{number}/2", "--seed", "3", "--repeat", "2", "--json", f"{number}.json")

    merged = project.run("merge", "1.json", "2.json")

    assert merged.code == 0
    assert "8 passed" in merged.out


def test_what_failed_last_can_be_run_in_shards_and_merged(shards: Project) -> None:
    codes = [
        shards.run("--shard", f"{number}/2", "--seed", "3", "--last-failed", "--json", f"{number}.json").code
        for number in (1, 2)
    ]

    merged = shards.run("merge", "1.json", "2.json", "--json", "merged.json")

    assert 1 in codes
    assert merged.code == 1, merged.text
    assert "FAIL  Things · Red" in merged.out


def test_a_merged_record_can_be_merged_as_a_whole(shards: Project) -> None:
    shards.run("merge", "1.json", "2.json", "--json", "merged.json")

    assert shards.run("merge", "merged.json").code == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["1.json"], "of the 7 chosen cases are in none of the records; shard 2/2 is missing"),
        (["2.json", "whole.json"], "whole.json is no part of the same session as 2.json: it is shard of nothing"),
        (["1.json", "other.json"], "other.json is no part of the same session as 1.json: it is of another plan"),
        (["1.json", "copy.json", "2.json"], "is in 1.json and again in copy.json"),
        (["1.json", "suites/suite_a.py"], "suites/suite_a.py is not the record of a session"),
        (["gone.json"], "cannot read gone.json"),
        ([], "Missing argument 'RECORD...'"),
    ],
    ids=" ".join,
)
def test_what_does_not_belong_together_is_refused(shards: Project, arguments: list[str], message: str) -> None:
    shards.run("--seed", "3", "--json", "whole.json")
    shards.run("--seed", "3", "--json", "other.json", "--shard", "2/2", "--exclude", "red")
    shards.write({"copy.json": shards.read("1.json")})

    ran = shards.run("merge", *arguments, "--json", "merged.json")

    assert ran.code == 2
    assert message in ran.err
    assert "Traceback" not in ran.text
    assert shards.read("merged.json") == ""
