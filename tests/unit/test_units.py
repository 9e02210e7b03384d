from __future__ import annotations

import pytest

from wfrun.errors import UsageError
from wfrun.units import (
    format_bytes,
    format_duration,
    format_percent,
    format_rate,
    format_value,
    parse_bytes,
    parse_duration,
)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("1.5s", 1.5), ("250ms", 0.25), ("2m", 120), (" 3 h ", 10800), (".5", 0.5)]
)
def test_durations_are_read_with_their_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "-1s", "1 fortnight", "1e3", "nan"])
def test_what_is_no_duration_is_refused_with_the_units(text: str) -> None:
    with pytest.raises(UsageError, match=r"is not a duration; write a number and one of ns, us"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "count"), [("4096", 4096), ("64KiB", 65536), ("1.5 MiB", 1572864), ("2GB", 2 * 10**9)]
)
def test_amounts_of_bytes_are_read_with_their_unit(text: str, count: int) -> None:
    assert parse_bytes(text) == count


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ns"),
        (2.5e-9, "2.50 ns"),
        (1.25e-3, "1.25 ms"),
        (0.9999, "1.00 s"),
        (59.94, "59.9 s"),
        (125, "2 m 05 s"),
        (7200, "2.0 h"),
        (-0.002, "-2.00 ms"),
    ],
)
def test_durations_are_written_in_the_unit_that_fits(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_bytes_rates_and_changes_are_written_for_people() -> None:
    assert format_bytes(1572864) == "1.50 MiB"
    assert format_bytes(12) == "12 B"
    assert format_rate(123456) == "123 k/s"
    assert format_percent(1.034) == "+3.4 %"
    assert format_percent(0.5) == "-50.0 %"
    assert format_percent(520.0) == "+51,900 %"
    assert format_value(1500, "ns") == "1.50 µs"
    assert format_value(3, "retries") == "3.00 retries"


def test_bytes_may_be_written_in_decimal_units() -> None:
    assert format_bytes(612_400_000, decimal=True) == "612 MB"
