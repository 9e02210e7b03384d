"""The middle of paired differences: right about the arithmetic, and as often wrong as it says."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.stats.signed_rank import fewest_pairs, paired_shift

differences = st.lists(st.floats(min_value=-1e6, max_value=1e6, allow_nan=False), min_size=1, max_size=30)


@given(differences, st.sampled_from([0.5, 0.1, 0.01]))
def test_the_estimate_lies_in_its_interval(values: list[float], error: float) -> None:
    found = paired_shift(values, error)

    assert min(values) <= found.estimate <= max(values)
    if found.interval is not None:
        assert found.interval[0] <= found.estimate <= found.interval[1]
    assert (found.interval is None) == (len(values) < fewest_pairs(error))


@given(differences)
def test_the_other_side_first_turns_everything_round(values: list[float]) -> None:
    found, turned = paired_shift(values, 0.1), paired_shift([-value for value in values], 0.1)

    assert turned.estimate == pytest.approx(-found.estimate)
    if found.interval is not None:
        assert turned.interval == pytest.approx((-found.interval[1], -found.interval[0]))


def test_known_tables() -> None:
    # Two-sided critical values of the signed-rank test: 5 % at 6 pairs is a rank sum of 0, at 10 of 8, 1 % at 13 of 9.
    assert fewest_pairs(0.05) == 6
    assert fewest_pairs(0.004) == 9
    assert _outside(10, 0.05) == 8
    assert _outside(13, 0.01) == 9


def test_the_interval_misses_as_often_as_it_may_whatever_the_distribution() -> None:
    chance = random.Random(20)
    tries, missed = 4000, 0
    for _ in range(tries):
        # A process that is slow for its whole life, on either side; small bias otherwise.
        values = [
            chance.gauss(0, 0.02) + (chance.choice((-0.5, 0.5)) if chance.random() < 0.1 else 0.0) for _ in range(13)
        ]
        interval = paired_shift(values, 0.01).interval
        assert interval is not None
        missed += not interval[0] <= 0.0 <= interval[1]

    assert missed / tries < 0.0145  # 1 % and three standard deviations of so many tries


def test_one_slow_process_hardly_moves_it() -> None:
    even = [0.01, -0.01, 0.02, -0.02, 0.0, 0.005, -0.005, 0.01, -0.01, 0.0, 0.0, 0.0]

    assert abs(paired_shift([*even, 0.5], 0.01).estimate) < 0.01


def test_refused() -> None:
    with pytest.raises(ValueError, match="no pair"):
        paired_shift([], 0.01)
    with pytest.raises(ValueError, match="probability"):
        paired_shift([1.0], 1.0)


def _outside(pairs: int, error: float) -> int:
    # With differences 1, 2, 4, ... every mean is another number, so the place of the bound can be found.
    values = [2.0**power for power in range(pairs)]
    means = sorted((values[i] + values[j]) / 2 for i in range(pairs) for j in range(i, pairs))
    interval = paired_shift(values, error).interval
    assert interval is not None
    return means.index(interval[0])
