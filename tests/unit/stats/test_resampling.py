"""Intervals over processes: right about the arithmetic, honest about few processes, fast enough for a whole suite."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.stats.percentiles import pooled_floor
from wfrun.stats.resampling import _floors, compare_floors, estimate_floor

# Whole numbers make ties, which is where an order statistic goes wrong.
process = st.lists(st.integers(min_value=0, max_value=12).map(float), min_size=1, max_size=20)
processes = st.lists(process, min_size=1, max_size=6)
positive = st.lists(st.lists(st.floats(min_value=1.0, max_value=1e9), min_size=1, max_size=12), min_size=2, max_size=6)


def scattered(
    chance: random.Random, count: int = 5, *, scale: float = 1.0, bias: float = 0.025, slow: float = 0.0
) -> list[list[float]]:
    made = []
    for _ in range(count):
        own = scale * (1 + chance.gauss(0, bias)) * (1.6 if chance.random() < slow else 1.0)
        made.append([own * (1 + chance.expovariate(16)) for _ in range(60)])
    return made


@given(processes, st.integers(min_value=0, max_value=2**32 - 1), st.sampled_from([0.05, 0.95, 0.5]))
def test_every_draw_has_the_quantile_of_its_samples_as_often_as_drawn(
    samples: list[list[float]], seed: int, quantile: float
) -> None:
    count = len(samples)
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=4)

    found = _floors([np.asarray(process) for process in samples], draws, quantile)

    for draw, floor in zip(draws, found, strict=True):
        drawn = [s for process, times in zip(samples, draw, strict=True) for s in process * int(times)]
        assert floor == pytest.approx(np.percentile(drawn, quantile * 100))


@given(processes, st.sampled_from(["lower", "higher"]))
def test_an_estimate_is_the_pooled_floor_within_its_interval(samples: list[list[float]], better: str) -> None:
    assert better in ("lower", "higher")
    estimate = estimate_floor(samples, "lower" if better == "lower" else "higher")

    assert estimate.floor == pytest.approx(pooled_floor(samples, "lower" if better == "lower" else "higher"))
    if estimate.interval is not None:
        assert estimate.interval[0] <= estimate.floor <= estimate.interval[1]


@given(positive, positive)
def test_a_ratio_lies_within_its_interval(old: list[list[float]], new: list[list[float]]) -> None:
    compared = compare_floors(old, new, "lower")

    assert compared.ratio == pytest.approx(compared.new / compared.old)
    assert compared.ratio is not None
    assert compared.interval is not None
    assert compared.interval[0] <= compared.ratio <= compared.interval[1]


@given(positive, st.integers(min_value=0, max_value=99))
def test_the_same_input_and_seed_give_the_same_answer(samples: list[list[float]], seed: int) -> None:
    assert compare_floors(samples, samples, "lower", seed=seed) == compare_floors(samples, samples, "lower", seed=seed)


@given(positive, st.floats(min_value=0.25, max_value=4.0))
def test_scaling_a_side_scales_the_ratio(samples: list[list[float]], factor: float) -> None:
    scaled = [[sample * factor for sample in process] for process in samples]

    assert compare_floors(samples, scaled, "lower").ratio == pytest.approx(factor)


def test_one_process_has_no_interval() -> None:
    assert estimate_floor([[1.0, 2.0]], "lower").interval is None
    assert compare_floors([[1.0, 2.0]], [[1.0], [2.0]], "lower").interval is None


def test_processes_without_samples_do_not_count() -> None:
    assert estimate_floor([[1.0, 2.0], []], "lower").interval is None
    with pytest.raises(ValueError, match="no process has a sample"):
        estimate_floor([[], []], "lower")


def test_constant_samples_have_a_point_for_an_interval() -> None:
    compared = compare_floors([[4.0] * 3] * 5, [[6.0] * 3] * 5, "lower")

    assert (compared.ratio, compared.interval) == (1.5, (1.5, 1.5))


def test_a_zero_floor_has_a_difference_but_no_ratio() -> None:
    compared = compare_floors([[0.0]] * 5, [[3.0]] * 5, "lower")

    assert (compared.ratio, compared.interval, compared.difference_interval) == (None, None, (3.0, 3.0))


def test_more_samples_of_the_same_processes_are_no_more_evidence() -> None:
    """Resampling samples instead of processes would shrink the interval by a third."""
    few = scattered(random.Random(3))
    many = [process * 2 for process in few]

    narrow, wide = (compare_floors(side, side, "lower").interval for side in (many, few))

    assert narrow is not None
    assert wide is not None
    assert narrow[1] - narrow[0] == pytest.approx(wide[1] - wide[0], rel=0.15)


@pytest.mark.parametrize("count", [3, 5, 9])
@pytest.mark.parametrize("slow", [0.0, 0.1])
def test_the_interval_misses_the_truth_in_at_most_three_of_a_hundred(count: int, slow: float) -> None:
    """A plain bootstrap over six processes misses in 7 to 11; with 3 of 300 expected, more than 9 is no accident."""
    chance = random.Random(count)
    missed = 0
    for _ in range(300):
        old, new = scattered(chance, count, slow=slow), scattered(chance, count, slow=slow)
        interval = compare_floors(old, new, "lower").interval
        assert interval is not None
        missed += not interval[0] <= 1.0 <= interval[1]

    assert missed <= 9


def test_a_tenth_is_seen_between_five_steady_processes() -> None:
    chance = random.Random(11)
    found = 0
    for _ in range(50):
        interval = compare_floors(
            scattered(chance, bias=0.01), scattered(chance, scale=1.1, bias=0.01), "lower"
        ).interval
        found += interval is not None and interval[0] > 1.0

    assert found >= 48


def test_a_hundred_cases_of_eight_metrics_are_compared_in_two_seconds() -> None:
    chance = random.Random(5)
    old = [[chance.random() + 1 for _ in range(200)] for _ in range(5)]
    new = [[chance.random() + 1 for _ in range(200)] for _ in range(5)]
    compare_floors(old, new, "lower")
    started = time.process_time()

    for _ in range(800):
        compare_floors(old, new, "lower")

    assert time.process_time() - started < 2.0
