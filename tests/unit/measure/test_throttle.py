from __future__ import annotations

from typing import TYPE_CHECKING

from wfrun.measure import throttle
from wfrun.measure.reading import Reading
from wfrun.measure.throttle import Throttling, read_throttling, throttled_since, throttling

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def stat(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cpu.stat").write_text(text)
    return folder


def test_the_second_version_counts_microseconds(tmp_path: Path) -> None:
    folder = stat(tmp_path, "usage_usec 9\nnr_periods 5\nnr_throttled 3\nthrottled_usec 7\n")

    assert read_throttling((folder,)).value == Throttling(periods=3, withheld_ns=7000)


def test_the_first_version_counts_nanoseconds(tmp_path: Path) -> None:
    folder = stat(tmp_path, "nr_periods 5\nnr_throttled 3\nthrottled_time 7\n")

    assert read_throttling((folder,)).value == Throttling(periods=3, withheld_ns=7)


def test_groups_around_add_up(tmp_path: Path) -> None:
    inner = stat(tmp_path / "inner", "nr_throttled 1\nthrottled_usec 1\n")
    outer = stat(tmp_path / "outer", "nr_throttled 2\nthrottled_usec 1\n")

    assert read_throttling((inner, outer)).value == Throttling(periods=3, withheld_ns=2000)


def test_a_group_without_counters_adds_nothing(tmp_path: Path) -> None:
    assert read_throttling((stat(tmp_path, "usage_usec 9\n"),)).value == Throttling(0, 0)


def test_an_unreadable_group_is_none_with_the_reason(tmp_path: Path) -> None:
    value, doubt = read_throttling((tmp_path / "none",))

    assert value is None
    assert "cpu.stat" in doubt


def test_the_difference_is_what_happened_in_between(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "cpu_folders", lambda: Reading((tmp_path,)))
    stat(tmp_path, "nr_throttled 3\nthrottled_usec 7\n")
    before = throttling()

    assert throttled_since(before).value == Throttling(0, 0)
    stat(tmp_path, "nr_throttled 4\nthrottled_usec 9\n")

    assert throttled_since(before).value == Throttling(1, 2000)


def test_only_a_difference_above_nothing_happened() -> None:
    assert Throttling(1, 0).happened
    assert not Throttling(0, 0).happened


def test_without_groups_the_reason_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "cpu_folders", lambda: Reading(None, "no groups here"))

    assert throttled_since(throttling()) == Reading(None, "no groups here")
