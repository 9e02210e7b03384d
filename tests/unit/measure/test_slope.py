"""A slope tells memory that grows with every repetition from caches that fill, and from chance."""

from __future__ import annotations

import random

from wfrun.measure.slope import steady_slope


def test_what_each_repetition_leaves_behind_is_found() -> None:
    slope = steady_slope([5000 + 1041 * number for number in range(24)])

    assert slope is not None
    assert (slope.bytes, slope.low_bytes, slope.high_bytes, slope.steady) == (1041, 1041, 1041, True)


def test_a_list_that_grows_in_leaps_is_steady_all_the_same() -> None:
    held = [1000 * number + 640 * (number // 8) for number in range(24)]

    slope = steady_slope(held)

    assert slope is not None
    assert slope.steady
    assert 1000 <= slope.bytes <= 1100


def test_a_cache_that_is_full_after_the_first_quarter_is_no_slope() -> None:
    slope = steady_slope([min(number, 5) * 10_000 for number in range(24)])

    assert slope is not None
    assert not slope.steady


def test_growth_that_happens_once_is_no_slope() -> None:
    slope = steady_slope([0] * 12 + [50_000] * 12)

    assert slope is not None
    assert not slope.steady


def test_chance_is_no_slope() -> None:
    chance = random.Random(7)

    slopes = [steady_slope([chance.randrange(500) for _ in range(24)]) for _ in range(200)]

    assert sum(slope is not None and slope.steady and slope.bytes >= 256 for slope in slopes) == 0


def test_a_few_repetitions_say_nothing() -> None:
    assert steady_slope([1, 2, 3]) is None
