"""What the options of a session do, seen from outside: which cases run, how often, where, and what is told of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

MIXED: Final = """
@suite.case("First is fine", kinds=("unit",))
def first(context):
    context.count(3)
    context.note("drawn", context.random.random())
    print("printed by first")

@suite.case("Second fails", tags=("red",))
def second():
    print("printed by second")
    left, right = [1, 2], [1, 3]
    assert left == right

@suite.case("Third is skipped")
def third(context): context.skip("no third today")

@suite.benchmark("Fourth is measured")
def fourth(): pass
"""

MEETING: Final = """
@suite.case()
async def meets_the_other():
    open("{here}", "w").close()
    while not os.path.exists("{there}"):
        await asyncio.sleep(0.01)
"""


@pytest.fixture
def mixed(project: Project) -> Project:
    return project.write({"suites/suite_mixed.py": MIXED})


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - wfrun wrote it a moment ago


def test_a_session_tells_each_case_and_how_to_run_a_failed_one_again(mixed: Project) -> None:
    ran = mixed.run("--seed", "5")

    assert ran.code == 1
    assert ran.err == ""
    assert "3 of 4 cases · 1 worker · seed 5" in ran.out
    assert "PASS  Things · First is fine" in ran.out
    assert "SKIP  Things · Third is skipped" in ran.out
    assert "assert left == right" in ran.out
    assert "[1, 2]" in ran.out
    assert "| printed by second" in ran.out
    assert "printed by first" not in ran.out
    assert "wfrun suites/suite_mixed.py --case mixed::second --seed 5" in ran.out
    assert "1 failed · 1 passed · 1 skipped · 1 not selected" in ran.out
    assert "\x1b" not in ran.out


def test_quiet_tells_failures_and_the_counts_only(mixed: Project) -> None:
    out = mixed.run("-q").out

    assert "FAIL  Things · Second fails" in out
    assert "1 failed · 1 passed · 1 skipped" in out
    assert "First is fine" not in out
    assert "Third is skipped" not in out


def test_verbose_tells_what_passed_cases_printed_noted_and_counted(mixed: Project) -> None:
    out = mixed.run("-v", "--unit").out

    assert "3 items" in out
    assert "drawn: 0." in out
    assert "| printed by first" in out


def test_a_seed_brings_the_same_numbers_back(mixed: Project) -> None:
    drawn = []
    for seed in ("7", "7", "8"):
        mixed.run("--unit", "--seed", seed, "--json", "record.json")
        drawn.append(mixed.json("record.json")["outcomes"][0]["notes"]["drawn"])

    assert drawn[0] == drawn[1] != drawn[2]


def test_fail_fast_stops_after_the_first_failure(project: Project) -> None:
    project.write(
        {
            "suites/suite_a.py": "@suite.case()\ndef red(): assert False\n@suite.case()\ndef later(): pass\n",
            "suites/suite_b.py": "@suite.case()\ndef much_later(): pass\n",
        }
    )

    ran = project.run("-x", "--workers", "1", "--junit", "out.xml")

    assert ran.code == 1
    assert "1 failed · 2 not run" in ran.out
    assert "Traceback" not in ran.err
    assert parsed(project.read("out.xml")).attrib["skipped"] == "2"


def test_the_time_limit_is_the_cases_own_or_else_the_sessions(project: Project) -> None:
    project.write(
        {
            "suites/suite_a.py": "@suite.case(timeout_s=20)\nasync def patient(): await asyncio.sleep(2.0)\n"
            "@suite.case()\nasync def hurried(): await asyncio.sleep(20)\n"
        }
    )

    ran = project.run("--timeout", "1500ms")

    assert ran.code == 1
    assert "PASS  Things · Patient" in ran.out
    assert "still running after 1.5 s" in ran.out


def test_workers_run_suites_side_by_side(project: Project) -> None:
    project.write(
        {
            "suites/suite_a.py": MEETING.format(here="a", there="b"),
            "suites/suite_b.py": MEETING.format(here="b", there="a"),
        }
    )

    ran = project.run("--workers", "2", "--timeout", "20s")

    assert ran.code == 0
    assert "2 passed" in ran.out


def test_junit_has_every_case_with_its_result(mixed: Project) -> None:
    assert mixed.run("--junit", "results/out.xml").code == 1

    root = parsed(mixed.read("results/out.xml"))
    cases = {case.attrib["name"]: case for case in root.iter("testcase")}
    assert {name: [child.tag for child in case if child.tag != "properties"] for name, case in cases.items()} == {
        "First is fine": ["system-out"],
        "Second fails": ["failure", "system-out"],
        "Third is skipped": ["skipped"],
    }
    assert (root.attrib["tests"], root.attrib["failures"], root.attrib["skipped"]) == ("3", "1", "1")


def test_json_on_standard_output_is_the_record_and_nothing_else(mixed: Project) -> None:
    ran = mixed.run("--json", "-")

    record = json.loads(ran.out)
    assert ran.code == 1
    assert "1 failed · 1 passed · 1 skipped" in ran.err
    assert (record["format"], record["schema_version"]) == ("wfrun-session", 1)
    assert (record["discovered"], record["planned"], record["interrupted"]) == (4, 3, False)
    assert [outcome["status"] for outcome in record["outcomes"]] == ["passed", "failed", "skipped"]
    assert record == mixed.json(".wfrun/last-session.json")


def test_the_list_names_cases_of_every_kind_and_runs_none(mixed: Project) -> None:
    ran = mixed.run("list")

    assert ran.code == 0
    assert "Things  suites/suite_mixed.py" in ran.out
    assert "Fourth is measured  performance  mixed::fourth" in ran.out
    assert "4 cases in 1 suite" in ran.out
    assert not (mixed.folder / ".wfrun" / "last-session.json").exists()


def test_the_list_as_json_has_what_a_program_needs(mixed: Project) -> None:
    ran = mixed.run("list", "--json", "--tag", "red")

    listing = json.loads(ran.out)
    assert ran.code == 0
    assert listing["load_failures"] == []
    assert [(case["id"], case["title"], case["kinds"]) for case in listing["cases"]] == [
        ("mixed::second", "Second fails", ["e2e"])
    ]


def test_a_first_suite_is_written_once_and_passes(project: Project) -> None:
    written, ran, again = project.run("init"), project.run(), project.run("init")

    assert (written.code, ran.code, again.code) == (0, 0, 2)
    assert "suites/suite_first.py" in written.out
    assert "3 passed · 1 not selected" in ran.out
    assert "exists already and stays as it is" in again.err


def test_an_empty_folder_has_the_suites_that_come_with_wfrun(project: Project) -> None:
    ran = project.run("list")

    assert ran.code == 0
    assert "There is no ./suites here; these are the suites that come with wfrun." in ran.out
    assert "complete_workflows/" in ran.out


def test_an_empty_folder_runs_them(project: Project) -> None:
    ran = project.run("--pattern", "policy=fail-fast")

    assert ran.code == 0
    assert "PASS  " in ran.out
    assert "1 passed" in ran.out
    assert "the suites that come with wfrun" in ran.text


def test_a_case_has_one_id_however_it_is_reached(mixed: Project) -> None:
    ids = [
        [case["id"] for case in json.loads(mixed.run("list", "--json", path).out)["cases"]]
        for path in (".", str(mixed.folder / "suites" / "suite_mixed.py"))
    ]

    assert ids[0] == ["mixed::first", "mixed::second", "mixed::third", "mixed::fourth"]
    assert all(each == ids[0] for each in ids)


def test_a_budget_is_how_long_a_measured_case_is_sampled(project: Project) -> None:
    case = '@suite.case(kinds=["performance"])\ndef short() -> None:\n    time.sleep(0.001)\n'
    project.write({"suites/suite_a.py": case})

    ran = project.run("--performance", "--budget", "0.16s", "--json", "record.json")

    assert ran.code == 0, ran.text
    record = project.json("record.json")
    assert record["protocol"]["sampling_s"] == 0.02
    (outcome,) = record["outcomes"]
    repetitions = [len(process) for process in outcome["measurements"]["metrics"]["wall_time_ns"]["samples"]]
    assert len(repetitions) == record["protocol"]["generations"]
    # 0.02 s hold at most so many; with the usual 0.3 s there would be two hundred.
    assert all(3 <= count <= 20 for count in repetitions)
