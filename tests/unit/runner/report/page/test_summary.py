"""The first sentence of a page is the one that matters, and the next says what to do."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wfrun.runner.child.messages import LoadFailure, Status
from wfrun.runner.compare.verdicts import Verdict
from wfrun.runner.options import FailOn
from wfrun.runner.report.page.summary import head, headline

if TYPE_CHECKING:
    from tests.unit.runner.report.conftest import Make
    from wfrun.runner.report.story import SessionStory


def said(story: SessionStory) -> tuple[str, str]:
    return headline(story).said, headline(story).tone


def steps(story: SessionStory) -> list[str]:
    return [re.sub("<.*?>", "", step) for step in re.findall("<li>(.*?)(?=<li>|</ul>)", "".join(head(story)))]


def test_all_is_well(make: Make) -> None:
    assert said(make.story(make.outcome())) == ("The one case passed", "good")
    assert said(make.story(make.outcome(), make.outcome(case=make.case("B")))) == ("All 2 cases passed", "good")


def test_what_did_not_fail_need_not_have_passed(make: Make) -> None:
    assert said(make.story(make.outcome(), make.outcome(Status.SKIPPED)))[0] == "None of 2 cases failed"


def test_failures_and_files_that_did_not_load_are_counted(make: Make) -> None:
    story = make.story(make.outcome(Status.CRASHED), make.outcome(), failures=(LoadFailure("/x/a.py", "no", ""),))

    assert said(story) == ("1 of 2 cases failed, 1 suite file did not load", "bad")


def test_one_regression_is_named_with_its_figure(make: Make) -> None:
    story = make.story(make.outcome(), comparison=make.comparison(make.metric(Verdict.REGRESSED)))

    assert said(story) == ("Load Testing · High: wall time +20.0 %", "bad")


def test_several_regressions_are_counted_by_case(make: Make) -> None:
    rows = [make.metric(Verdict.REGRESSED, case_id=case, metric=metric) for case in "ab" for metric in ("x_ns", "y_ns")]

    assert (
        said(make.story(make.outcome(), comparison=make.comparison(*rows)))[0] == "2 cases got worse than the baseline"
    )


def test_what_a_session_fails_for_is_bad_news_and_what_it_is_spared_a_doubt(make: Make) -> None:
    undecided = replace(make.comparison(make.metric(Verdict.INCONCLUSIVE)), fail_on=frozenset({FailOn.INCONCLUSIVE}))
    spared = replace(make.comparison(make.metric(Verdict.REGRESSED)), fail_on=frozenset())

    assert said(make.story(make.outcome(), comparison=undecided)) == ("Fails for 1 metric as --fail-on asks", "bad")
    assert said(make.story(make.outcome(), comparison=spared))[1] == "doubt"


def test_a_regression_of_advice_is_no_bad_news(make: Make) -> None:
    story = make.story(make.outcome(), comparison=make.comparison(make.metric(Verdict.REGRESSED, gates=False)))

    assert said(story)[1] == "good"


def test_what_could_not_be_decided_is_said(make: Make) -> None:
    undecided = make.metric(Verdict.INCONCLUSIVE, could_have_seen_percent=7.0)
    story = make.story(make.outcome(), comparison=make.comparison(undecided, make.metric()))

    assert said(story)[0] == "The one case passed, no regression shown, 1 metric undecided"
    assert any("could have shown 7.0 %" in step for step in steps(story))


def test_what_cannot_be_compared_is_not_called_the_same(make: Make) -> None:
    story = make.story(make.outcome(), comparison=make.comparison(make.metric(Verdict.NOT_COMPARABLE)))

    assert said(story)[0] == "The one case passed, nothing could be compared"


def test_an_interrupted_session_and_a_fault_come_before_everything(make: Make) -> None:
    begun = make.outcome(Status.INTERRUPTED, make.case("B"))
    story = make.story(make.outcome(Status.FAILED), begun, interrupted=True)

    assert said(story) == ("Interrupted: 1 of 2 cases came to an end", "doubt")
    faulty = replace(story, result=replace(story.result, faults=("lost a case",)))
    assert said(faulty) == ("wfrun contradicted itself: do not trust this session", "bad")


def test_the_command_that_runs_the_failure_again_is_the_first_step(make: Make) -> None:
    one = make.story(make.outcome(Status.FAILED))
    two = make.story(make.outcome(Status.FAILED), make.outcome(Status.FAILED, make.case("B")))

    assert steps(one)[0].startswith("Run the failed case again: wfrun suites/suite_load.py --case")
    assert steps(two)[0] == "Run the 2 failed cases again: wfrun --last-failed"


def test_what_got_worse_than_a_baseline_can_be_accepted_and_what_got_worse_than_a_tree_not(make: Make) -> None:
    comparison = make.comparison(make.metric(Verdict.REGRESSED, case_id="load::a[b=1]"))
    tree = replace(comparison, baseline_path=Path("main"), old_name="main")

    accept = "Or live with it: wfrun baseline accept &#x27;load::a[b=1]&#x27; --reason &#x27;…&#x27;"
    assert accept in steps(make.story(make.outcome(), comparison=comparison))
    assert not any("accept" in step for step in steps(make.story(make.outcome(), comparison=tree)))
