"""Numbers as bars."""

from __future__ import annotations

from wfrun.runner.report.sparkline import sparkline


def test_the_least_is_the_lowest_bar_and_the_greatest_the_highest() -> None:
    assert sparkline([3.0, 1.0, 2.0, 8.0], 10) == "▃▁▂█"


def test_only_the_last_are_drawn() -> None:
    assert sparkline([9.0, 1.0, 2.0], 2) == "▁█"


def test_equal_values_lie_halfway_and_none_draw_nothing() -> None:
    assert sparkline([5.0, 5.0], 10) == "▅▅"
    assert sparkline([], 10) == ""
