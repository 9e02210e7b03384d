from __future__ import annotations

import json
import math
import random
from array import array
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.errors import UsageError
from wfrun.measure.histogram import Histogram, HistogramError

if TYPE_CHECKING:
    from collections.abc import Sequence

NUMBERS = st.lists(st.integers(0, 2**62) | st.integers(0, 10_000) | st.integers(10**6, 10**7))
MOST_ERROR = 0.0003


def histogram_of(numbers: Sequence[int]) -> Histogram:
    histogram = Histogram()
    histogram.record_all(numbers)
    return histogram


def merged(*parts: Histogram) -> Histogram:
    whole = Histogram()
    for part in parts:
        whole.merge(part)
    return whole


@given(NUMBERS.filter(bool), st.floats(0, 100) | st.sampled_from([0, 50, 90, 99, 99.9, 100]))
def test_a_percentile_is_within_0_03_percent_of_the_sorted_numbers(numbers: list[int], percent: float) -> None:
    rank = max(1, math.ceil(round(percent * len(numbers) / 100, 6)))
    truth = sorted(numbers)[rank - 1]

    assert abs(histogram_of(numbers).percentile(percent) - truth) <= MOST_ERROR * truth


@given(NUMBERS, NUMBERS, NUMBERS)
def test_merging_parts_in_any_grouping_equals_recording_everything(a: list[int], b: list[int], c: list[int]) -> None:
    first, second, third = histogram_of(a), histogram_of(b), histogram_of(c)
    everything = histogram_of(a + b + c)

    assert merged(merged(first, second), third) == everything
    assert merged(first, merged(second, third)) == everything
    assert merged(third, first, second) == everything
    assert merged(first, second, third).count == len(a + b + c)


@given(NUMBERS)
def test_pairs_survive_json(numbers: list[int]) -> None:
    histogram = histogram_of(numbers)

    restored = Histogram.from_pairs(json.loads(json.dumps(histogram.to_pairs())))

    assert restored == histogram
    assert restored.count == histogram.count


@given(NUMBERS.filter(bool), st.integers(1, 12), st.floats(0, 100))
def test_coarser_pairs_are_within_their_bits(numbers: list[int], leading_bits: int, percent: float) -> None:
    truth = histogram_of(numbers)

    coarse = Histogram.from_pairs(truth.to_pairs(leading_bits))

    assert (coarse.count, coarse.min, coarse.max) == (truth.count, truth.min, truth.max)
    exact = truth.percentile(percent)
    assert abs(coarse.percentile(percent) - exact) <= (2**-leading_bits + 2 * MOST_ERROR) * exact + 1


def test_eight_bits_keep_a_histogram_below_ten_kilobytes() -> None:
    latencies = [round(random.Random(number).lognormvariate(11, 0.6)) for number in range(20_000)]

    assert len(json.dumps(histogram_of(latencies).to_pairs(8), separators=(",", ":"))) < 10_000


@pytest.mark.parametrize("leading_bits", [0, 13])
def test_bits_a_histogram_does_not_have_are_refused(leading_bits: int) -> None:
    with pytest.raises(UsageError, match="leading bits"):
        Histogram().to_pairs(leading_bits)


@given(NUMBERS.filter(bool))
def test_the_two_ends_are_exact(numbers: list[int]) -> None:
    histogram = histogram_of(numbers)

    assert (histogram.min, histogram.max) == (min(numbers), max(numbers))
    assert (histogram.percentile(0), histogram.percentile(100)) == (min(numbers), max(numbers))


@given(st.lists(st.integers(0, 4095), min_size=1), st.floats(0, 100))
def test_numbers_below_4096_are_exact(numbers: list[int], percent: float) -> None:
    assert histogram_of(numbers).percentile(percent) in numbers


def test_numbers_beyond_one_chunk_are_all_counted() -> None:
    numbers = array("q", [random.Random(number).randrange(10**9) for number in range(20_000)])

    assert sum(times for _, times in histogram_of(numbers).to_pairs()[1:]) == 20_000


def test_99_9_percent_of_1000_numbers_is_the_999th() -> None:
    """99.9 has no exact binary form; rounding must not move the rank."""
    assert histogram_of(range(1, 1001)).percentile(99.9) == 999


def test_percentiles_come_in_the_order_asked_for() -> None:
    assert histogram_of(range(1, 101)).percentiles((99, 1, 50)) == [99, 1, 50]


def test_a_million_spread_numbers_stay_small() -> None:
    """Sparse buckets: three decades of latencies fit in a few thousand pairs."""
    assert len(histogram_of(range(10_000, 10_000_000, 10)).to_pairs()) < 24_000


def test_a_negative_number_is_refused_and_adds_nothing() -> None:
    histogram = Histogram()

    with pytest.raises(UsageError, match="not -1"):
        histogram.record_all([5, -1])
    assert histogram == Histogram()


def test_an_empty_histogram_refuses_percentiles() -> None:
    with pytest.raises(UsageError, match="empty"):
        Histogram().percentile(50)


@pytest.mark.parametrize("percent", [-0.1, 100.1, math.nan])
def test_a_percentile_outside_0_to_100_is_refused(percent: float) -> None:
    with pytest.raises(UsageError, match="0 to 100"):
        histogram_of([1]).percentile(percent)


@pytest.mark.parametrize(
    "pairs",
    [
        [[1, 2, 3]],
        [[1, 1], [1, 0]],
        [[1, 1], [-1, 1]],
        [[1, 9], [1, 1], [10, 1]],
        [[2, 9], [1, 1], [9, 1]],
        [[1, 1]],
        [[1.5, 2], [2, 1]],
        [["a", 1]],
    ],
)
def test_damaged_pairs_are_refused(pairs: list[list[int]]) -> None:
    with pytest.raises(HistogramError, match="take the file anew"):
        Histogram.from_pairs(pairs)


def test_merging_leaves_the_other_unchanged() -> None:
    other = histogram_of([1, 2])
    whole = merged(other)

    whole.record_all([3])

    assert other == histogram_of([1, 2])
