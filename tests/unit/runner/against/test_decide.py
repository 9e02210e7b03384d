"""Verdicts over pairs: exclusive by construction, and right at the edges."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.measure.metrics import METRICS
from wfrun.runner.against.decide import decide
from wfrun.runner.compare.verdicts import Verdict

TIME = METRICS["wall_time_ns"]
RATE = METRICS["throughput_per_s"]
MEMORY = METRICS["peak_rss_bytes"]
figures = st.lists(st.floats(min_value=1.0, max_value=1e9), min_size=1, max_size=20)


def near(value: float, count: int = 13, spread: float = 0.005, seed: int = 1) -> list[float]:
    chance = random.Random(seed)
    return [value * (1 + chance.gauss(0, spread)) for _ in range(count)]


@pytest.mark.parametrize(
    ("base", "changed", "verdict"),
    [
        (1000.0, 1000.0, Verdict.SAME),
        (1000.0, 1050.0, Verdict.REGRESSED),
        (1000.0, 950.0, Verdict.IMPROVED),
        (1000.0, 1015.0, Verdict.SAME),
    ],
)
def test_a_change_counts_from_the_threshold_on(base: float, changed: float, verdict: Verdict) -> None:
    found = decide(TIME, near(base), near(changed, seed=2), threshold_percent=3, error=0.01)

    assert found.verdict is verdict
    assert found.ratio == pytest.approx(changed / base, rel=0.01)


def test_the_worse_direction_is_the_metrics_own() -> None:
    slower = decide(RATE, near(1000.0), near(900.0, seed=2), threshold_percent=3, error=0.01)
    faster = decide(RATE, near(1000.0), near(1100.0, seed=2), threshold_percent=3, error=0.01)

    assert (slower.verdict, faster.verdict) == (Verdict.REGRESSED, Verdict.IMPROVED)


def test_what_scatters_is_inconclusive_and_says_what_it_could_have_seen() -> None:
    found = decide(TIME, near(1000.0, spread=0.2), near(1060.0, spread=0.2, seed=2), threshold_percent=3, error=0.01)

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.could_have_seen_percent is not None
    assert found.could_have_seen_percent > 3
    assert f"{found.could_have_seen_percent:.1f} % or more" in found.doubts[0]


def test_few_pairs_are_never_enough_for_a_verdict() -> None:
    found = decide(TIME, near(1000.0, 4), near(2000.0, 4), threshold_percent=3, error=0.01)

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.interval is None
    assert found.doubts == ("4 pairs of processes are too few for a verdict",)


@pytest.mark.parametrize("value", [0.0, -5.0, 7.0])
def test_constant_numbers_are_the_same(value: float) -> None:
    assert decide(TIME, [value] * 9, [value] * 9, threshold_percent=3, error=0.004).verdict is Verdict.SAME


def test_zero_and_negative_numbers_are_judged_by_their_difference() -> None:
    from_zero = decide(TIME, [0.0] * 9, [5.0] * 9, threshold_percent=3, error=0.004)
    from_negative = decide(TIME, [-5.0] * 9, [5.0 + n for n in range(9)], threshold_percent=3, error=0.004)

    assert from_zero.verdict is from_negative.verdict is Verdict.REGRESSED
    assert from_zero.ratio is None
    assert "difference" in from_zero.doubts[0]


def test_less_than_the_slack_is_no_change() -> None:
    found = decide(MEMORY, [100_000.0] * 9, [200_000.0] * 9, threshold_percent=15, error=0.004)

    assert found.verdict is Verdict.SAME


def test_a_thousandfold_is_a_number() -> None:
    found = decide(TIME, [1e-3] * 9, [1e9 + n for n in range(9)], threshold_percent=3, error=0.004)

    assert found.verdict is Verdict.REGRESSED
    assert found.ratio is not None
    assert 1000 < found.ratio < 2000


@given(figures, st.integers(min_value=0, max_value=2**32), st.floats(min_value=0.1, max_value=50))
def test_verdicts_exclude_one_another(base: list[float], seed: int, threshold: float) -> None:
    chance = random.Random(seed)
    changed = [value * chance.choice((0.9, 0.97, 1.0, 1.0, 1.03, 1.1)) for value in base]

    found = decide(TIME, base, changed, threshold_percent=threshold, error=0.01)

    assert found.ratio is not None
    if found.interval is not None:
        low, high = found.interval
        assert low <= found.ratio <= high
        limit = 1 + threshold / 100
        close = pytest.approx(limit), pytest.approx(1 / limit)
        if found.ratio not in close:
            assert (found.verdict is Verdict.REGRESSED) == (low > 1 and found.ratio >= limit)
            assert (found.verdict is Verdict.IMPROVED) == (high < 1 and found.ratio <= 1 / limit)


@given(figures)
def test_the_other_way_round_is_the_opposite(base: list[float]) -> None:
    changed = [value * 1.1 for value in base]
    opposite = {Verdict.REGRESSED: Verdict.IMPROVED, Verdict.IMPROVED: Verdict.REGRESSED}

    there = decide(TIME, base, changed, threshold_percent=3, error=0.01).verdict
    back = decide(TIME, changed, base, threshold_percent=3, error=0.01).verdict

    assert back is opposite.get(there, there)
