"""Verdicts exclude each other by construction, and the fixed loop may only object."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfrun.runner.compare.judge import Limits, judge
from wfrun.runner.compare.verdicts import Verdict
from wfrun.stats.resampling import FloorsCompared

FIVE_PERCENT = Limits(0.05)


def floors(ratio: float, low: float, high: float, old: float = 100.0) -> FloorsCompared:
    return FloorsCompared(old, old * ratio, ratio, (low, high), (old * low - old, old * high - old))


@pytest.mark.parametrize(
    ("ratio", "low", "high", "verdict"),
    [
        (1.10, 1.04, 1.16, Verdict.REGRESSED),
        (1.05, 1.01, 1.09, Verdict.REGRESSED),
        (1.10, 0.99, 1.21, Verdict.INCONCLUSIVE),
        (1.04, 1.01, 1.07, Verdict.INCONCLUSIVE),
        (1.02, 1.01, 1.04, Verdict.SAME),
        (1.00, 0.96, 1.04, Verdict.SAME),
        (1.00, 0.90, 1.10, Verdict.INCONCLUSIVE),
        (0.90, 0.85, 0.95, Verdict.IMPROVED),
        (0.90, 0.79, 1.01, Verdict.INCONCLUSIVE),
    ],
)
def test_lower_is_better(ratio: float, low: float, high: float, verdict: Verdict) -> None:
    assert judge(floors(ratio, low, high), "lower", FIVE_PERCENT).verdict is verdict


@pytest.mark.parametrize(
    ("ratio", "low", "high", "verdict"),
    [
        (0.90, 0.85, 0.95, Verdict.REGRESSED),
        (1.10, 1.04, 1.16, Verdict.IMPROVED),
        (1.00, 0.97, 1.03, Verdict.SAME),
        (0.90, 0.80, 1.01, Verdict.INCONCLUSIVE),
    ],
)
def test_higher_is_better(ratio: float, low: float, high: float, verdict: Verdict) -> None:
    assert judge(floors(ratio, low, high), "higher", FIVE_PERCENT).verdict is verdict


bounds = st.floats(min_value=0.2, max_value=5.0)


@given(bounds, bounds, bounds, st.sampled_from(["lower", "higher"]), st.floats(min_value=0.0, max_value=1.0))
def test_the_verdict_agrees_with_its_definition(
    first: float, second: float, third: float, better: Literal["lower", "higher"], threshold: float
) -> None:
    low, ratio, high = sorted((first, second, third))
    worse = (ratio - 1, low - 1, high - 1) if better == "lower" else (1 - ratio, 1 - high, 1 - low)

    verdict = judge(floors(ratio, low, high), better, Limits(threshold)).verdict

    assert (verdict is Verdict.REGRESSED) == (worse[1] > 0 and worse[0] >= threshold)
    assert (verdict is Verdict.IMPROVED) == (worse[2] < 0 and -worse[0] >= threshold)
    if verdict is Verdict.SAME:
        assert max(abs(worse[1]), abs(worse[2])) <= threshold


def test_inconclusive_says_what_could_have_been_seen() -> None:
    judgement = judge(floors(1.03, 0.91, 1.10), "lower", FIVE_PERCENT)

    assert "only a change of 12.0 % or more" in judgement.warnings[0]
    assert judgement.could_have_seen_percent == pytest.approx(12.0)
    assert judge(floors(1.2, 1.1, 1.3), "lower", FIVE_PERCENT).could_have_seen_percent is None


def test_nothing_changed_at_all_is_the_same_even_at_no_threshold() -> None:
    assert judge(floors(1.0, 1.0, 1.0), "lower", Limits(0.0)).verdict is Verdict.SAME


def test_one_process_is_never_conclusive() -> None:
    judgement = judge(FloorsCompared(100.0, 200.0, 2.0, None, None), "lower", FIVE_PERCENT)

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "one process" in judgement.warnings[0]


def test_a_difference_below_the_slack_is_no_change_however_large_its_part() -> None:
    twice = floors(2.0, 1.9, 2.1, old=1000.0)

    assert judge(twice, "lower", Limits(0.15, slack=2000.0)).verdict is Verdict.SAME
    assert judge(twice, "lower", Limits(0.15, slack=500.0)).verdict is Verdict.REGRESSED


@pytest.mark.parametrize(
    ("old", "new", "interval", "verdict"),
    [
        (0.0, 0.0, (0.0, 0.0), Verdict.SAME),
        (0.0, 50.0, (50.0, 50.0), Verdict.REGRESSED),
        (0.0, 50.0, (-10.0, 90.0), Verdict.INCONCLUSIVE),
        (50.0, 0.0, (-60.0, -40.0), Verdict.IMPROVED),
        (1000.0, 1010.0, (5.0, 15.0), Verdict.SAME),
    ],
)
def test_where_a_side_may_be_zero_the_difference_is_judged(
    old: float, new: float, interval: tuple[float, float], verdict: Verdict
) -> None:
    compared = FloorsCompared(old, new, None, None, interval)

    assert judge(compared, "lower", FIVE_PERCENT).verdict is verdict


@pytest.mark.parametrize(
    ("ratio", "low", "high", "slowdown", "verdict"),
    [
        pytest.param(1.10, 1.06, 1.14, 1.10, Verdict.INCONCLUSIVE, id="only as slow as the machine"),
        pytest.param(1.50, 1.40, 1.60, 1.10, Verdict.REGRESSED, id="slower than the machine accounts for"),
        pytest.param(1.10, 1.06, 1.14, 1.03, Verdict.REGRESSED, id="the loop's own scatter"),
        pytest.param(1.10, 1.06, 1.14, 0.90, Verdict.REGRESSED, id="slower although the machine is faster"),
        pytest.param(0.90, 0.86, 0.94, 0.90, Verdict.INCONCLUSIVE, id="only as fast as the machine"),
        pytest.param(1.00, 0.98, 1.02, 0.85, Verdict.INCONCLUSIVE, id="the same on a faster machine hides a loss"),
        pytest.param(1.00, 0.98, 1.02, 1.15, Verdict.SAME, id="the same on a slower machine harms nobody"),
    ],
)
def test_a_verdict_must_hold_with_the_machines_speed_and_without(
    ratio: float, low: float, high: float, slowdown: float, verdict: Verdict
) -> None:
    judgement = judge(floors(ratio, low, high), "lower", FIVE_PERCENT, slowdown)

    assert judgement.verdict is verdict
    assert any("the machine was" in warning for warning in judgement.warnings) == (verdict is Verdict.INCONCLUSIVE)


def test_a_rate_that_fell_with_the_machine_is_not_red() -> None:
    assert judge(floors(0.9, 0.87, 0.93), "higher", FIVE_PERCENT, 1.12).verdict is Verdict.INCONCLUSIVE
