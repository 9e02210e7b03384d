from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wfrun.runner.child.messages import LoadFailure, Status
from wfrun.runner.compare.verdicts import Verdict
from wfrun.runner.report.github import GitHub, annotation_lines
from wfrun.runner.run.outcomes import Attempt, CapturedOutput

if TYPE_CHECKING:
    from tests.unit.runner.report.conftest import Make

SUITE = str(Path.cwd() / "suites" / "suite_load.py")


def test_a_failure_stands_at_the_line_where_it_happened(make: Make) -> None:
    details = (
        f'Traceback\n  File "{SUITE}", line 14, in high\n  File "{SUITE}", line 31, in helper\n  File "/x.py", line 9'
    )
    outcome = make.outcome(Status.FAILED, message="assert 1 == 2", details=details)

    (line,) = annotation_lines(make.story(outcome), Path.cwd())

    head, _, message = line.removeprefix("::").partition("::")
    assert head == "error file=suites/suite_load.py,line=31,title=Load Testing · High-throughput workflow"
    assert message.startswith("assert 1 == 2%0Ato run it again: wfrun suites/suite_load.py --case load/")


def test_without_a_traceback_it_is_the_line_of_the_case(make: Make) -> None:
    (line,) = annotation_lines(make.story(make.outcome(Status.CRASHED, message="killed")), Path.cwd())

    assert "line=12,title=Load Testing · High-throughput workflow (crashed)" in line


def test_nothing_in_a_text_can_end_a_property_or_begin_a_command(make: Make) -> None:
    case = make.case("a,b:c%d::error::x\nnew")
    outcome = make.outcome(Status.FAILED, case, message="100 %\n::set-output name=x::y")

    (line,) = annotation_lines(make.story(outcome), Path.cwd())

    assert "\n" not in line
    assert "title=Load Testing · a%2Cb%3Ac%25d%3A%3Aerror%3A%3Ax new::100 %25%0A::set-output name=x::y%0A" in line


def test_flaky_cases_warn_and_load_failures_and_regressions_are_errors(make: Make) -> None:
    flaky = make.outcome(Status.FLAKY, attempts=(Attempt(Status.FAILED, 0.1, "late", "", CapturedOutput()),))
    failure = LoadFailure(SUITE, "NameError: x", f'  File "{SUITE}", line 3')
    story = make.story(flaky, failures=(failure,), comparison=make.comparison(make.metric(Verdict.REGRESSED)))

    lines = list(annotation_lines(story, Path.cwd()))

    assert [line.split()[0] for line in lines] == ["::error", "::warning", "::error"]
    assert lines[0] == "::error file=suites/suite_load.py,line=3,title=suite did not load::NameError%3A x".replace(
        "%3A x", ": x"
    )
    assert "wall_time_ns went from 1.00 ms to 1.20 ms: +20.0 %25 (between +15.0 %25 and +25.0 %25)" in lines[2]


def test_a_regression_stands_at_the_line_of_its_case(make: Make) -> None:
    outcome = make.outcome(case=make.case("Measured", measured=True))
    metric = make.metric(Verdict.REGRESSED, case_id=outcome.case.info.id)

    (line,) = annotation_lines(make.story(outcome, comparison=make.comparison(metric)), Path.cwd())

    assert line.startswith("::error file=suites/suite_load.py,line=12,title=regressed%3A Load Testing · High::")


def test_a_regression_that_is_not_to_fail_warns(make: Make) -> None:
    comparison = replace(make.comparison(make.metric(Verdict.REGRESSED)), fail_on=frozenset())

    (line,) = annotation_lines(make.story(comparison=comparison), Path.cwd())

    assert line.startswith("::warning title=regressed%3A ")


def test_a_flood_of_failures_is_counted(make: Make) -> None:
    outcomes = [make.outcome(Status.FAILED, make.case(f"Case {n}")) for n in range(60)]

    lines = list(annotation_lines(make.story(*outcomes), Path.cwd()))

    assert len(lines) == 51
    assert lines[-1] == "::notice title=wfrun::10 more are in the log"


def test_elsewhere_than_in_github_actions_there_is_no_step(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "part").mkdir()

    assert GitHub.around({}, tmp_path) is None
    assert GitHub.around({"GITHUB_ACTIONS": "true"}, tmp_path / "part") == GitHub(tmp_path, None)
    assert GitHub.around(
        {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": "/w", "GITHUB_STEP_SUMMARY": "/s"}, tmp_path
    ) == GitHub(Path("/w"), Path("/s"))
