"""Where a history is kept, a case is drawn from night to night, with the night in which it moved."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from wfrun.runner.compare.nights import look_at
from wfrun.runner.record.history import Night, Series
from wfrun.runner.record.history_file import HISTORY_FILE
from wfrun.runner.report.page.nights import CURVES, Nights, nights_here
from wfrun.runner.report.page.page import session_page

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.runner.report.conftest import Make


def series(make: Make, *values: float, metric: str = "wall_time_ns", case: str = "load/suite_load::queue") -> Series:
    started = datetime(2025, 3, 1, tzinfo=UTC)
    nights = [
        Night(started + timedelta(days=day), f"{day:040x}"[::-1], False, value, None, 1, "aa")
        for day, value in enumerate(values)
    ]
    return Series(
        case_id=case,
        case=make.case().info,
        metric=metric,
        unit="ns",
        better="lower",
        gates=True,
        threshold_percent=5.0,
        slack=0.0,
        machine="m",
        nights=tuple(nights),
    )


STEADY = [1e6 + 2e3 * (day % 3) for day in range(20)]
STEPPED = [*STEADY, *(value * 1.2 for value in STEADY)]


def test_a_step_is_marked_and_said(make: Make) -> None:
    (curve,) = Nights([look_at(series(make, *STEPPED))]).curves("load/suite_load::queue")

    assert "wall time over 40 nights; moved by +19.8 %" in curve
    assert "on 2025-03-21, between 31000000 and 41000000" in curve
    assert curve.count("class=change") == 1


def test_what_moved_is_drawn_before_what_did_not(make: Make) -> None:
    looks = [look_at(series(make, *STEADY)), look_at(series(make, *STEPPED, metric="peak_rss_bytes"))]

    first, second = Nights(looks).curves("load/suite_load::queue")

    assert "peak memory" in first
    assert "wall time" in second


def test_one_night_is_no_curve_and_another_case_has_none(make: Make) -> None:
    nights = Nights([look_at(series(make, 1e6))])

    assert list(nights.curves("load/suite_load::queue")) == []
    assert list(Nights([look_at(series(make, *STEADY))]).curves("load/suite_load::other")) == []


def test_a_page_has_room_for_so_many_curves(make: Make) -> None:
    names = [f"case {number}" for number in range(CURVES + 10)]
    nights = Nights(look_at(series(make, *STEADY, case=name)) for name in names)

    assert sum(len(list(nights.curves(name))) for name in names) == CURVES


def test_the_page_of_a_session_has_them(make: Make) -> None:
    story = make.story(record=make.record(("queue", {"wall_time_ns": ("ns", 1e6)})))

    assert "over 40 nights" in session_page(story, Nights([look_at(series(make, *STEPPED))]))
    assert "over 40 nights" not in session_page(story)


@pytest.mark.parametrize("content", [None, "", "no line of a history\n"])
def test_a_history_that_says_nothing_takes_nothing(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        HISTORY_FILE.write_text(content)
    record = make.record(("queue", {"wall_time_ns": ("ns", 1e6)}))

    assert list(nights_here(record).curves(record.outcomes[0].id)) == []
    assert list(nights_here(replace(make.story(), record=None).record).curves("any")) == []
