"""Where the time of a session went, in numbers that add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.runner.report.stage_times import StageTimes
from wfrun.runner.report.stats import stats_lines

if TYPE_CHECKING:
    from tests.unit.runner.report.conftest import Make


def lines(make: Make, *durations_s: float, stages_s: dict[str, float] | None = None) -> list[str]:
    outcomes = [
        make.outcome(case=make.case(f"case {number}"), duration_s=took_s) for number, took_s in enumerate(durations_s)
    ]
    return [line.plain.rstrip() for line in stats_lines(make.story(*outcomes, stages_s=stages_s or {"run": 1.0}))]


def test_stages_have_their_share(make: Make) -> None:
    assert lines(make, stages_s={"discover": 0.25, "run": 0.75})[1:] == [
        "  discover     250 ms   25%  ████████",
        "  run          750 ms   75%  ███████████████████████",
    ]


def test_the_slowest_come_first_and_the_rest_is_counted(make: Make) -> None:
    told = lines(make, *[0.1] * 11, 2.0)
    slowest = told[told.index("The slowest cases") + 1 :]

    assert slowest[0] == "     2.00 s   65%  Load Testing · case 11"
    assert slowest[10] == "     200 ms    6%  the other 2 together"


def test_the_distribution_counts_every_case_once(make: Make) -> None:
    told = lines(make, 0.0005, 0.001, 0.5, 0.5, 0.5, 100.0)
    bars = told[told.index("How long cases took") + 1 :]

    assert bars[0].startswith("  < 1 ms ")
    assert [int(line.rstrip("█ ").split()[-1]) for line in bars[:-1]] == [1, 1, 0, 3, 0, 0, 1]
    assert bars[3].endswith("█" * 30)
    assert bars[-1] == "  p50 500 ms, p90 1 m 40 s, p99 1 m 40 s, longest 1 m 40 s"


def test_a_stage_that_is_entered_again_adds_up() -> None:
    now_s = iter([0.0, 1.0, 5.0, 7.0])
    times = StageTimes(lambda: next(now_s))

    for _ in range(2):
        with times.timing("run"):
            pass

    assert times.seconds["run"] == 3.0
    assert sum(times.seconds.values()) == 3.0
