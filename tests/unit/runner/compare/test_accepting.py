"""A change that was accepted fails nothing: up to its value and the threshold beyond, until it expires."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.runner.compare.test_confirm import comparison, metric
from wfrun.runner.compare.accepting import with_accepted
from wfrun.runner.compare.verdicts import MetricComparison, Verdict
from wfrun.runner.record.models import AcceptedChange

NOW = datetime(2030, 6, 1, tzinfo=UTC)


def accepted(new: float, expires: datetime | None = None, reason: str = "worth it") -> AcceptedChange:
    return AcceptedChange(
        case_id="a",
        metric="wall_time_ns",
        commit="c0ffee",
        reason=reason,
        accepted_by="A",
        accepted_at=NOW,
        old=1.0,
        new=new,
        expires=expires,
    )


def judged(*changes: AcceptedChange, verdict: Verdict = Verdict.REGRESSED) -> MetricComparison:
    (row,) = with_accepted([metric("a", verdict, new=2.0)], changes, NOW)
    return row


def test_it_fails_nothing() -> None:
    row = judged(accepted(2.0, NOW + timedelta(days=1)))

    assert row.verdict is Verdict.REGRESSED
    assert row.accepted == "accepted until 2030-06-02 by A at commit c0ffee: worth it"
    assert comparison(row).regressed == ()
    assert comparison(row).failing == ()


@pytest.mark.parametrize(("value", "holds"), [(1.91, True), (1.89, False), (3.0, True)])
def test_it_holds_up_to_its_value_and_the_threshold_of_5_percent(value: float, *, holds: bool) -> None:
    row = judged(accepted(value))

    assert bool(row.accepted) is holds
    assert bool(row.warnings) is not holds
    assert bool(comparison(row).failing) is not holds


@pytest.mark.parametrize(("left", "holds"), [(timedelta(seconds=1), True), (timedelta(0), False)])
def test_it_expires(left: timedelta, *, holds: bool) -> None:
    row = judged(accepted(2.0, NOW + left))

    assert bool(row.accepted) is holds
    assert holds or "expired on 2030-06-01, so it counts again: worth it" in row.warnings[0]


def test_the_last_decision_on_a_metric_holds() -> None:
    assert "second" in judged(accepted(1.1, reason="first"), accepted(2.0, reason="second")).accepted


@pytest.mark.parametrize("verdict", [each for each in Verdict if each is not Verdict.REGRESSED])
def test_other_verdicts_are_not_touched(verdict: Verdict) -> None:
    assert judged(accepted(2.0), verdict=verdict) == metric("a", verdict, new=2.0)
