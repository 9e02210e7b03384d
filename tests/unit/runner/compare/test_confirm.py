from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from wfrun.runner.compare.confirm import confirmed, confirmed_beside
from wfrun.runner.compare.verdicts import Comparison, MetricComparison, Verdict


def metric(case_id: str, verdict: Verdict, *, gates: bool = True, new: float = 2.0) -> MetricComparison:
    return MetricComparison(
        case_id=case_id,
        title=case_id,
        metric="wall_time_ns",
        unit="ns",
        better="lower",
        old=1.0,
        new=new,
        ratio=new,
        interval=(new, new),
        threshold_percent=5,
        gates=gates,
        verdict=verdict,
    )


def comparison(*metrics: MetricComparison) -> Comparison:
    return Comparison(Path("main.json"), metrics)


def test_what_regressed_twice_stays_regressed_with_its_first_figures() -> None:
    first = comparison(metric("a", Verdict.REGRESSED))

    assert confirmed(first, comparison(metric("a", Verdict.REGRESSED, new=3.0))) == first


def test_what_is_not_seen_again_takes_the_second_verdict_and_says_so() -> None:
    first = comparison(metric("a", Verdict.REGRESSED), metric("b", Verdict.SAME, new=1.0))

    judged = confirmed(first, comparison(metric("a", Verdict.SAME, new=1.0)))

    assert judged.regressed == ()
    assert judged.metrics[0].verdict is Verdict.SAME
    assert "not when measured again" in judged.metrics[0].warnings[-1]
    assert judged.metrics[1] == first.metrics[1]


def test_what_could_not_be_measured_again_stays_regressed() -> None:
    first = comparison(metric("a", Verdict.REGRESSED))

    assert confirmed(first, comparison()) == first


def test_advice_is_not_measured_again() -> None:
    first = comparison(metric("a", Verdict.REGRESSED, gates=False))

    assert confirmed(first, comparison(metric("a", Verdict.SAME))) == first


def test_what_pairs_with_the_commit_do_not_show_is_not_the_codes() -> None:
    first = comparison(metric("a", Verdict.REGRESSED), metric("b", Verdict.SAME, new=1.0))
    pairs = comparison(metric("a", Verdict.SAME, new=1.01), metric("b", Verdict.REGRESSED))

    judged, shown = confirmed_beside(first, pairs, "0123456789abcdef")

    assert judged.regressed == ()
    assert judged.metrics[0].ratio == 1.01
    assert "not beside its commit 0123456789," in judged.metrics[0].warnings[-1]
    assert judged.metrics[1] == first.metrics[1]
    assert shown == {("b", "wall_time_ns")}


def test_what_pairs_show_too_stays_and_needs_no_other_proof() -> None:
    first = comparison(metric("a", Verdict.REGRESSED))

    judged, shown = confirmed_beside(first, comparison(metric("a", Verdict.REGRESSED, new=3.0)), "0123456789")

    assert judged == first
    assert shown == {("a", "wall_time_ns")}
    assert confirmed(judged, comparison(metric("a", Verdict.SAME)), shown) == first


@pytest.mark.parametrize("verdict", [Verdict.NOT_COMPARABLE, Verdict.NEW, Verdict.MISSING])
def test_what_the_commit_cannot_run_is_left_to_be_measured_in_another_way(verdict: Verdict) -> None:
    first = comparison(metric("a", Verdict.REGRESSED))

    assert confirmed_beside(first, comparison(metric("a", verdict)), "0123456789") == (first, set())


def test_too_few_pairs_refute_nothing() -> None:
    first = comparison(metric("a", Verdict.REGRESSED))
    few = replace(metric("a", Verdict.INCONCLUSIVE), interval=None)

    assert confirmed_beside(first, comparison(few), "0123456789") == (first, set())


def test_pairs_do_not_refute_memory() -> None:
    first = comparison(replace(metric("a", Verdict.REGRESSED), metric="peak_rss_bytes"))
    pairs = comparison(replace(metric("a", Verdict.SAME), metric="peak_rss_bytes"))

    assert confirmed_beside(first, pairs, "0123456789") == (first, set())
