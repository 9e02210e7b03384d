"""Spread between processes, plain and robust."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.stats.spread import relative_sd, robust_relative_sd

floors = st.lists(st.floats(min_value=1.0, max_value=1e9), min_size=2, max_size=12)


def test_spread_is_a_part_of_the_mean() -> None:
    assert relative_sd([90.0, 110.0]) == pytest.approx(0.1414, abs=1e-4)


@pytest.mark.parametrize("spread", [relative_sd, robust_relative_sd])
@pytest.mark.parametrize("values", [[], [5.0], [0.0, 0.0], [-1.0, -3.0]])
def test_spread_is_undefined_for_fewer_than_two_or_without_a_positive_middle(
    spread: object, values: list[float]
) -> None:
    assert callable(spread)
    assert spread(values) is None


@given(floors, st.floats(min_value=0.01, max_value=100))
def test_spread_does_not_depend_on_the_unit(values: list[float], factor: float) -> None:
    scaled = [value * factor for value in values]

    assert relative_sd(scaled) == pytest.approx(relative_sd(values), rel=1e-6, abs=1e-9)
    assert robust_relative_sd(scaled) == pytest.approx(robust_relative_sd(values), rel=1e-6, abs=1e-9)


def test_one_slow_process_does_not_raise_the_robust_spread() -> None:
    steady = [100.0, 101.0, 99.0, 100.5]

    robust, plain = robust_relative_sd([*steady, 160.0]), relative_sd([*steady, 160.0])

    assert robust is not None
    assert plain is not None
    assert robust < 0.02
    assert plain > 0.2
