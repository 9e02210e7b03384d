from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wfrun.runner.child.messages import LoadFailure, Status
from wfrun.runner.compare.verdicts import Verdict
from wfrun.runner.report.summary import counts_line, summary
from wfrun.runner.run.outcomes import Attempt, CapturedOutput

if TYPE_CHECKING:
    from tests.unit.runner.report.conftest import Make


def test_the_last_line_counts_bad_news_first(make: Make) -> None:
    story = make.story(
        make.outcome(case=make.case("A")),
        make.outcome(Status.SKIPPED, make.case("B")),
        make.outcome(Status.FAILED, make.case("C")),
        discovered=10,
    )

    line = counts_line(story).plain

    assert line == "1 failed · 1 passed · 1 skipped · 7 not selected · 1.50 s · seed 7"
    assert make.text(*summary(story)).splitlines()[-1] == line


def test_an_empty_session_says_that_no_case_ran(make: Make) -> None:
    assert make.text(*summary(make.story())).strip() == "no case ran · 1.50 s · seed 7"


def test_a_failure_shows_place_details_output_and_teardowns(make: Make) -> None:
    outcome = make.outcome(
        Status.FAILED,
        message="assert total == 100",
        details="Traceback (most recent call last):\n  assert total == 100\n  total = 99",
        output=CapturedOutput("counted\x1b[31m 99\x1b[0m\n"),
        unfinished_teardowns=("close_store",),
    )

    lines = make.text(*summary(make.story(outcome))).splitlines()

    assert lines[1:11] == [
        "FAIL  Load Testing · High-throughput workflow  (412 ms)",
        "      assert total == 100",
        "      suites/suite_load.py:12  load/suite_load::high_throughput_workflow",
        "      Traceback (most recent call last):",
        "        assert total == 100",
        "        total = 99",
        "      tear-down did not finish: close_store",
        "      captured output:",
        "      | counted 99",
        "      to run it again:",
    ]


def test_a_passed_case_whose_teardown_did_not_finish_is_told(make: Make) -> None:
    outcome = make.outcome(unfinished_teardowns=("close_store",))

    assert "tear-down did not finish: close_store" in make.text(*summary(make.story(outcome)))


def test_dropped_output_is_counted(make: Make) -> None:
    outcome = make.outcome(Status.FAILED, output=CapturedOutput("start end", dropped_bytes=100 * 2**20))

    text = make.text(*summary(make.story(outcome)))

    assert "captured output, 104,857,600 bytes (100 MiB) from its middle dropped:" in text


@pytest.mark.parametrize(("verbosity", "shown"), [(0, False), (1, True)])
def test_long_output_is_shown_whole_only_when_verbose(make: Make, verbosity: int, shown: bool) -> None:
    output = CapturedOutput("\n".join(f"line {number}" for number in range(1_000)))
    story = make.story(make.outcome(Status.FAILED, output=output))

    text = make.text(*summary(story, verbosity=verbosity))

    assert ("line 500" in text) is shown
    assert ("940 lines not shown" in text) is not shown


def test_markup_and_emoji_in_every_text_are_printed_as_they_are(make: Make) -> None:
    nasty = "[bold]x[/] :smile: 🚀"
    outcome = make.outcome(Status.FAILED, make.case(nasty), message=nasty, details=nasty, output=CapturedOutput(nasty))

    text = make.text(*summary(make.story(outcome, notes=(nasty,))), width=200)

    assert text.count(nasty) >= 5


def test_failures_beyond_forty_are_one_line_each(make: Make) -> None:
    outcomes = [make.outcome(Status.FAILED, make.case(f"Case {n}"), details=f"details of {n}") for n in range(60)]

    text = make.text(*summary(make.story(*outcomes)))

    assert "details of 39" in text
    assert "details of 40" not in text
    assert "and 20 more, told in one line each:" in text
    assert "Case 59" in text


def test_a_suite_that_did_not_load_shows_its_traceback(make: Make) -> None:
    failure = LoadFailure("/x/suite_a.py", "NameError: name 'nope' is not defined", "Traceback\n  line 3\nNameError")

    text = make.text(*summary(make.story(failures=(failure,))))

    assert "LOAD  /x/suite_a.py\n      NameError: name 'nope' is not defined\n      Traceback\n        line 3" in text
    assert text.splitlines()[-1].startswith("1 suite file did not load")


def test_cases_that_never_ran_are_counted(make: Make) -> None:
    story = make.story(make.outcome(), never_ran=(make.case("Other"),), interrupted=True)

    text = make.text(*summary(story))

    assert "1 passed · 1 not run" in text
    assert "interrupted" in text


def test_a_fault_of_wfrun_is_told_as_its_own(make: Make) -> None:
    assert "fault of wfrun itself" in make.text(*summary(make.story(faults=("case 'x' has two outcomes",))))


def test_a_failed_case_can_be_run_again_by_a_command(make: Make) -> None:
    outcome = make.outcome(Status.FAILED, make.case("It's 100 % done"))

    text = make.text(*summary(make.story(outcome)))

    command = """wfrun suites/suite_load.py --case 'load/suite_load::it'"'"'s_100_%_done' --seed 7"""
    assert f"      to run it again:\n        {command}\n" in text


def test_every_failure_has_its_command_and_all_together_one(make: Make) -> None:
    outcomes = [make.outcome(Status.FAILED, make.case(f"Case {n}")) for n in range(5)]

    text = make.text(*summary(make.story(*outcomes)))

    assert text.count("--seed 7\n") == 5
    assert "to run the 5 failed cases again: add --last-failed" in text


def test_a_flaky_case_is_told_apart_with_what_failed(make: Make) -> None:
    failed = Attempt(Status.FAILED, 0.1, "assert 1 == 2", "Traceback\n  of the first", CapturedOutput("printed first"))
    story = make.story(make.outcome(Status.FLAKY, attempts=(failed,)), make.outcome(case=make.case("Fine")))

    text = make.text(*summary(story))

    assert "FLAKY  Load Testing · High-throughput workflow  (412 ms)  passed at attempt 2" in text
    assert "attempt 1: failed  assert 1 == 2" in text
    assert "of the first" in text
    assert "| printed first" in text
    assert text.splitlines()[-1].startswith("1 passed · 1 flaky")


def test_an_interrupted_case_is_no_failure_to_run_again(make: Make) -> None:
    assert "--case" not in make.text(*summary(make.story(make.outcome(Status.INTERRUPTED), interrupted=True)))


def test_figures_and_comparison_stand_before_the_counts(make: Make) -> None:
    story = make.story(
        make.outcome(case=make.case("queue", measured=True)),
        record=make.record(("queue", {"wall_time_ns": ("ns", 1e6)})),
        comparison=make.comparison(make.metric(Verdict.REGRESSED)),
        notes=("wrote baselines/main.json",),
    )

    text = make.text(*summary(story))

    places = [text.index(each) for each in ("Measured", "Compared with", "wrote baselines", "1 passed")]
    assert places == sorted(places)
