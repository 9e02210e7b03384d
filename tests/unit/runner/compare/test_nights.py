"""What a history says of one metric, in its own unit and direction."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from wfrun.runner.compare.nightly import FailOn, check_nights
from wfrun.runner.compare.nights import look_at
from wfrun.runner.record.history import Night, Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.unit.runner.conftest import Maker


@pytest.fixture
def series(make: Maker) -> Any:
    def of(values: Sequence[float], **facts: Any) -> Series:
        nights = tuple(
            Night(
                datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number),
                f"{number:040x}",
                dirty=False,
                value=value,
                interval=None,
                sessions=1,
                source_hash="a",
            )
            for number, value in enumerate(values)
        )
        plain: dict[str, Any] = {
            "case_id": "load::flow",
            "case": make.info(),
            "metric": "wall_time_ns",
            "unit": "ns",
            "better": "lower",
            "gates": True,
            "threshold_percent": 5.0,
            "slack": 0.0,
            "machine": "here",
            "nights": nights,
        }
        return Series(**(plain | facts))

    return of


def noisy(count: int, level: float = 1000.0, seed: int = 1) -> list[float]:
    chance = random.Random(seed)
    return [level * (1 + chance.gauss(0, 0.004)) for _ in range(count)]


@pytest.mark.parametrize(("better", "worse"), [("lower", True), ("higher", False)])
def test_which_way_is_worse_depends_on_the_metric(series: Any, better: str, worse: bool) -> None:
    (move,) = look_at(series([*noisy(30), *noisy(2, 1100.0)], better=better)).moves

    assert move.worse is worse
    assert move.old == pytest.approx(1000, rel=0.005)
    assert move.new == pytest.approx(1100, rel=0.01)
    assert (move.before.commit, move.since.commit) == (f"{29:040x}", f"{30:040x}")


def test_a_change_below_the_slack_is_none(series: Any) -> None:
    values = [*noisy(30), *noisy(5, 1050.0)]

    assert look_at(series(values, slack=200.0)).moves == ()
    assert len(look_at(series(values, slack=10.0)).moves) == 1


@pytest.mark.parametrize("level", [0.0, -50.0, 1e-300, 1e300])
def test_levels_of_every_size_are_looked_at(series: Any, level: float) -> None:
    look = look_at(series([level] * 20))

    assert look.moves == ()
    assert look.level == pytest.approx(level)
    assert look.band is not None
    assert look.band[0] <= level <= look.band[1]


def test_a_count_that_was_nothing_and_then_something_has_moved(series: Any) -> None:
    (move,) = look_at(series([0.0] * 20 + [7.0] * 3)).moves

    assert (move.worse, move.old, move.ratio) == (True, 0.0, None)
    assert move.new == pytest.approx(7.0)


def test_few_nights_are_not_enough(series: Any) -> None:
    look = look_at(series([1.0, 2.0, 3.0]))

    assert (look.enough, look.band, look.moves) == (False, None, ())


def test_what_only_advises_is_told_and_fails_nothing(series: Any) -> None:
    values = [*noisy(30), *noisy(1, 2000.0)]

    check = check_nights([series(values, gates=False)], 31)

    assert [finding.what for finding in check.findings] == [FailOn.STEP]
    assert check.failing == ()


def test_a_metric_is_missing_as_long_as_its_absence_is_news(series: Any) -> None:
    gone = series(noisy(20), absent=2)

    assert check_nights([gone], 22, last=1).findings == ()
    assert [finding.what for finding in check_nights([gone], 22, last=2).findings] == [FailOn.MISSING]
