"""Seconds, bytes and rates as people write and read them; parsing and printing live here and nowhere else."""

from __future__ import annotations

import re

from wfrun.errors import UsageError

__all__ = [
    "format_bytes",
    "format_duration",
    "format_number",
    "format_percent",
    "format_rate",
    "format_value",
    "parse_bytes",
    "parse_duration",
]

_DURATION_UNITS_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_BYTE_UNITS = {"b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "kb": 10**3, "mb": 10**6, "gb": 10**9}
_QUANTITY = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*([a-zA-Zµ]*)\s*")


def _parse(text: str, units: dict[str, float] | dict[str, int], bare: str, what: str) -> float:
    found = _QUANTITY.fullmatch(text)
    if found is None or (found[2].lower() or bare) not in units:
        raise UsageError(f"{text!r} is not {what}; write a number and one of {', '.join(units)}, such as 1.5{bare}")
    return float(found[1]) * units[found[2].lower() or bare]


def parse_duration(text: str) -> float:
    """Return the seconds in a text such as ``90``, ``1.5s``, ``250ms`` or ``2m``; a bare number is seconds.

    Raises:
        UsageError: The text is not a duration; the message lists the units.
    """
    return _parse(text, _DURATION_UNITS_S, "s", "a duration")


def parse_bytes(text: str) -> int:
    """Return the bytes in a text such as ``4096``, ``64KiB`` or ``1.5 MiB``; a bare number is bytes.

    Raises:
        UsageError: The text is not an amount of bytes; the message lists the units.
    """
    return round(_parse(text, _BYTE_UNITS, "b", "an amount of bytes"))


def format_duration(seconds: float) -> str:
    """Return three significant digits in the unit that fits: ``1.25 ms``; minutes and hours as ``2 m 05 s``."""
    size = abs(seconds)
    if size >= 3600:
        return f"{seconds / 3600:.1f} h"
    if size >= 60:
        return f"{int(seconds // 60)} m {int(seconds % 60):02d} s"
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if size >= scale * 0.9995:
            return f"{format_number(seconds / scale)} {unit}"
    return f"{format_number(seconds / 1e-9)} ns"


def format_bytes(count: float, *, decimal: bool = False) -> str:
    """Return three significant digits in the unit that fits, binary such as ``1.50 MiB`` or decimal: ``1.57 MB``."""
    size = abs(count)
    units = (
        (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)) if decimal else (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))
    )
    for unit, scale in units:
        if size >= scale:
            return f"{format_number(count / scale)} {unit}"
    return f"{round(count)} B"


def format_rate(per_second: float) -> str:
    """Return a rate such as ``12.3 k/s``."""
    size = abs(per_second)
    for unit, scale in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if size >= scale:
            return f"{format_number(per_second / scale)} {unit}/s"
    return f"{format_number(per_second)}/s"


def format_number(value: float) -> str:
    """Return three significant digits, without an exponent for everyday sizes."""
    size = abs(value)
    if size >= 99.95 or value == 0:
        return f"{value:.0f}"
    if size >= 9.995:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 0.01 else f"{value:.2g}"


def format_percent(ratio: float) -> str:
    """Return a change as a signed percentage: 1.034 is ``+3.4 %``, 520 is ``+51,900 %``."""
    percent = (ratio - 1) * 100
    return f"{percent:+.1f} %" if abs(percent) < 999.95 else f"{percent:+,.0f} %"


def format_value(value: float, unit: str) -> str:
    """Return ``value`` with its unit: ``ns`` and ``s`` as durations, ``B`` as bytes, ``/s`` as a rate, others as is."""
    match unit:
        case "ns":
            return format_duration(value * 1e-9)
        case "s":
            return format_duration(value)
        case "B":
            return format_bytes(value)
        case "/s":
            return format_rate(value)
        case _:
            return f"{format_number(value)} {unit}".rstrip()
