"""Running cases more than once: what failed last, what fails now and then, and what passes at the second attempt."""

from __future__ import annotations

import json
import re
import signal
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.acceptance.conftest import Project

COUNTING: Final = """
def count(name):
    with open(name, "a") as file:
        file.write("x")
    return os.path.getsize(name)

@suite.case()
def fine(): count("fine.txt")

@suite.case()
def fails_at_first(): assert count("first.txt") > 1

@suite.case()
def fails_third(): assert count("third.txt") != 3
"""
TWO: Final = {
    "suites/suite_a.py": "@suite.case()\ndef good(): pass\n@suite.case()\ndef bad(): assert os.path.exists('fixed')\n",
    "suites/suite_b.py": "@suite.case()\ndef worse(): assert os.path.exists('fixed')\n",
}


@pytest.fixture
def counting(project: Project) -> Project:
    return project.write({"suites/suite_counting.py": COUNTING})


@pytest.fixture
def two(project: Project) -> Project:
    return project.write(TWO)


def finished(text: str) -> list[str]:
    return re.findall(r"^(?:PASS|FAIL)  Things · (.*?)  \(", text.partition("\n\n")[0], re.MULTILINE)


def test_last_failed_runs_what_failed_until_it_passes(two: Project) -> None:
    two.run()
    red = two.run("--last-failed", "--workers", "1")
    (two.folder / "fixed").touch()
    green = two.run("--last-failed")
    nothing = two.run("--last-failed")

    assert (red.code, green.code, nothing.code) == (1, 0, 4)
    assert finished(red.out) == ["Bad", "Worse"]
    assert "2 passed · 1 not selected" in green.out
    assert "no case that is looked for here failed when it last ran" in nothing.err


def test_a_session_says_nothing_of_cases_that_it_did_not_run(two: Project) -> None:
    two.run()
    (two.folder / "fixed").touch()
    two.run("suites/suite_b.py")

    assert finished(two.run("--last-failed").out) == ["Bad"]


def test_a_suite_that_did_not_load_counts_as_failed(two: Project) -> None:
    two.write({"suites/suite_b.py": "import nothing_like_this\n"})
    two.run("--case", "a::good")
    two.write(TWO)

    assert finished(two.run("--last-failed").out) == ["Worse"]


def test_failed_first_begins_with_what_failed(two: Project) -> None:
    two.run("suites/suite_b.py")

    first, plain = (two.run(*more, "--workers", "1") for more in (("--failed-first",), ()))

    assert finished(plain.out) == ["Good", "Bad", "Worse"]
    assert finished(first.out) == ["Worse", "Good", "Bad"]


def test_two_sessions_in_one_folder_keep_both_their_failures(project: Project) -> None:
    meeting = (
        "@suite.case()\ndef bad():\n    open('{0}', 'w').close()\n"
        "    while not os.path.exists('{1}'): time.sleep(0.01)\n    assert 1 == 2\n"
    )
    project.write({"suites/suite_a.py": meeting.format("a", "b"), "suites/suite_b.py": meeting.format("b", "a")})
    with project.start("suites/suite_a.py") as one:
        project.wait_for("stdout.txt")
        other = project.run("suites/suite_b.py")
        assert (one.end().code, other.code) == (1, 1)

    known = project.json(".wfrun/last-failures.json")

    assert set(known["failed"]) == {"a::bad", "b::bad"}


@pytest.mark.parametrize("damage", ["", "{", '{"failed": 3}', '{"schema_version": 99}', "\udcff\x00"])
def test_a_damaged_state_starts_anew_and_that_is_said_once(two: Project, damage: str) -> None:
    two.run()
    (two.folder / ".wfrun/last-failures.json").write_text(damage, errors="surrogateescape")

    first, second = two.run("--failed-first"), two.run("--failed-first")

    assert first.out.count("starts anew") == 1
    assert "starts anew" not in second.out
    assert (first.code, first.err) == (1, "")
    assert set(two.json(".wfrun/last-failures.json")["failed"]) == {"a::bad", "b::worse"}


def test_what_wfrun_keeps_is_hidden_from_git(two: Project) -> None:
    two.run()

    assert two.read(".wfrun/.gitignore").endswith("\n*\n")


def test_repeat_runs_each_case_that_often_and_accounts_for_each_turn(counting: Project) -> None:
    ran = counting.run("--repeat", "5", "--json", "out.json")

    assert ran.code == 1
    assert "FAIL  Things · Fails at first #1" in ran.out
    assert "FAIL  Things · Fails third #3" in ran.out
    assert "5 rounds: 2 of 3 cases failed" in ran.out
    assert "Things · Fails third: 1 of 5 turns, 20 %; at most 66 %, 95 % sure" in ran.out
    assert "2 failed · 13 passed" in ran.out
    turns = [(outcome["id"], outcome["turn"]) for outcome in counting.json("out.json")["outcomes"]]
    assert len(turns) == len(set(turns)) == 15


def test_green_repetitions_print_what_they_rule_out(counting: Project) -> None:
    ran = counting.run("--repeat", "30", "--case", "counting::fine")

    assert ran.code == 0
    assert (
        "30 rounds: 1 case, none failed; a case that fails in more than 9.5 % of its turns would have shown" in ran.out
    )


def test_rounds_without_a_seed_draw_on_seeds_of_their_own(project: Project) -> None:
    project.write({"suites/suite_a.py": "@suite.case()\ndef draws(context): context.note('drawn', context.seed)\n"})

    def drawn(*arguments: str) -> set[int]:
        project.run("--repeat", "4", "--json", "out.json", *arguments)
        return {outcome["notes"]["drawn"] for outcome in project.json("out.json")["outcomes"]}

    assert len(drawn()) == 4
    assert len(drawn("--seed", "1")) == 1


def test_until_failed_stops_at_the_first_failure(counting: Project) -> None:
    ran = counting.run("--until-failed", "--case", "counting::fine", "--case", "counting::fails_third")

    assert ran.code == 1
    assert "3 rounds: 1 of 2 cases failed" in ran.out
    assert "Fails third: 1 of 3 turns" in ran.out


def test_until_failed_ends_after_as_many_rounds_as_repeat_says(counting: Project) -> None:
    ran = counting.run("--until-failed", "--repeat", "4", "--case", "counting::fine")

    assert ran.code == 0
    assert len(counting.read("fine.txt")) == 4
    assert "4 rounds: 1 case, none failed" in ran.out


def test_until_failed_ends_with_ctrl_c_and_says_how_often_it_ran(counting: Project) -> None:
    with counting.start("--until-failed", "--case", "counting::fine") as started:
        started.said("round")
        started.signal(signal.SIGINT)
        ran = started.end()

    assert ran.code == 130
    assert re.search(r"rounds?: 1 case, none failed", ran.out)


def test_retries_tell_flaky_apart_from_passed_and_failed(counting: Project) -> None:
    ran = counting.run("--retries", "2", "--json", "out.json", "--junit", "out.xml")

    assert ran.code == 0
    assert "FLAKY  Things · Fails at first" in ran.out
    assert "passed at attempt 2" in ran.out
    assert "2 passed · 1 flaky" in ran.out
    outcomes = {outcome["id"]: outcome for outcome in counting.json("out.json")["outcomes"]}
    assert outcomes["counting::fails_at_first"]["status"] == "flaky"
    (attempt,) = outcomes["counting::fails_at_first"]["attempts"]
    assert attempt["status"] == "failed"
    assert outcomes["counting::fine"]["attempts"] == []
    assert "<flakyFailure " in counting.read("out.xml")


def test_a_case_that_fails_each_time_has_failed(project: Project) -> None:
    project.write({"suites/suite_a.py": "@suite.case()\ndef bad(): assert 1 == 2\n"})

    ran = project.run("--retries", "2", "--junit", "out.xml")

    assert ran.code == 1
    assert "failed 3 times" in ran.out
    assert project.read("out.xml").count("<rerunFailure ") == 2


def test_flaky_fail_makes_a_flaky_case_fail_the_session(counting: Project) -> None:
    ran = counting.run("--retries", "1", "--flaky", "fail", "--case", "counting::fails_at_first")

    assert ran.code == 1
    assert "1 flaky" in ran.out
    assert set(counting.json(".wfrun/last-failures.json")["failed"]) == {"counting::fails_at_first"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--repeat", "0"), "--repeat takes a whole number of at least 1"),
        (("--retries", "x"), "--retries takes a whole number of at least 0"),
        (("--retries", "1", "--flaky", "maybe"), "--flaky takes pass or fail, not 'maybe'"),
        (("--flaky", "fail"), "add --retries N"),
        (("--case", ""), "--case is given an empty id"),
    ],
)
def test_what_cannot_be_meant_is_refused(counting: Project, arguments: tuple[str, ...], said: str) -> None:
    ran = counting.run(*arguments)

    assert ran.code == 2
    assert said in ran.err


def test_measured_cases_are_neither_repeated_nor_tried_again(project: Project) -> None:
    project.write(
        {"suites/suite_a.py": "@suite.benchmark()\ndef bad(): assert 1 == 2\n@suite.case()\ndef good(): pass\n"}
    )

    ran = project.run("--performance", "--e2e", "--repeat", "3", "--retries", "2", "--json", "out.json")

    assert ran.code == 1
    assert "1 failed · 3 passed" in ran.out
    measured = [outcome for outcome in json.loads(project.read("out.json"))["outcomes"] if outcome["measured"]]
    assert [outcome["attempts"] for outcome in measured] == [[]]


def test_until_failed_does_not_go_on_for_ever_over_measured_cases(project: Project) -> None:
    project.write({"suites/suite_a.py": "@suite.benchmark()\ndef quick(): pass\n"})

    assert project.run("--performance", "--until-failed").code == 0


def test_each_shard_knows_its_own_failures(two: Project) -> None:
    two.run("--shard", "1/2")

    assert finished(two.run("--last-failed", "--shard", "1/2").out) == ["Bad"]
    assert two.run("--last-failed", "--shard", "2/2").code == 4
    assert two.run("--last-failed").code == 4
