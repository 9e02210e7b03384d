"""A value that a platform may not have, or may have only in a weaker form, together with the reason."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

__all__ = ["Reading"]

T_co = TypeVar("T_co", covariant=True)


class Reading(NamedTuple, Generic[T_co]):
    """What was read, or why it was not: ``value, doubt = peak_rss_bytes()``."""

    value: T_co | None
    """None when the platform does not offer it; ``doubt`` then says why."""
    doubt: str = ""
    """Why the value is missing, or means less than its name; empty when there is nothing to doubt."""
