"""What looks worse once is only suspected; what fresh pairs show as well is regressed."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from wfrun.runner.against.case import CasePairs, PairTaker
from wfrun.runner.against.looks import ERROR, FIRST, looks, most_pairs
from wfrun.runner.against.measuring import _settled
from wfrun.runner.against.pair import Half, Pair
from wfrun.runner.against.side import Side
from wfrun.runner.against.sides import Sides
from wfrun.runner.compare.verdicts import Verdict
from wfrun.runner.options import Limits
from wfrun.runner.plan.planned import PlannedCase
from wfrun.runner.run.stopping import StopControl
from wfrun.stats.signed_rank import fewest_pairs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.runner.conftest import Maker


@pytest.fixture
def planned(make: Maker) -> PlannedCase:
    return PlannedCase(make.info(), measured=True, seed=1, timeout_s=60.0)


@pytest.fixture
def taker(tmp_path: Path) -> PairTaker:
    return PairTaker(
        sides=Sides(Side("base", tmp_path, tmp_path), Side("changed", tmp_path, tmp_path)),
        limits=Limits(workers=1),
        budget_s=4.0,
        thresholds={"wall_time_ns": 3.0},
        cores=[0],
        chance=random.Random(1),
        stop=StopControl(lambda _: None, 5.0),
        listener=lambda _: None,
        on_fixture_failure=lambda _: None,
    )


def pair(ratio: float) -> Pair:
    halves = (Half(rows={"wall_time_ns": [1e6] * 5}), Half(rows={"wall_time_ns": [ratio * 1e6] * 5}))
    return Pair(halves, 0, 0.1)


def test_a_doubt_at_one_in_twenty_is_a_suspicion_and_no_verdict(taker: PairTaker, planned: PlannedCase) -> None:
    taken = CasePairs(planned, pairs=[pair(ratio) for ratio in (1.2, 1.15, 1.1, 1.12, 1.11, 1.13, 1.14, 1.16, 0.94)])

    taker._judge(taken, looks(40)[0].error)

    assert taken.decisions["wall_time_ns"].verdict is Verdict.INCONCLUSIVE
    assert "wall_time_ns" in taken.suspected


def test_pairs_that_agree_need_no_more(taker: PairTaker, planned: PlannedCase) -> None:
    first = CasePairs(planned, pairs=[pair(1.1 + number / 1000) for number in range(FIRST)])
    taker._judge(first, ERROR)
    again = replace(first)

    assert taker._decided(again, looks(FIRST), first)


def test_a_session_of_many_metrics_asks_for_enough_pairs_to_be_sure() -> None:
    error = ERROR / 50

    pairs = most_pairs(0.3, 0.1, error)

    assert all(fewest_pairs(look.error) <= look.pairs for look in looks(pairs, error)[-1:])
    assert most_pairs(4.0, 0.1) == 40


def test_regressed_is_what_was_suspected_and_shown(taker: PairTaker, planned: PlannedCase) -> None:
    taken = CasePairs(planned, pairs=[pair(1.1 + number / 1000) for number in range(20)])
    decision = taker.judged(taken.pairs)["wall_time_ns"]
    assert decision.verdict is Verdict.REGRESSED

    assert _settled(decision, suspected=True, shown=True) == decision
    for suspected, shown in ((True, False), (False, True), (False, False)):
        doubted = _settled(decision, suspected=suspected, shown=shown)
        assert doubted.verdict is Verdict.INCONCLUSIVE
        assert doubted.doubts
