"""Days as they are written on a command line: a date, or how many days from now."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from wfrun.errors import UsageError

__all__ = ["day_ahead", "day_back"]

DAYS: Final = re.compile(r"(\d{1,5})\s*(?:d|days?)?")
FORM: Final = "a date such as 2030-12-31, or a number of days such as 90d"


def day_ahead(option: str, text: str, now: datetime) -> datetime:
    """Return the instant that ``text`` names, which must be after ``now``.

    Raises:
        UsageError: It is neither a date nor a number of days, or has passed.
    """
    when = _date(option, text) or now + _span(text)
    if when <= now:
        raise UsageError(f"{option} {text!r} has passed already; write {FORM}")
    return when


def day_back(option: str, text: str, now: datetime) -> datetime:
    """Return the instant that ``text`` names: a date, or so many days before ``now``.

    Raises:
        UsageError: It is neither.
    """
    return _date(option, text) or now - _span(text)


def _date(option: str, text: str) -> datetime | None:
    if DAYS.fullmatch(text.strip()):
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"{option} takes {FORM}, not {text!r}") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _span(text: str) -> timedelta:
    found = DAYS.fullmatch(text.strip())
    return timedelta(days=int(found[1]) if found else 0)
