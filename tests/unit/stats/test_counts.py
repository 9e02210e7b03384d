"""Exact counts need no second process: equal passes make the interval a point, different ones a range."""

from __future__ import annotations

from wfrun.stats.counts import compare_counts


def test_equal_counts_leave_no_room() -> None:
    compared = compare_counts([[300, 300]], [[300, 300]], "lower")

    assert (compared.ratio, compared.interval) == (1.0, (1.0, 1.0))


def test_one_process_a_side_is_enough() -> None:
    compared = compare_counts([[300, 300]], [[330, 330]], "lower")

    assert compared.interval == (1.1, 1.1)


def test_passes_that_differ_widen_the_interval_by_their_range_at_each_end() -> None:
    compared = compare_counts([[100, 110]], [[120, 120]], "lower")

    assert compared.interval is not None
    assert compared.interval == (120 / 120, 120 / 90)


def test_from_nothing_only_the_difference_says_something() -> None:
    compared = compare_counts([[0.0]], [[1000.0]], "lower")

    assert compared.ratio is None
    assert compared.difference_interval == (1000.0, 1000.0)
