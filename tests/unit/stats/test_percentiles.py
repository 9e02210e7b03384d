"""The pooled floor lies where disturbances do not reach."""

from __future__ import annotations

import itertools
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.stats.percentiles import percentiles, pooled_floor

values = st.lists(st.floats(min_value=-1e12, max_value=1e12), min_size=1, max_size=60)


@given(values)
def test_the_50th_percentile_is_the_median(samples: list[float]) -> None:
    assert percentiles(samples, [50])[0] == pytest.approx(statistics.median(samples), rel=1e-9, abs=1e-3)


@given(values, st.lists(st.floats(min_value=0, max_value=100), min_size=2, max_size=6))
def test_percentiles_rise_and_stay_within_the_samples(samples: list[float], percents: list[float]) -> None:
    found = percentiles(samples, sorted(percents))

    assert all(low <= high + 1e-3 for low, high in itertools.pairwise(found))
    assert min(samples) <= found[0]
    assert found[-1] <= max(samples)


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentiles([], [50])


@given(st.lists(values, min_size=1, max_size=5))
def test_a_floor_does_not_depend_on_which_process_a_sample_came_from(processes: list[list[float]]) -> None:
    pooled = [sample for process in processes for sample in process]

    assert pooled_floor(processes, "lower") == pooled_floor([pooled], "lower")


@given(values)
def test_higher_is_better_mirrors_lower_is_better(samples: list[float]) -> None:
    mirrored = [-sample for sample in samples]

    assert pooled_floor([samples], "higher") == pytest.approx(-pooled_floor([mirrored], "lower"), rel=1e-9, abs=1e-3)


def test_a_process_that_is_slow_for_its_whole_life_does_not_move_the_floor() -> None:
    """Averaging the processes' own floors would report 112 here."""
    good = [100.0 + index % 10 for index in range(40)]
    slow = [sample * 1.6 for sample in good]

    assert pooled_floor([good, good, good, good, slow], "lower") == pytest.approx(100.0, rel=0.01)
