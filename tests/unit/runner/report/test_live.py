from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from wfrun.runner.child.messages import Status
from wfrun.runner.report.console import ReportConsole, make_console
from wfrun.runner.report.live import AnimatedProgress, PlainProgress, make_progress
from wfrun.runner.run.events import (
    CaseFinished,
    CaseStarted,
    GenerationFinished,
    InterruptRequested,
    RunFinished,
    RunStarted,
)
from wfrun.runner.run.outcomes import CapturedOutput, Outcomes, RunResult

if TYPE_CHECKING:
    from rich.console import Console

    from tests.unit.runner.report.conftest import Make
    from wfrun.runner.run.events import RunEvent


def told(make: Make, *events: RunEvent, verbosity: int = 0) -> str:
    console = make.console()
    with PlainProgress(console, verbosity) as progress:
        for event in events:
            progress(event)
    return make.printed(console)


def test_a_finished_case_is_one_line(make: Make) -> None:
    assert told(make, CaseFinished(make.outcome())) == "PASS  Load Testing · High-throughput workflow  (412 ms)\n"


def test_a_failure_says_at_once_what_went_wrong(make: Make) -> None:
    event = CaseFinished(make.outcome(Status.FAILED, message="assert 3 == 4"))

    assert told(make, event) == "FAIL  Load Testing · High-throughput workflow  (412 ms)\n      assert 3 == 4\n"


def test_a_skipped_case_gives_its_reason_on_its_line(make: Make) -> None:
    event = CaseFinished(make.outcome(Status.SKIPPED, message="no anyio here", duration_s=0.0))

    assert told(make, event).splitlines()[0].endswith("no anyio here")


@pytest.mark.parametrize("title", ["[bold]loud[/bold]", "rocket 🚀 :smile:", "x" * 400])
def test_titles_are_printed_whole_and_as_they_are(make: Make, title: str) -> None:
    line = told(make, CaseFinished(make.outcome(case=make.case(title))))

    assert line == f"PASS  Load Testing · {title}  (412 ms)\n"


def test_the_heading_tells_selection_workers_and_seed(make: Make) -> None:
    event = RunStarted(make.plan(make.case(), discovered=40), workers=2)

    assert told(make, event).endswith("· 1 of 40 cases · 2 workers · seed 7\n")


def test_an_empty_plan_has_a_heading(make: Make) -> None:
    assert "0 cases" in told(make, RunStarted(make.plan(), workers=1), RunFinished(RunResult(Outcomes())))


def test_quiet_tells_failures_only(make: Make) -> None:
    printed = told(
        make,
        RunStarted(make.plan(make.case()), workers=2),
        CaseFinished(make.outcome()),
        CaseFinished(make.outcome(Status.CRASHED, message="killed by SIGKILL")),
        verbosity=-1,
    )

    assert printed.splitlines() == [
        "CRASH  Load Testing · High-throughput workflow  (412 ms)",
        "      killed by SIGKILL",
    ]


def test_verbose_tells_items_notes_and_output_of_passed_cases(make: Make) -> None:
    outcome = make.outcome(items=5, notes={"curve": [1, 2]}, output=CapturedOutput("hello\n[red]world\n"))

    printed = told(make, CaseFinished(outcome), verbosity=1)

    assert printed.splitlines()[1:] == [
        "      5 items",
        "      curve: [1, 2]",
        "      captured output:",
        "      | hello",
        "      | [red]world",
    ]


def test_verbose_tells_each_process_of_a_measured_case(make: Make) -> None:
    event = GenerationFinished(make.case(measured=True), done=2, planned=5)

    assert told(make, event, verbosity=1) == "      Load Testing · High-throughput workflow: process 2 of 5\n"
    assert told(make, event) == ""


def test_an_interrupt_says_what_another_one_does(make: Make) -> None:
    assert "tear-downs have 5.00 s" in told(make, InterruptRequested(times=1, grace_s=5.0))
    assert told(make, InterruptRequested(times=2, grace_s=5.0)) == "stopping at once\n"


def test_a_pipe_gets_plain_lines(make: Make) -> None:
    assert isinstance(make_progress(make.console(), 0), PlainProgress)


class Clockwork:
    """A clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class CountingConsole(ReportConsole):
    """Counts how often something is printed."""

    prints = 0

    def print(self, *objects: object, **settings: Any) -> None:
        self.prints += 1
        super().print(*objects, **settings)


def terminal() -> Console:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    return make_console(Terminal(), width=100, environment={"TERM": "xterm"})


def test_the_view_shows_running_cases_with_their_time_and_process(make: Make) -> None:
    clock = Clockwork()
    progress = AnimatedProgress(make.console(), monotonic=clock)
    first, second = make.case("First"), make.case("Second [bold]", measured=True)
    progress(RunStarted(make.plan(first, second, make.case("Third")), workers=2))
    progress(CaseStarted(first, worker=0))
    clock.now_s += 2
    progress(CaseStarted(second, worker=1))
    progress(GenerationFinished(second, done=1, planned=5))
    clock.now_s += 1

    lines = make.text(progress.view()).splitlines()

    assert lines[0] == "0 of 3 cases · 3.00 s"
    assert lines[1].split() == ["Load", "Testing", "·", "First", "3.00", "s"]
    assert lines[2].split() == ["Load", "Testing", "·", "Second", "[bold]", "1.00", "s", "process", "2", "of", "5"]


def test_the_view_counts_what_finished(make: Make) -> None:
    progress = AnimatedProgress(make.console(), monotonic=Clockwork())
    progress(RunStarted(make.plan(make.case("A"), make.case("B")), workers=2))
    progress(CaseFinished(make.outcome(Status.FAILED, make.case("A"))))

    assert "1 of 2 cases · 1 failed" in make.text(progress.view())


def test_many_running_cases_are_counted(make: Make) -> None:
    progress = AnimatedProgress(make.console(), monotonic=Clockwork())
    for number in range(20):
        progress(CaseStarted(make.case(f"Case {number}"), worker=number))

    assert "and 12 more" in make.text(progress.view())


def test_thousands_of_cases_are_printed_in_batches(make: Make) -> None:
    """Each print redraws the view, so that one for each case would make short cases wait for the terminal."""
    console = CountingConsole(file=io.StringIO(), width=100)
    with AnimatedProgress(console, monotonic=Clockwork()) as progress:
        for number in range(5_000):
            progress(CaseFinished(make.outcome(case=make.case(f"Case {number}"))))
        assert console.prints == 0

    assert console.prints == 1
    printed = make.printed(console)
    assert all(f"Case {number} " in printed for number in (0, 2_500, 4_999))


def test_the_terminal_is_left_as_it_was_when_the_session_breaks(make: Make) -> None:
    console = terminal()

    def break_down() -> None:
        with AnimatedProgress(console) as progress:
            progress(CaseFinished(make.outcome()))
            raise RuntimeError("our own bug")

    with pytest.raises(RuntimeError, match="our own bug"):
        break_down()

    printed = make.printed(console)
    assert printed.rindex("\x1b[?25h") > printed.rindex("\x1b[?25l")
    assert "High-throughput workflow" in printed
